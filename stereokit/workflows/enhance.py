"""``stereokit enhance``: sounds through a trained converter, to a folder, a file or a pipe."""

import tempfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import torch

from stereokit.data.sources import Refusal, find_sources
from stereokit.data.staging import LOCK
from stereokit.errors import BadInputError, Status, UsageError
from stereokit.models._capabilities import require
from stereokit.models._conversion import conversion, converting
from stereokit.models._run import load_run, read_config
from stereokit.training.device import available_threads, choose_device
from stereokit.workflows.enhance_folder import Folder, check_folder, file_digest
from stereokit.workflows.enhance_plan import EnhancePlan, Item, checked_sound, plan_folder, refuse_own_input
from stereokit.workflows.enhance_settings import STREAM, EnhanceSettings
from stereokit.workflows.enhance_sound import Machine
from stereokit.workflows.enhance_work import Task, Work, figures_of
from stereokit.workflows.events import Data, Event, Events, Json, Message, Row
from stereokit.workflows.refusals import refusal_messages
from stereokit.writing import locked, make_folder, write_parts

_PIPED_BYTES = 1 << 20


ENHANCING = Task(
    "enhance", "enhancing", "converter", "stereokit.enhance/1", "stereokit.enhance.file/1",
    lambda run: converting(run.model),
)  # fmt: skip


def enhance(settings: EnhanceSettings, stdin: Iterable[str] | None = None, piped: BinaryIO | None = None) -> Events:
    """Convert sounds and yield a row for each and a summary; for a pipe, yield the bytes of one WAV file.

    Parameters
    ----------
    settings
        The words.
    stdin
        Lines of standard input, for lists of sounds.
    piped
        Standard input as bytes, for a sound.

    Raises
    ------
    UsageError, BadInputError, MissingError, OutputError, LockedError, NonFiniteError
        When nothing can be done, or not all; what was converted by then is whole, and the next run goes on from there.
    """
    return (yield from change_sounds(ENHANCING, settings, stdin, piped))


def change_sounds(task: Task, settings: EnhanceSettings, stdin: Iterable[str] | None, piped: BinaryIO | None) -> Events:
    """Do what ``enhance`` does, for any task."""
    settings.check()
    require(read_config(settings.run).family, task.capability, task.command)
    device = choose_device(settings.device)
    torch.set_num_threads(available_threads())
    run = load_run(settings.run)
    run.model.to(device)
    window = max(2, run.model.frames - run.model.frames % 2)
    change = conversion(task.change(run), channels=settings.channels, device=device)
    work = Work(task, settings, run, Machine(change, run.model.sample_rate, window), device)
    if settings.is_stream or settings.is_file:
        return (yield from _one(work, piped))
    return (yield from _several(work, stdin))


def _several(work: Work, stdin: Iterable[str] | None) -> Events:
    """Convert into a folder."""
    settings = work.settings
    folder = Path(settings.output)
    made_by = work.identity()
    check_folder(folder, made_by, force=settings.force)
    plan = plan_folder(settings.sources, stdin, folder, settings.encoding)
    yield from refusal_messages(plan.refused)
    if settings.strict and plan.refused:
        raise BadInputError(f"--strict: {len(plan.refused)} inputs were refused, so nothing is done")
    if not plan.items:
        raise BadInputError(f"no usable sound in {', '.join(settings.sources)}")
    if settings.is_dry_run:
        yield from _planned(work, plan)
        return Status.SOME_FAILED if plan.refused else Status.DONE
    make_folder(folder)
    with locked(folder / LOCK):
        # Once more under the lock: another process may have been here since the first look.
        check_folder(folder, made_by, force=settings.force)
        return (yield from _fill(work, Folder(folder), plan))


def _planned(work: Work, plan: EnhancePlan) -> Iterator[Event]:
    for item in plan.items:
        path = f"{work.settings.output}/{item.file_name}"
        yield Row(
            work.task.file_schema,
            {"status": "planned", "path": path, "source": str(item.path), "seconds": item.seconds},
        )
    yield from _refused_rows(work, plan.refused)
    counts: dict[str, Json] = {"files": len(plan.items), "refused": len(plan.refused), "seconds": plan.seconds}
    yield Row(work.task.schema, {"status": "planned", "output": work.settings.output, **counts, **work.identity()})


def _refused_rows(work: Work, refused: Iterable[Refusal]) -> Iterator[Row]:
    for one in refused:
        yield Row(work.task.file_schema, {"status": "failed", "path": one.path, "reason": one.reason})


