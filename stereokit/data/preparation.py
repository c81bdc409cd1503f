"""One clip on its way into a data set: read, resampled, made stereo, fitted, levelled, written."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, TypeVar

import numpy as np

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.audio.envelope import fit_length
from stereokit.audio.files import Encoding, encode, read
from stereokit.audio.levels import loudness_lufs, peak, with_gain
from stereokit.audio.resample import resample
from stereokit.audio.stereo import has_side
from stereokit.data.synth._voice import make_sound
from stereokit.data.text import digest
from stereokit.errors import BadInputError
from stereokit.writing import write_file

Place = TypeVar("Place", bound=PurePath)
Normalization = Literal["none", "peak", "loudness"]
DEFAULT_TARGETS: dict[Normalization, float] = {"none": 0.0, "peak": -1.0, "loudness": -23.0}

# A cut end falls to silence over this long.
FADE_OUT_S = 0.010


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
        Of the WAV files.
    """

    sample_rate: int = 44_100
    length: float | None = None
    normalization: Normalization = "none"
    target: float = 0.0
    encoding: Encoding = "16"


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
        Why a filter left the clip out, or None.
    fingerprint
        What recognises the same sound in another file, or None.
    """

    outputs: tuple[Output, ...]
    label: str | None = None
    dropped: str | None = None
    fingerprint: bytes | None = None


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
    facts: dict[str, object]
    label = None
    if task.source is None:
        voice = catalog.load("synth", task.voice)
        sound = make_sound(voice, seed=task.seed, index=task.index, sample_rate=preparation.sample_rate)
        clip, label, facts = sound.clip, sound.label, {**sound.facts, "is_mono_source": False}
    else:
        recording = read(task.source)
        clip = resample(recording.to_clip(), preparation.sample_rate)
        facts = {
            "is_mono_source": recording.channels == 1,
            "source_rate_hz": recording.sample_rate,
            "source_frames": recording.frames,
            "source_encoding": recording.subtype,
        }
    if preparation.length is not None:
        clip = fit_length(clip, round(preparation.length * preparation.sample_rate), fade_out=FADE_OUT_S)
    gain, is_limited = _gain(clip, preparation)
    if gain != 1.0:
        clip = with_gain(clip, gain)
    dither_seed = int.from_bytes(digest(task.key, size=8))
    data = encode(clip, encoding=preparation.encoding, dither_seed=dither_seed)
    write_file(task.target, data, durable=False)
    facts |= {
        "sample_rate_hz": clip.sample_rate,
        "frames": clip.frames,
        "has_side": has_side(clip),
        "peak": peak(clip),
        "gain_db": float(20.0 * np.log10(gain)),
        "is_limited": is_limited,
    }
    return Prepared((Output("", facts, hashlib.sha256(data).hexdigest(), len(data)),), label)


def _gain(clip: Clip, preparation: Preparation) -> tuple[float, bool]:
    """Return the joint gain, and whether full scale (not the target) set it.

    Integers end at full scale: what would pass it is turned down as a whole, never clipped.
    """
    highest = peak(clip)
    if not np.isfinite(highest):
        raise BadInputError("passes the range of float samples when it is resampled")
    if highest == 0.0:
        return 1.0, False
    gain = 1.0
    if preparation.normalization == "peak":
        gain = 10.0 ** (preparation.target / 20.0) / highest
    elif preparation.normalization == "loudness":
        loudness = loudness_lufs(clip)
        if not np.isfinite(loudness):
            raise BadInputError("is too quiet (under -70 LUFS) for --normalize loudness")
        gain = 10.0 ** ((preparation.target - loudness) / 20.0)
    if preparation.encoding == "float" or gain * highest <= 1.0:
        return gain, False
    # Rounding of the product must not pass full scale either.
    return (1.0 - 1e-6) / highest, True
