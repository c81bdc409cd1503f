"""The course of a build, the same for every command that makes a data set; ``data/build.py`` says what it promises."""

import json
from collections.abc import Generator, Sequence

from stereokit.data.build import building
from stereokit.data.build_changes import Changes, find_changes, new_refusals
from stereokit.data.build_place import Place, look_at
from stereokit.data.catalogue import UnfinishedCatalogueError
from stereokit.data.records import Snapshot
from stereokit.data.sources import Refusal
from stereokit.data.units import Task
from stereokit.errors import BadInputError, Status, UsageError
from stereokit.workflows.build_job import BuildWords, Job
from stereokit.workflows.build_making import Making
from stereokit.workflows.build_rows import by_split, failed_rows, still_failing_message
from stereokit.workflows.events import Event, Events, Json, Message, Row
from stereokit.workflows.refusals import refusal_messages


def run_build(job: Job[Task]) -> Events:
    """Bring a data set up to date and yield a row a change, and a summary.

    Raises
    ------
    UsageError, BadInputError, OutputError, LockedError
        When nothing can be done, or not all; what was made waits for the next run.
    """
    words = job.words
    place = Place(words.output, words.catalog)
    base = _base(job, _look(place, words))
    changes = _changes(job, base)
    told = [job.refused[number] for number in new_refusals(base, _pairs(job.refused))]
    yield from refusal_messages(told)
    yield from failed_rows(job, told)
    if not job.units:
        raise BadInputError(f"no usable sound among {job.found} inputs ({job.excluded} excluded by --only)")
    check_strict(job, len(job.refused))
    if words.is_dry_run:
        yield from _planned(job, base, changes, refused=len(told))
        return Status.SOME_FAILED if told or _still_failing(job, base, changes, told) else Status.DONE
    if not _is_nothing(job, base, changes):
        with building(place, force=words.force) as build:
            # Once more under the lock: another process may have been here since the first look.
            base = _base(job, build.snapshot)
            changes = _changes(job, base)
            if not _is_nothing(job, base, changes):
                yield from _versions_message(job, base)
                making = Making(job, build, base, changes, new_refused=len(told))
                return (yield from making.run())
    return (yield from _unchanged(job, base))


def _look(place: Place, words: BuildWords) -> Snapshot:
    try:
        return look_at(place, force=words.force)
    except UnfinishedCatalogueError:
        if words.is_dry_run:
            raise
        # Under the lock the catalogue is mended first, and looked at again.
        return Snapshot()


def _pairs(refused: Sequence[Refusal]) -> list[tuple[str, str]]:
    return [(refusal.path, refusal.reason) for refusal in refused]


def check_strict(job: Job[Task], refused: int) -> None:
    """Refuse to go on with refused inputs.

    Raises
    ------
    BadInputError
        With ``--strict`` and any.
    """
    if job.words.strict and refused:
        raise BadInputError(f"--strict: {refused} inputs were refused, so nothing is done")


def _base(job: Job[Task], snapshot: Snapshot) -> Snapshot:
    """Return what the build goes on from: nothing with ``--force``, else a data set of the same settings."""
    if job.words.force:
        return Snapshot()
    if snapshot.has_content:
        defaults, ours = (json.loads(json.dumps(one)) for one in (job.defaults, job.settings))
        theirs = {**defaults, **json.loads(snapshot.description["settings"])}
        if differences := [
            f"{job.options.get(name, name)} {_word(ours.get(name))}, not {_word(theirs.get(name))}"
            for name in {**ours, **theirs}
            if ours.get(name) != theirs.get(name)
        ]:
            told = "; ".join(differences)
            raise UsageError(f"-o {job.words.output}: is a data set of other settings: {told}; --force rebuilds it")
    return snapshot


def _word(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_word, value)) or "none"
    if isinstance(value, bool):
        return "given" if value else "not given"
    return "none" if value is None else str(value)


def _changes(job: Job[Task], base: Snapshot) -> Changes:
    return find_changes(
        base,
        job.units,
        folder=job.words.output,
        context=job.context_text(),
        left_out=job.left_out,
        refused_paths=job.refused_paths(),
        deleted=job.words.deleted,
    )


def _is_nothing(job: Job[Task], base: Snapshot, changes: Changes) -> bool:
    known = json.loads(base.description.get("refused", "[]"))
    same = sorted(map(list, _pairs(job.refused))) == sorted(known)
    return changes.is_nothing and same and not Place(job.words.output).staging.exists()


def _still_failing(job: Job[Task], base: Snapshot, changes: Changes, told: Sequence[Refusal]) -> int:
    if job.words.accept_failed:
        return 0
    failed = sum(base.sources[unit.key].status == "failed" for unit in job.units if unit.key not in changes.todo)
    return failed + len(job.refused) - len(told)


def _planned(job: Job[Task], base: Snapshot, changes: Changes, *, refused: int) -> Generator[Event, None, None]:
    splits: list[str] = []
    for unit in job.units:
        if unit.key in changes.todo:
            fields = job.planned(unit)
            splits.append(str(fields.get("split")))
            yield Row(job.clip_schema, {"status": "planned", "change": changes.todo[unit.key], **fields})
    removed = 0
    for key in changes.gone if job.words.deleted == "remove" else ():
        for output in base.outputs.values():
            if output.key == key:
                path = str(job.words.output / output.file_name)
                yield Row(job.clip_schema, {"status": "planned", "change": "removed", "path": path, "source": key})
        removed += 1
    summary: dict[str, Json] = {
        "status": "planned",
        "dataset": str(job.words.output),
        "clips": len(splits),
        "unchanged": len(job.units) - len(splits),
        "removed": removed,
        "refused": refused,
    }
    yield Row(job.schema, {**summary, **by_split(splits)})


def _versions_message(job: Job[Task], base: Snapshot) -> Generator[Event, None, None]:
    """Yield a line when what stays was made by other versions than what comes new."""
    theirs, ours = json.loads(base.description.get("versions", "{}")), job.versions()
    differences = [
        f"{name} {theirs.get(name, '(none)')}, not {ours[name]}" for name in ours if theirs.get(name, "") != ours[name]
    ]
    if theirs and differences:
        told = "; ".join(differences)
        yield Message(f"the data set was made by {told}: new clips may differ in their last bits; --force rebuilds it")


def _unchanged(job: Job[Task], base: Snapshot) -> Events:
    """Tell that nothing was to be done."""
    counts: dict[str, Json] = json.loads(base.description["counts"])
    still = sum(record.status == "failed" for record in base.sources.values()) + len(job.refused)
    done = sum(record.status == "done" and not record.parent and not record.place for record in base.sources.values())
    yield from still_failing_message(job, still)
    change: dict[str, Json] = {"done": 0, "changed": 0, "renamed": 0, "unchanged": done, "removed": 0}
    summary = {"status": "done", "dataset": str(job.words.output), "fingerprint": base.description["fingerprint"]}
    yield Row(job.schema, {**summary, **counts, **change, "still_failing": still})
    return Status.SOME_FAILED if still and not job.words.accept_failed else Status.DONE