def _fill(work: Work, folder: Folder, plan: EnhancePlan) -> Events:
    """Convert what is not there yet, one sound after the other."""
    folder.begin(work.identity(), force=work.settings.force)
    unchanged = 0
    failed = list(plan.refused)
    left: list[Item] = []
    for item in plan.items:
        try:
            is_there = folder.holds(item.file_name, item.path)
        except BadInputError:
            is_there = False
        unchanged += is_there
        left += [] if is_there else [item]
    if unchanged:
        yield Message(f"{unchanged} sounds are converted already, and as they were")
    work.total_s = sum(item.seconds for item in left)
    for item in left:
        try:
            row = yield from _file(work, folder, item)
        except BadInputError as error:
            refusal = Refusal(str(item.path), str(error))
            failed.append(refusal)
            yield from refusal_messages([refusal])
        else:
            folder.note(row)
            place: dict[str, Json] = {"status": "done", "path": str(folder.path / item.file_name)}
            yield Row(
                work.task.file_schema, place | {name: value for name, value in row.items() if name != "file_name"}
            )
    folder.end()
    yield from _refused_rows(work, failed)
    done = len(left) - (len(failed) - len(plan.refused))
    counts: dict[str, Json] = {"files": done, "unchanged": unchanged, "failed": len(failed), "seconds": work.done_s}
    means: dict[str, Json] = {"device": work.device, **work.speed()}
    yield Row(work.task.schema, {"status": "done", "output": str(folder.path), **counts, **work.identity(), **means})
    if not done and not unchanged:
        raise BadInputError(f"none of {len(plan.items)} sounds could be converted")
    return Status.SOME_FAILED if failed else Status.DONE


def _file(work: Work, folder: Folder, item: Item) -> Generator[Event, None, dict[str, Json]]:
    target = folder.path / item.file_name
    refuse_own_input([item.path], target)
    make_folder(target.parent)
    sound = checked_sound(item.path, work.settings.encoding)
    digest = file_digest(item.path)
    figures = yield from work.convert(sound, target, item.file_name)
    return {
        "file_name": item.file_name,
        "source": item.key,
        **figures_of(sound, target, figures),
        "source_sha256": digest,
        "sha256": file_digest(target),
    }


def _one(work: Work, piped: BinaryIO | None) -> Events:
    """Convert one sound into a file of a given name, or into the bytes of one."""
    settings = work.settings
    (word,) = settings.sources
    with tempfile.TemporaryDirectory() as place:
        source = _spooled_input(piped, Path(place)) if word == STREAM else _single(word)
        target = Path(place, "output.wav") if settings.is_stream else Path(settings.output)
        if not settings.is_stream:
            refuse_own_input([source], target)
            if target.exists() and not settings.force:
                raise UsageError(f"-o {target}: is there already; --force replaces it")
        try:
            sound = checked_sound(source, settings.encoding)
        except BadInputError as error:
            raise BadInputError(f"{'standard input' if word == STREAM else source}: {error}") from error
        work.total_s = sound.frames / sound.sample_rate
        if settings.is_dry_run:
            told: dict[str, Json] = {"path": str(target), "source": word, "seconds": work.total_s}
            yield Row(work.task.file_schema, {"status": "planned", **told})
            return Status.DONE
        figures = yield from work.convert(sound, target, "sound")
        row = figures_of(sound, target, figures)
        if settings.is_stream:
            yield from _sent(target)
            yield Message(_told(row))
            return Status.DONE
        place_of: dict[str, Json] = {"status": "done", "path": str(target), "source": word}
        yield Row(work.task.file_schema, {**place_of, **row, **work.identity(), "device": work.device, **work.speed()})
        return Status.DONE


def _single(word: str) -> Path:
    """Return the one sound that a word names.

    Raises
    ------
    UsageError
        When it names none, or several.
    """
    found = find_sources(word)
    if len(found.sources) != 1:
        raise UsageError(f"{word}: holds {len(found.sources)} sounds, and the output takes one; give a folder with -o")
    return found.sources[0].path


def _spooled_input(piped: BinaryIO | None, place: Path) -> Path:
    """Put the sound on standard input into a file: readers go back and forth in it."""
    path = place / "input"
    parts = iter(lambda: b"" if piped is None else piped.read(_PIPED_BYTES), b"")
    write_parts(path, parts, durable=False)
    return path


def _sent(path: Path) -> Iterator[Data]:
    with path.open("rb") as file:
        while data := file.read(_PIPED_BYTES):
            yield Data(data)


def _told(row: dict[str, Json]) -> str:
    return (
        f"width (STSD) {row['stsd_in']:.4g} before, {row['stsd_out']:.4g} after; "
        f"gain {row['gain_db']:.2f} dB to keep the loudness"
    )
