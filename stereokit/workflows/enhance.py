"""``stereokit enhance``: sounds through a trained converter, to a folder, a file or a pipe."""

import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import torch

from stereokit.audio.blocks import Blocks, open_blocks
from stereokit.data.sources import Refusal, find_sources
from stereokit.data.staging import LOCK
from stereokit.errors import BadInputError, Status, UsageError
from stereokit.metrics.paired.measure import pair_widths
from stereokit.metrics.paired.pair import Pair
from stereokit.models._capabilities import require
from stereokit.models._conversion import conversion
from stereokit.models._run import Run, load_run, read_config
from stereokit.training.device import available_threads, choose_device
from stereokit.workflows.enhance_folder import Folder, check_folder, file_digest
from stereokit.workflows.enhance_plan import EnhancePlan, Item, checked_sound, plan_folder, refuse_own_input
from stereokit.workflows.enhance_settings import STREAM, EnhanceSettings
from stereokit.workflows.enhance_sound import Enhanced, Figures, Machine, Words, spooled
from stereokit.workflows.events import Data, Event, Events, Json, Message, Progress, Row
from stereokit.workflows.refusals import refusal_messages
from stereokit.writing import locked, make_folder, write_parts

ENHANCE_SCHEMA = "stereokit.enhance/1"
FILE_SCHEMA = "stereokit.enhance.file/1"

_PIPED_BYTES = 1 << 20


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
    settings.check()
    require(read_config(settings.run).family, "converter", "enhance")
    device = choose_device(settings.device)
    torch.set_num_threads(available_threads())
    run = load_run(settings.run)
    run.model.to(device)
    window = max(2, run.model.frames - run.model.frames % 2)
    change = conversion(run.model, channels=settings.channels, device=device)
    work = Work(settings, run, Machine(change, run.model.sample_rate, window), device)
    if settings.is_stream or settings.is_file:
        return (yield from _one(work, piped))
    return (yield from _several(work, stdin))


@dataclass
class Work:
    """A run at work.

    Attributes
    ----------
    settings, run, machine, device
        What converts, and how.
    done_s, total_s
        Of sound: how much is converted, and all there is.
    """

    settings: EnhanceSettings
    run: Run
    machine: Machine
    device: str
    done_s: float = 0.0
    total_s: float = 0.0
    _begun: float = field(default_factory=time.monotonic)

    def identity(self) -> dict[str, Json]:
        """Return what all results have in common."""
        run = self.run
        return {"run": run.fingerprint, "family": run.family.name, "preset": run.preset, **self.settings.recorded()}

    def convert(self, sound: Blocks, target: Path, name: str) -> Generator[Progress, None, Figures]:
        """Convert a sound into a file, whole or not at all.

        Raises
        ------
        BadInputError, OutputError
            When it cannot be read or written.
        """
        settings = self.settings
        key = f"{self.run.fingerprint}/{name}"
        words = Words(settings.wet, settings.is_loudness_kept, settings.encoding, key)
        with spooled(target.parent) as spool:
            enhanced = Enhanced(sound, spool, words)
            for frames in enhanced.convert(self.machine):
                done = self.done_s + frames / sound.sample_rate
                yield Progress("enhancing (s of sound)", int(done), max(1, int(self.total_s)), name)
            figures = enhanced.figures()
            write_parts(target, enhanced.file_parts())
        self.done_s += sound.frames / sound.sample_rate
        return figures

    def speed(self) -> dict[str, Json]:
        """Return how long all of it took, and how many times as long the sounds are."""
        elapsed = time.monotonic() - self._begun
        return {"elapsed_s": round(elapsed, 3), "times_real_time": round(self.done_s / max(elapsed, 1e-9), 3)}


def _figures(sound: Blocks, target: Path, figures: Figures) -> dict[str, Json]:
    """Return what a row says of a sound that was converted."""
    drift = pair_widths(Pair(open_blocks(target), sound)).drift()
    return {
        "sample_rate_hz": sound.sample_rate,
        "frames": sound.frames,
        "channels_in": sound.channels,
        "loudness_lufs": _finite(figures.input_lufs),
        "converted_lufs": _finite(figures.converted_lufs),
        "gain_db": figures.gain_db,
        "turned_down_db": figures.turned_down_db,
        "stsd_in": drift.target,
        "stsd_out": drift.estimate,
        "stsd_drift": drift.mean,
        "stsd_drift_l1": drift.l1,
    }


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None


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
        yield Row(FILE_SCHEMA, {"status": "planned", "path": path, "source": str(item.path), "seconds": item.seconds})
    yield from _refused_rows(plan.refused)
    counts: dict[str, Json] = {"files": len(plan.items), "refused": len(plan.refused), "seconds": plan.seconds}
    yield Row(ENHANCE_SCHEMA, {"status": "planned", "output": work.settings.output, **counts, **work.identity()})


def _refused_rows(refused: Iterable[Refusal]) -> Iterator[Row]:
    for one in refused:
        yield Row(FILE_SCHEMA, {"status": "failed", "path": one.path, "reason": one.reason})


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
            yield Row(FILE_SCHEMA, place | {name: value for name, value in row.items() if name != "file_name"})
    folder.end()
    yield from _refused_rows(failed)
    done = len(left) - (len(failed) - len(plan.refused))
    counts: dict[str, Json] = {"files": done, "unchanged": unchanged, "failed": len(failed), "seconds": work.done_s}
    means: dict[str, Json] = {"device": work.device, **work.speed()}
    yield Row(ENHANCE_SCHEMA, {"status": "done", "output": str(folder.path), **counts, **work.identity(), **means})
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
        **_figures(sound, target, figures),
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
            yield Row(FILE_SCHEMA, {"status": "planned", **told})
            return Status.DONE
        figures = yield from work.convert(sound, target, "sound")
        row = _figures(sound, target, figures)
        if settings.is_stream:
            yield from _sent(target)
            yield Message(_told(row))
            return Status.DONE
        place_of: dict[str, Json] = {"status": "done", "path": str(target), "source": word}
        yield Row(FILE_SCHEMA, {**place_of, **row, **work.identity(), "device": work.device, **work.speed()})
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
