"""``stereokit prep``: sound files, or procedural sounds, to a data set."""

import contextlib
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import partial

from stereokit.data.dataset import DatasetWriter, building, check_target
from stereokit.data.plan import Item, with_splits
from stereokit.data.preparation import Task, prepare
from stereokit.data.sources import Refusal
from stereokit.data.splits import parse_fractions, read_assignment
from stereokit.data.workers import available_jobs, map_files
from stereokit.errors import BadInputError, Status
from stereokit.workflows.events import Event, Events, Json, Message, Progress, Row
from stereokit.workflows.prep_rows import (
    CLIP_SCHEMA,
    PREP_SCHEMA,
    Ledger,
    after_warnings,
    by_split,
    clip_row,
    failed_rows,
    identity,
    metadata_row,
)
from stereokit.workflows.prep_settings import PrepSettings, find_plan, recorded
from stereokit.workflows.refusals import refusal_messages

# Preparing a clip takes some milliseconds, starting a process 0.4 s.
_INLINE_CLIPS = 100
_CHUNK_CLIPS = 16
_PROGRESS_STEP = 10


def prep(settings: PrepSettings, stdin: Iterable[str]) -> Events:
    """Make a data set and yield a row a clip, a row a refused input, and a summary.

    Raises
    ------
    UsageError, BadInputError, OutputError, LockedError
        When nothing can be done; nothing is left half-written.
    """
    fractions = parse_fractions(settings.split)
    assignment = {} if settings.assign is None else read_assignment(settings.assign)
    check_target(settings.output, force=settings.force)
    plan, found = find_plan(settings, stdin)
    items, warnings = with_splits(
        plan.items, fractions, assignment, is_grouped=settings.group is not None and settings.synth is None
    )
    for text in [*plan.warnings, *warnings]:
        yield Message(text, is_warning=True)
    yield from refusal_messages(plan.refused)
    yield from failed_rows(plan.refused)
    if not items:
        raise BadInputError(f"no usable sound among {found} inputs ({plan.excluded} excluded by --only)")
    _check_strict(settings, plan.refused)
    if settings.is_dry_run:
        yield from _planned(settings, items, refused=len(plan.refused))
        return Status.SOME_FAILED if plan.refused else Status.DONE
    ledger = Ledger(found, list(plan.refused), plan.excluded)
    return (yield from _write(settings, items, ledger, recorded(settings, fractions, assignment)))


def _check_strict(settings: PrepSettings, refused: Sequence[Refusal]) -> None:
    if settings.strict and refused:
        raise BadInputError(f"--strict: {len(refused)} inputs were refused, so nothing is done")


def _planned(settings: PrepSettings, items: Sequence[Item], *, refused: int) -> Events:
    for item in items:
        fields = {"status": "planned", "path": str(settings.output / item.file_name), **identity(item)}
        yield Row(CLIP_SCHEMA, fields)
    counts = Counter(item.split for item in items)
    summary: dict[str, Json] = {
        "status": "planned",
        "dataset": str(settings.output),
        "clips": len(items),
        "refused": refused,
    }
    yield Row(PREP_SCHEMA, {**summary, **by_split(counts)})
    return Status.DONE


def _write(settings: PrepSettings, items: Sequence[Item], ledger: Ledger, description: Mapping[str, object]) -> Events:
    """Make the clips under the data set's lock and put them in place together."""
    with building(settings.output) as writer:
        # Once more under the lock: another run may have finished this data set since the first look.
        check_target(settings.output, force=settings.force)
        yield from _make_clips(settings, items, writer, ledger)
        if not ledger.rows:
            raise BadInputError(f"no data set: all of {ledger.found} inputs were refused or excluded")
        _check_strict(settings, ledger.refused)
        counts = ledger.counts()
        fingerprint_hex = writer.finish(ledger.rows, settings=description, counts=counts)
    # Only now are the clips where their rows say: whoever reads the pipe opens them at once.
    yield from ledger.told
    yield from after_warnings(settings, ledger.rows, counts)
    yield Row(
        PREP_SCHEMA, {"status": "done", "dataset": str(settings.output), "fingerprint": fingerprint_hex, **counts}
    )
    return Status.SOME_FAILED if ledger.refused else Status.DONE


def _make_clips(
    settings: PrepSettings, items: Sequence[Item], writer: DatasetWriter, ledger: Ledger
) -> Generator[Event, None, None]:
    tasks = [
        Task(item.key, item.source, writer.staged(item.file_name), settings.synth or "", settings.seed, index)
        for index, item in enumerate(items)
    ]
    results = map_files(
        partial(prepare, preparation=settings.preparation),
        tasks,
        jobs=available_jobs() if settings.jobs is None else settings.jobs,
        chunk=_CHUNK_CLIPS,
        inline_up_to=_INLINE_CLIPS,
    )
    # Closed before the staged clips are removed: a process still at work would write among them.
    with contextlib.closing(results):
        for done, (item, result) in enumerate(zip(items, results, strict=True), start=1):
            if isinstance(result, BadInputError):
                refusal = Refusal(str(item.source), str(result))
                ledger.refused.append(refusal)
                yield from refusal_messages([refusal])
                yield from failed_rows([refusal])
            elif settings.synth and settings.only and result.label not in settings.only:
                # A procedural sound has its label only once it is made.
                writer.drop(item.file_name)
                ledger.excluded += 1
            else:
                ledger.rows += [metadata_row(item, result, output) for output in result.outputs]
                ledger.told += [clip_row(settings, item, result, output) for output in result.outputs]
            if done % _PROGRESS_STEP == 0 or done == len(items):
                yield Progress("preparing", done, len(items))
