"""One clip on its way into a data set: read, resampled, made stereo, fitted, levelled, written."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, TypeVar

import numpy as np

from stereokit import catalog
from stereokit.audio.blocks import blocks_of, open_blocks
from stereokit.audio.clip import Recording
from stereokit.audio.files import Container, Encoding, encode, read
from stereokit.audio.levels import peak, with_gain
from stereokit.audio.stereo import has_side
from stereokit.data.fitting import Normalization, fitted, joint_gain
from stereokit.data.pieces import Piece, Slices, sliced, whole
from stereokit.data.source_audit import Filters, source_audit
from stereokit.data.synth._voice import make_sound
from stereokit.data.text import digest
from stereokit.errors import BadInputError
from stereokit.writing import remove_file, write_file

Place = TypeVar("Place", bound=PurePath)
DEFAULT_TARGETS: dict[Normalization, float] = {"none": 0.0, "peak": -1.0, "loudness": -23.0}


@dataclass(frozen=True)
class Preparation:
    """What is done to every clip.

    Attributes
    ----------
    sample_rate
        Hz, of the data set.
    length
        Seconds; clips are cut or padded to round(length x rate) samples. None keeps each clip's own.
    normalization
        ``none``, ``peak`` or ``loudness``: one gain for both channels, so that the image stays.
    target
        dB of full scale for the peak, LUFS for the loudness.
    encoding
        Of the samples.
    container
        ``wav``, or ``flac`` for integers.
    trim_silence
        dB of full scale: what lies under it at both ends of a source is left out. None keeps it.
    fade_in, fade_out
        Seconds over which a clip's start rises from silence and its end falls to it.
    slicing
        Seconds of a window, or ``onsets``: a source gives several clips. None keeps it in one.
    overlap
        The share of a window that it has in common with the next one, in [0, 1).
    min_side, max_peak, is_only_stereo
        Filters on the source: the least side distance, the highest true peak in dB, and whether what is one channel
        is left out.
    """

    sample_rate: int = 44_100
    length: float | None = None
    normalization: Normalization = "none"
    target: float = 0.0
    encoding: Encoding = "16"
    container: Container = "wav"
    trim_silence: float | None = None
    fade_in: float = 0.0
    fade_out: float = 0.0
    slicing: float | Literal["onsets"] | None = None
    overlap: float = 0.0
    min_side: float | None = None
    max_peak: float | None = None
    is_only_stereo: bool = False

    @property
    def slices(self) -> Slices | None:
        """How sources are sliced, if they are."""
        if self.slicing is None:
            return None
        return Slices(None if self.slicing == "onsets" else self.slicing, self.overlap)

    @property
    def frames(self) -> int | None:
        """To how many samples clips are cut or padded; None for each clip's own."""
        window = None if self.slices is None else self.slices.window(self.sample_rate)
        return window if self.length is None else round(self.length * self.sample_rate)

    @property
    def filters(self) -> Filters:
        """What leaves clips out."""
        return Filters(self.min_side, self.max_peak, self.is_only_stereo)


@dataclass(frozen=True)
class Task:
    """One clip to make.

    Attributes
    ----------
    key
        Its name among the sources; it seeds the dither.
    source
        The file to read, or None for a procedural sound.
    target
        Where the clip is written.
    voice, seed, index
        The procedural sound: the voice's name, the seed of the set, the sound's number.
    """

    key: str
    source: Path | None
    target: Path
    voice: str = ""
    seed: int = 0
    index: int = 0


@dataclass(frozen=True)
class Output:
    """One file that a task gave.

    Attributes
    ----------
    name
        What its name has after the stem of the task's target: empty for the only one.
    facts
        Columns of its metadata row.
    sha256
        Of the file's bytes.
    size
        In bytes.
    """

    name: str
    facts: dict[str, object]
    sha256: str
    size: int


@dataclass(frozen=True)
class Prepared:
    """What became of a task.

    Attributes
    ----------
    outputs
        The files that it gave, none when it was dropped.
    label
        A procedural sound's own label.
    dropped
        Why nothing is left of it, by a filter or because it is silent, or None.
    dropped_slices
        How many of its slices were left out where others are kept.
    fingerprint
        What recognises the same sound in another file, or None.
    """

    outputs: tuple[Output, ...]
    label: str | None = None
    dropped: str | None = None
    fingerprint: bytes | None = None
    dropped_slices: int = 0


