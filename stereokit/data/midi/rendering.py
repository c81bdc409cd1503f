"""A MIDI file rendered once a side, as files of one length whose notes start on the same samples."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.audio.files import Encoding
from stereokit.audio.levels import loudness_lufs
from stereokit.audio.stereo import has_side
from stereokit.audio.stream import longest_frames, wav_header, wav_samples
from stereokit.data.midi._rounding import sixteen_bits
from stereokit.data.midi.alignment import measure_alignment
from stereokit.data.midi.performance import Performance, Side, perform
from stereokit.data.midi.reader import parse_midi, read_bytes
from stereokit.data.midi.render_settings import MidiTask, Rendering
from stereokit.data.midi.renderer import Renderer
from stereokit.data.midi.song import Song
from stereokit.data.midi.soundfont import open_soundfont
from stereokit.data.midi.synthesis import check_presets
from stereokit.data.preparation import Output, Prepared, output_path
from stereokit.data.text import digest
from stereokit.errors import BadInputError
from stereokit.writing import remove_file, write_file

TARGET_SUFFIX = ".target"
# A render whose loudest sample lies under this is silent: -80 dB.
_SILENT_PEAK = 1e-4
_LARGEST_BYTES = 3 << 29
_BLOCK_FRAMES = 1 << 18
_FRAME_BYTES: dict[Encoding, int] = {"16": 4, "24": 6, "float": 8}


@dataclass(frozen=True)
class _Rendered:
    """A side's samples, float32 of shape (2, T), the gain that they are written with, and columns of its rows."""

    samples: NDArray[np.float32]
    gain: float
    facts: dict[str, object]


def song_id(song: Song) -> str:
    """Return a digest of a song's keys and when they are pressed: the same whatever else its file holds."""
    places = np.rint(song.start * 100.0).astype("<i8")
    return hashlib.blake2b(song.pitch.astype("<i8").tobytes() + places.tobytes(), digest_size=8).hexdigest()


def render_task(task: MidiTask, rendering: Rendering) -> Prepared:
    """Render a file and write a sound file a side, or one a window.

    Raises
    ------
    BadInputError
        When the file cannot be used, lacks notes, is silent on a side, or a render is not aligned with its notes.
    OutputError
        When a sound file cannot be written.
    """
    data = read_bytes(task.source, rendering.limits)
    song = parse_midi(data, rendering.limits)
    if not song.notes:
        raise BadInputError("has no notes")
    if song.seconds / rendering.tempo > rendering.limits.seconds:
        raise BadInputError(
            f"lasts {song.seconds / rendering.tempo:.0f} s: at most {rendering.limits.seconds:g} s are rendered"
        )
    common: dict[str, object] = {
        "midi_sha256": hashlib.sha256(data).hexdigest(),
        "song": song_id(song),
        "notes": song.notes,
        "unended_notes": song.unended,
        "programs": [side.program for side in rendering.sides],
        "renderer": rendering.renderer,
        "renderer_version": rendering.version or None,
        "soundfont": rendering.font.name,
        "soundfont_sha256": rendering.font.sha256,
        "soundfont_licence": rendering.font.licence,
        "tempo": rendering.tempo,
        "is_mono_source": False,
    }
    outputs: list[Output] = []
    try:
        outputs.extend(_written(task, rendering, render_song(song, rendering), common))
    except BaseException:
        for output in outputs:
            remove_file(output_path(task.target, output.name))
        raise
    return Prepared(tuple(outputs))


def render_song(song: Song, rendering: Rendering) -> list[_Rendered]:
    """Render a song once a side, and find the gains.

    Raises
    ------
    BadInputError
        As ``render_task`` does.
    """
    renderer: Renderer = catalog.load("renderer", rendering.renderer)
    performances = [
        perform(
            song, side, sample_rate=rendering.sample_rate, tempo=rendering.tempo, tail=rendering.tail,
            grid=renderer.grid,
        )
        for side in rendering.sides
    ]  # fmt: skip
    _check_size(performances, rendering)
    rendered = [
        _render(performance, side, renderer, rendering)
        for performance, side in zip(performances, rendering.sides, strict=True)
    ]
    return _levelled(rendered, rendering)


def _check_size(performances: list[Performance], rendering: Rendering) -> None:
    """Refuse what no WAV file or memory holds, before it is rendered."""
    frames = performances[0].frames
    size = 8 * frames * len(performances)
    if size > _LARGEST_BYTES or frames > longest_frames(rendering.encoding):
        raise BadInputError(
            f"needs {size / 2**20:.0f} MiB for {len(performances)} renders of {frames / rendering.sample_rate:.0f} s: "
            f"at most {_LARGEST_BYTES >> 20} MiB are taken; render fewer programs at once"
        )
    font = open_soundfont(rendering.font.path)
    for performance in performances:
        check_presets(performance, font)


