"""One clip on its way into a data set: read, resampled, made stereo, fitted, levelled, written."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, TypeVar

import numpy as np

from stereokit.audio.files import Container, Encoding, encode
from stereokit.audio.levels import peak, with_gain
from stereokit.audio.stereo import has_side
from stereokit.data.degradation._plan import DEFAULT_UNEVENNESS
from stereokit.data.fingerprints import fingerprint
from stereokit.data.fitting import Normalization, fitted, joint_gain
from stereokit.data.pieces import Piece, Slices
from stereokit.data.source_audit import Filters, source_audit
from stereokit.data.source_pieces import pieces_of, sound_of
from stereokit.data.text import digest
from stereokit.data.versions import Version, augmentation, degradation, shared_gain, takes, variants
from stereokit.errors import BadInputError
from stereokit.writing import remove_file, write_file

NearDuplicates = Literal["keep", "group", "drop"]
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
    augment, variants
        What is made of a training clip beside itself, in the words of ``--augment``, and how many; None: nothing.
    degrade, unevenness
        What each clip is degraded by, in the words of ``--degrade``, and how unevenly along the track; None: nothing.
    near_duplicates
        Whether what is the same sound is kept as it comes, grouped in one split, or dropped but for the first.
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
    augment: str | None = None
    variants: int | None = None
    degrade: str | None = None
    unevenness: float = DEFAULT_UNEVENNESS
    near_duplicates: NearDuplicates = "keep"

    @property
    def slices(self) -> Slices | None:
        """How sources are sliced, if they are."""
        if self.slicing is None:
            return None
        return Slices(None if self.slicing == "onsets" else self.slicing, self.overlap)

    @property
    def is_drawn(self) -> bool:
        """Whether the seed decides what is made of a file."""
        return self.augment is not None or self.degrade is not None

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
        The procedural sound: the voice's name, the seed of the set (of what is drawn for files, too), the sound's
        number.
    is_varied
        Its variants are made, not the clip itself.
    """

    key: str
    source: Path | None
    target: Path
    voice: str = ""
    seed: int = 0
    index: int = 0
    is_varied: bool = False


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
    rate = preparation.sample_rate
    sound = None if task.source else sound_of(task.voice, seed=task.seed, index=task.index, sample_rate=rate)
    label, common, pieces = pieces_of(
        task.source, sound, rate=rate, trim_db=preparation.trim_silence, slices=preparation.slices
    )
    outputs: list[Output] = []
    reasons: list[str] = []
    known: bytes | None = None
    try:
        for piece in pieces:
            known = _fingerprint(task, piece, preparation)
            facts = {**common, **piece.facts, **source_audit(piece.recording, piece.source_clip)}
            reason = preparation.filters.reason(facts)
            if reason is None:
                try:
                    for version in _versions(task, piece, preparation):
                        outputs += _make(task, version, facts, preparation)
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
        return Prepared(tuple(outputs), label, dropped_slices=len(reasons), fingerprint=known)
    return Prepared((), label, dropped=_why_dropped(reasons, preparation))


def _why_dropped(reasons: Sequence[str], preparation: Preparation) -> str:
    if len(reasons) > 1:
        return f"all {len(reasons)} slices were left out, the first because it {reasons[0]}"
    return reasons[0] if reasons else f"has nothing over {preparation.trim_silence} dB (--trim-silence)"


def _fingerprint(task: Task, piece: Piece, preparation: Preparation) -> bytes | None:
    """Return what recognises a source, where that is asked for."""
    is_wanted = preparation.near_duplicates != "keep" and not task.is_varied
    return fingerprint(piece.clip) if is_wanted else None


def _versions(task: Task, piece: Piece, preparation: Preparation) -> Iterator[Version]:
    """Yield what a piece gives: itself, or its variants."""
    if task.is_varied and preparation.augment is not None:
        plan = augmentation(preparation.augment, preparation.variants)
        yield from variants(piece.clip, plan, seed=task.seed, key=task.key, name=piece.name)
    else:
        yield piece.name, piece.clip, {} if preparation.augment is None else {"variant": 0}


def _make(task: Task, version: Version, facts: Mapping[str, object], preparation: Preparation) -> Iterator[Output]:
    """Fit, fade, level and write a clip, after its degraded form if there is one; both with one gain.

    Raises
    ------
    BadInputError
        When it cannot be levelled.
    OutputError
        When it cannot be written.
    """
    name, original, drawn = version
    clip = fitted(original, preparation.frames, fade_in=preparation.fade_in, fade_out=preparation.fade_out)
    is_bounded = preparation.encoding != "float"
    gain, is_limited = joint_gain(clip, preparation.normalization, preparation.target, is_bounded=is_bounded)
    plan = None if preparation.degrade is None else degradation(preparation.degrade, preparation.unevenness)
    files = takes(clip, plan, seed=task.seed, key=task.key, name=name)
    gain, is_limited_again = shared_gain(files, gain, is_bounded=is_bounded)
    for file_name, take, told in files:
        levelled = take if gain == 1.0 else with_gain(take, gain)
        data = encode(
            levelled, encoding=preparation.encoding, container=preparation.container,
            dither_seed=int.from_bytes(digest(task.key + file_name, size=8)),
        )  # fmt: skip
        write_file(output_path(task.target, file_name), data, durable=False)
        made: dict[str, object] = {
            "sample_rate_hz": levelled.sample_rate,
            "frames": levelled.frames,
            "padded_frames": max(0, levelled.frames - original.frames),
            "has_side": has_side(levelled),
            "peak": peak(levelled),
            "gain_db": float(20.0 * np.log10(gain)),
            "is_limited": is_limited or is_limited_again,
        }
        yield Output(file_name, {**facts, **drawn, **told, **made}, hashlib.sha256(data).hexdigest(), len(data))