def output_path(target: Place, name: str) -> Place:
    """Return where the output of this name lies, given the task's target.

    >>> output_path(PurePath("train/a.wav"), "-0001").as_posix()
    'train/a-0001.wav'
    """
    return target.with_name(f"{target.stem}{name}{target.suffix}")


def prepare(task: Task, preparation: Preparation) -> Prepared:
    """Make one clip and write it.

    Raises
    ------
    BadInputError
        When the source cannot be used.
    OutputError
        When the clip cannot be written.
    """
    label, common, pieces = _pieces(task, preparation)
    outputs: list[Output] = []
    reasons: list[str] = []
    try:
        for piece in pieces:
            facts = {**common, **piece.facts, **source_audit(piece.recording, piece.source_clip)}
            reason = preparation.filters.reason(facts)
            if reason is None:
                try:
                    outputs.append(_make(task, piece, facts, preparation))
                except BadInputError as error:
                    # One slice of many is no reason to refuse the rest.
                    if not piece.name:
                        raise
                    reason = str(error)
            if reason is not None:
                reasons.append(reason)
    except BaseException:
        for output in outputs:
            remove_file(output_path(task.target, output.name))
        raise
    if outputs:
        return Prepared(tuple(outputs), label, dropped_slices=len(reasons))
    silent = f"has nothing over {preparation.trim_silence} dB (--trim-silence)"
    dropped = reasons[0] if reasons else silent
    if len(reasons) > 1:
        dropped = f"all {len(reasons)} slices were left out, the first because it {dropped}"
    return Prepared((), label, dropped=dropped)


def _pieces(task: Task, preparation: Preparation) -> tuple[str | None, dict[str, object], Iterator[Piece]]:
    """Return a procedural sound's label, what all clips of a source have in common, and the pieces of it."""
    rate, trim_db = preparation.sample_rate, preparation.trim_silence
    if task.source is None:
        sound = make_sound(catalog.load("synth", task.voice), seed=task.seed, index=task.index, sample_rate=rate)
        recording = Recording(sound.clip.samples.T, rate, "FLOAT")
        return sound.label, {**sound.facts, "is_mono_source": False}, whole(recording, rate, trim_db)
    slices = preparation.slices
    if slices is None:
        recording = read(task.source)
        pieces = whole(recording, rate, trim_db)
        found, subtype = blocks_of(recording), recording.subtype
    else:
        found = open_blocks(task.source)
        subtype = found.subtype
        pieces = sliced(found, rate, trim_db, slices)
    common: dict[str, object] = {
        "is_mono_source": found.channels == 1,
        "source_rate_hz": found.sample_rate,
        "source_frames": found.frames,
        "source_encoding": subtype,
    }
    return None, common, pieces


def _make(task: Task, piece: Piece, facts: Mapping[str, object], preparation: Preparation) -> Output:
    """Fit, fade, level and write a clip.

    Raises
    ------
    BadInputError
        When it cannot be levelled.
    OutputError
        When it cannot be written.
    """
    clip = fitted(piece.clip, preparation.frames, fade_in=preparation.fade_in, fade_out=preparation.fade_out)
    gain, is_limited = joint_gain(
        clip, preparation.normalization, preparation.target, is_bounded=preparation.encoding != "float"
    )
    if gain != 1.0:
        clip = with_gain(clip, gain)
    dither_seed = int.from_bytes(digest(task.key + piece.name, size=8))
    data = encode(clip, encoding=preparation.encoding, dither_seed=dither_seed, container=preparation.container)
    write_file(output_path(task.target, piece.name), data, durable=False)
    made: dict[str, object] = {
        "sample_rate_hz": clip.sample_rate,
        "frames": clip.frames,
        "padded_frames": max(0, clip.frames - piece.clip.frames),
        "has_side": has_side(clip),
        "peak": peak(clip),
        "gain_db": float(20.0 * np.log10(gain)),
        "is_limited": is_limited,
    }
    return Output(piece.name, {**facts, **made}, hashlib.sha256(data).hexdigest(), len(data))