def _render(performance: Performance, side: Side, renderer: Renderer, rendering: Rendering) -> _Rendered:
    """Render a side and check that it sounds, and that its notes start where they should."""
    what = "with its own programs" if side.program is None else f"as program {side.program}"

    def render(performance: Performance) -> NDArray[np.float32]:
        return renderer.render(performance, rendering.font.path)

    samples = render(performance)
    highest = float(max(samples.max(), -samples.min()))
    if not np.isfinite(highest) or highest < _SILENT_PEAK:
        raise BadInputError(f"is silent {what} (largest sample {highest:.1e})")
    found = measure_alignment(samples, performance, render)
    if found.is_wrong:
        told = "sounds before its first note" if found.is_early else f"runs {found.lags} samples after its notes"
        raise BadInputError(f"is not aligned: its render {what} {told}")
    facts: dict[str, object] = {
        "program": side.program,
        "lag_samples": 0 if found.is_proved else None,
        "attack_samples": found.attack,
        "peak": highest,
    }
    return _Rendered(samples, 1.0, facts)


def _levelled(rendered: list[_Rendered], rendering: Rendering) -> list[_Rendered]:
    """Return the sides with their gains: one for all, times what brings each to the target's loudness if asked for."""
    matching = [1.0] * len(rendered)
    if rendering.match_level and len(rendered) > 1:
        levels = [loudness_lufs(Clip(side.samples, rendering.sample_rate)) for side in rendered]
        if not np.isfinite(levels).all():
            raise BadInputError("is too quiet (under -70 LUFS) for --match-level")
        matching = [10.0 ** ((levels[-1] - level) / 20.0) for level in levels]
    highest = max(float(str(side.facts["peak"])) * gain for side, gain in zip(rendered, matching, strict=True))
    # A hair less, since the product is rounded.
    joint = 10.0 ** (rendering.peak_db / 20.0) / highest * (1.0 - 1e-7)
    levelled = []
    for side, gain in zip(rendered, matching, strict=True):
        facts = {
            **side.facts,
            "peak": float(str(side.facts["peak"])) * gain * joint,
            "gain_db": float(20.0 * np.log10(joint)),
            "level_gain_db": float(20.0 * np.log10(gain)),
        }
        levelled.append(_Rendered(side.samples, gain * joint, facts))
    return levelled


def _written(
    task: MidiTask, rendering: Rendering, rendered: list[_Rendered], common: dict[str, object]
) -> Iterator[Output]:
    """Write the sides and yield what was written; an input names the suffix of its target."""
    last = len(rendered) - 1
    for number, side in enumerate(rendered):
        frames = side.samples.shape[1]
        starts = range(1) if rendering.windows is None else rendering.windows.starts(frames)
        digits = max(4, len(str(len(starts))))
        for index, start in enumerate(starts, start=1):
            window = "" if rendering.windows is None else f"-{index:0{digits}d}"
            target = f"{window}{TARGET_SUFFIX}"
            is_target = number == last > 0
            name = target if is_target else f"{'' if last < 2 else f'-{number + 1}'}{window}"
            facts = {**common, **side.facts, "role": "target" if is_target else "input"}
            if last > 0 and not is_target:
                facts["target"] = target
            length = frames if rendering.windows is None else rendering.windows.frames
            if rendering.windows is not None:
                facts |= {"window": index, "windows": len(starts), "start_frame": start}
            yield _write(task, rendering, name, side, slice(start, start + length), facts)


def _begin_to_store(path: Path) -> None:
    """Have the system begin to bring a file to the disk, so that nobody waits for all of them at the end.

    To say that a file will not be read soon does that, on Linux; elsewhere nothing is said.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _write(  # noqa: PLR0917 - where, how, and what
    task: MidiTask, rendering: Rendering, name: str, side: _Rendered, place: slice, facts: dict[str, object]
) -> Output:
    """Write a stretch of a side, filled up with silence."""
    frames = place.stop - place.start
    there = side.samples[:, place]
    seed = int.from_bytes(digest(task.key + name, size=7))
    header = wav_header(frames, rendering.sample_rate, rendering.encoding)
    # What the render does not fill stays silent.
    data = bytearray(len(header) + frames * _FRAME_BYTES[rendering.encoding])
    data[: len(header)] = header
    if rendering.encoding == "16":
        out = np.frombuffer(data, "<i2", offset=len(header)).reshape(-1, 2)
        sixteen_bits(there, side.gain, seed, out)
    else:
        filled = len(header)
        for start in range(0, there.shape[1], _BLOCK_FRAMES):
            block = (there[:, start : start + _BLOCK_FRAMES] * np.float64(side.gain)).astype(np.float32)
            encoded = wav_samples(Clip(block, rendering.sample_rate), encoding=rendering.encoding)
            data[filled : filled + len(encoded)] = encoded
            filled += len(encoded)
    write_file(output_path(task.target, name), data, durable=False)
    _begin_to_store(output_path(task.target, name))
    facts = {
        **facts,
        "sample_rate_hz": rendering.sample_rate,
        "frames": frames,
        "padded_frames": frames - there.shape[1],
        "has_side": has_side(Clip(there, rendering.sample_rate)),
        "is_limited": False,
    }
    return Output(name, facts, hashlib.sha256(data).hexdigest(), len(data))
