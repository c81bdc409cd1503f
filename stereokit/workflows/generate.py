"""``stereokit generate``: a trained model to new clips, in a folder or as one WAV on a pipe."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

from stereokit.audio.clip import Clip
from stereokit.audio.envelope import fade
from stereokit.audio.files import Encoding, encode
from stereokit.audio.levels import peak, with_gain
from stereokit.audio.stereo import has_side
from stereokit.audio.stream import longest_frames, wav_header, wav_samples
from stereokit.data.dataset import versions
from stereokit.data.fitting import FADE_OUT_S
from stereokit.data.staging import FolderKind, Staging, check_target, filling
from stereokit.data.tables import METADATA
from stereokit.data.text import digest
from stereokit.errors import Status, UsageError
from stereokit.models._capabilities import require, sample_blocks
from stereokit.models._run import Run, load_run, read_config
from stereokit.training.device import available_threads, choose_device
from stereokit.workflows.events import Data, Events, Json, Message, Progress, Row
from stereokit.writing import append_file, write_file

GENERATE_SCHEMA = "stereokit.generate/1"
CLIP_SCHEMA = "stereokit.generate.clip/1"
DESCRIPTION = "generated.json"

_KIND = FolderKind("set of generated clips", DESCRIPTION, "stereokit.generated/1")


@dataclass(frozen=True)
class GenerateSettings:
    """The words of ``stereokit generate``.

    Attributes
    ----------
    run
        A run's folder.
    count
        How many clips, at least 1.
    output
        The folder for them; None for one WAV on standard output.
    seed, start
        Of all clips, and the number of the first: a clip is known by both.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    encoding
        Of the WAV files.
    force, is_dry_run
        Replace what another generation left; write nothing.
    """

    run: Path
    count: int
    output: Path | None
    seed: int = 0
    start: int = 0
    device: str = "auto"
    encoding: Encoding = "16"
    force: bool = False
    is_dry_run: bool = False


@dataclass
class _Tally:
    """What became of the clips so far."""

    clips: int = 0
    turned_down: int = 0
    without_side: int = 0
    silent: int = 0

    def count(self, clip: Clip, gain: float) -> None:
        self.clips += 1
        self.turned_down += gain != 1.0
        self.without_side += not has_side(clip)
        self.silent += not clip.samples.any()


@dataclass
class _Generation:
    """A run at work, and what it has made."""

    settings: GenerateSettings
    run: Run
    device: str
    tally: _Tally = field(default_factory=_Tally)

    def clips(self) -> Iterator[tuple[int, Clip, float]]:
        """Yield each clip with its number and the gain that it was given; a block is in memory at a time."""
        settings, model = self.settings, self.run.model.to(self.device)
        blocks = sample_blocks(
            model, settings.count, settings.seed, first=settings.start, device=torch.device(self.device)
        )
        index = settings.start
        for block in blocks:
            for samples in block.numpy():
                clip, gain = _finished(Clip(samples, model.sample_rate))
                self.tally.count(clip, gain)
                yield index, clip, gain
                index += 1

    def dither_seed(self, index: int) -> int:
        return int.from_bytes(digest(f"{self.run.fingerprint}/{self.settings.seed}/{index}", size=8))

    def identity(self) -> dict[str, Json]:
        run = self.run
        return {"run": run.fingerprint, "family": run.family.name, "preset": run.preset, "seed": self.settings.seed}

    def summary(self, status: str) -> Row:
        settings, model = self.settings, self.run.model
        place: dict[str, Json] = {
            "status": status,
            "output": str(settings.output),
            "clips": settings.count,
            "start": settings.start,
        }
        form: dict[str, Json] = {"sample_rate_hz": model.sample_rate, "frames": model.frames}
        counts: dict[str, Json] = {}
        if status == "done":
            tally = self.tally
            counts = {"turned_down": tally.turned_down, "without_side": tally.without_side, "silent": tally.silent}
        means: dict[str, Json] = {"encoding": settings.encoding, "device": self.device}
        return Row(GENERATE_SCHEMA, {**place, **self.identity(), **form, **means, **counts})


def generate(settings: GenerateSettings) -> Events:
    """Make clips and yield a row for each and a summary; without a folder, yield the bytes of one WAV file.

    Raises
    ------
    UsageError, BadInputError, MissingError, OutputError, LockedError
        When nothing can be done; nothing is left half-written.
    """
    if settings.output is None and settings.is_dry_run:
        raise UsageError("--dry-run writes nothing, so -o - has nothing to send: give a folder")
    if settings.output is not None:
        check_target(settings.output, _KIND, force=settings.force)
    require(read_config(settings.run).family, "sampler", "generate")
    device = choose_device(settings.device)
    torch.set_num_threads(available_threads())
    generation = _Generation(settings, load_run(settings.run), device)
    if settings.output is None:
        yield from _stream(generation)
        return Status.DONE
    if settings.is_dry_run:
        for index in range(settings.start, settings.start + settings.count):
            path = str(settings.output / _file_name(index))
            yield Row(CLIP_SCHEMA, {"status": "planned", "path": path, "index": index, **generation.identity()})
        yield generation.summary("planned")
        return Status.DONE
    with filling(settings.output, _KIND) as staging:
        # Once more under the lock: another process may have filled the folder since the first look.
        check_target(settings.output, _KIND, force=settings.force)
        yield from _write(generation, staging)
    # Only now are the clips where their rows say: whoever reads the pipe opens them at once.
    with (settings.output / METADATA).open(encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            place = {"status": "done", "path": str(settings.output / fields.pop("file_name"))}
            yield Row(CLIP_SCHEMA, place | fields)
    yield from _warnings(generation.tally)
    yield generation.summary("done")
    return Status.DONE


def _file_name(index: int) -> str:
    return f"{index:06d}.wav"


def _finished(clip: Clip) -> tuple[Clip, float]:
    """Return a clip that ends in silence and within full scale, and the one gain that both channels got for it."""
    if clip.samples[:, -1].any():
        clip = fade(clip, fade_out=FADE_OUT_S)
    highest = peak(clip)
    if highest <= 1.0:
        return clip, 1.0
    # Rounding of the product must not pass full scale either.
    gain = (1.0 - 1e-6) / highest
    return with_gain(clip, gain), gain


def _write(generation: _Generation, staging: Staging) -> Events:
    """Make the clips in the staging folder, a row each in its manifest, and put all of them in place."""
    settings = generation.settings
    for index, clip, gain in generation.clips():
        data = encode(clip, encoding=settings.encoding, dither_seed=generation.dither_seed(index))
        write_file(staging.staged(_file_name(index)), data, durable=False)
        row = {
            "file_name": _file_name(index),
            "index": index,
            **generation.identity(),
            "sample_rate_hz": clip.sample_rate,
            "frames": clip.frames,
            "gain_db": 20.0 * math.log10(gain),
            "peak": peak(clip),
            "has_side": has_side(clip),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        append_file(staging.staged(METADATA), (json.dumps(row, allow_nan=False) + "\n").encode())
        yield _progress(generation)
    names = [_file_name(index) for index in range(settings.start, settings.start + settings.count)]
    # what a clip's bytes depend on beside the run, its seed and its number
    made_by = {"threads": torch.get_num_threads(), "versions": versions() | {"torch": torch.__version__}}
    told = generation.summary("done").fields
    kept = {name: value for name, value in told.items() if name not in ("status", "output")}
    staging.put_in_place(names, {**kept, **made_by})
    return Status.DONE


def _stream(generation: _Generation) -> Events:
    """Yield the bytes of one WAV file, clip after clip."""
    settings, model = generation.settings, generation.run.model
    frames = settings.count * model.frames
    if frames > longest_frames(settings.encoding):
        most = longest_frames(settings.encoding) // model.frames
        raise UsageError(f"-n {settings.count}: one WAV file holds at most {most} of these clips; write to a folder")
    yield Data(wav_header(frames, model.sample_rate, settings.encoding))
    for index, clip, _ in generation.clips():
        yield Data(wav_samples(clip, encoding=settings.encoding, dither_seed=generation.dither_seed(index)))
        yield _progress(generation)
    yield from _warnings(generation.tally)
    return Status.DONE


def _progress(generation: _Generation) -> Progress:
    return Progress("generating", generation.tally.clips, generation.settings.count)


def _warnings(tally: _Tally) -> Iterator[Message]:
    if tally.turned_down:
        yield Message(f"{tally.turned_down} clips passed full scale and were turned down to it (gain_db)")
    if tally.silent:
        yield Message(f"{tally.silent} clips are silent", is_warning=True)
