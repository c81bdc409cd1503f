"""The words of ``stereokit prep`` about a clip, checked."""

import math
from dataclasses import dataclass
from typing import Literal

from stereokit.audio.files import Container, Encoding
from stereokit.data.degradation._plan import DEFAULT_UNEVENNESS
from stereokit.data.fitting import Normalization
from stereokit.data.preparation import DEFAULT_TARGETS, NearDuplicates, Preparation
from stereokit.data.versions import augmentation, degradation
from stereokit.errors import UsageError

# Two channels of float fill half of the 4 GiB that a WAV file can hold.
_LONGEST_FRAMES = 1 << 28
_LOWEST_TARGET_DB = -120.0
_LOWEST_SILENCE_DB, _SILENCE_DB = -200.0, -60.0
# What a FLAC file can say of its rate.
_HIGHEST_FLAC_HZ = 655_350
_MOST_OVERLAP = 0.99


@dataclass(frozen=True)
class ClipWords:
    """The words as they are given; ``Preparation`` says what each means."""

    rate: int = 44_100
    length: float | None = None
    normalize: Normalization = "none"
    target: float | None = None
    bits: Encoding = "16"
    container: Container = "wav"
    is_trimmed: bool = False
    silence: float | None = None
    fade: str | None = None
    slicing: str | None = None
    overlap: float | None = None
    min_side: float | None = None
    max_peak: float | None = None
    is_only_stereo: bool = False
    augment: str | None = None
    variants: int | None = None
    degrade: str | None = None
    uneven: float | None = None
    near_duplicates: NearDuplicates = "keep"


def preparation_of(words: ClipWords) -> Preparation:
    """Check the settings of a clip and return them.

    Raises
    ------
    UsageError
        For one that no clip can have, or that says nothing without another one.
    """
    _check_length("--length", words.length, words.rate)
    if words.container == "flac" and (words.bits == "float" or words.rate > _HIGHEST_FLAC_HZ):
        raise UsageError(f"--format flac: holds 16 or 24 bits at up to {_HIGHEST_FLAC_HZ} Hz")
    if words.min_side is not None and not 0.0 <= words.min_side < math.inf:
        raise UsageError(f"--min-side {words.min_side}: must be 0 or more")
    if words.max_peak is not None and not math.isfinite(words.max_peak):
        raise UsageError(f"--max-peak {words.max_peak}: must be a level in dB")
    fade_in, fade_out = _fades(words.fade)
    return Preparation(
        sample_rate=words.rate, length=words.length, normalization=words.normalize, target=_target(words),
        encoding=words.bits, container=words.container, trim_silence=_silence(words), fade_in=fade_in,
        fade_out=fade_out, slicing=_slicing(words), overlap=_overlap(words), min_side=words.min_side,
        max_peak=words.max_peak, is_only_stereo=words.is_only_stereo, augment=words.augment,
        variants=_variants(words), degrade=words.degrade, unevenness=_unevenness(words),
        near_duplicates=_near_duplicates(words),
    )  # fmt: skip


def _check_length(option: str, length: float | None, rate: int) -> None:
    if length is not None and not 0.5 < length * rate <= _LONGEST_FRAMES:
        raise UsageError(f"{option} {length}: must hold at least one sample, at most {_LONGEST_FRAMES / rate:.0f} s")


def _variants(words: ClipWords) -> int | None:
    if words.augment is None:
        if words.variants is not None:
            raise UsageError("--variants goes with --augment")
        return None
    return augmentation(words.augment, words.variants).count


def _unevenness(words: ClipWords) -> float:
    unevenness = DEFAULT_UNEVENNESS if words.uneven is None else words.uneven
    if words.degrade is not None:
        return degradation(words.degrade, unevenness).unevenness
    if words.uneven is not None:
        raise UsageError("--uneven goes with --degrade")
    return unevenness


def _near_duplicates(words: ClipWords) -> NearDuplicates:
    if words.near_duplicates != "keep" and words.slicing is not None:
        raise UsageError(f"--near-duplicates {words.near_duplicates}: knows whole sources, not slices (--slice)")
    return words.near_duplicates


def _target(words: ClipWords) -> float:
    if words.target is not None and words.normalize == "none":
        raise UsageError("--target goes with --normalize peak or loudness")
    level = DEFAULT_TARGETS[words.normalize] if words.target is None else words.target
    if not _LOWEST_TARGET_DB <= level <= 0.0:
        raise UsageError(f"--target {level}: must be from {_LOWEST_TARGET_DB:.0f} dB to 0 dB")
    return level


def _silence(words: ClipWords) -> float | None:
    if not words.is_trimmed:
        if words.silence is not None:
            raise UsageError("--silence goes with --trim-silence")
        return None
    level = _SILENCE_DB if words.silence is None else words.silence
    if not _LOWEST_SILENCE_DB <= level < 0.0:
        raise UsageError(f"--silence {level}: must be from {_LOWEST_SILENCE_DB:.0f} dB to under 0 dB")
    return level


def _fades(text: str | None) -> tuple[float, float]:
    """Read ``SECONDS``, for both ends, or ``IN,OUT``."""
    if text is None:
        return 0.0, 0.0
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 2) or not all(0.0 <= value < math.inf for value in values):
        raise UsageError(f"--fade {text}: must be SECONDS or IN,OUT, each 0 or more")
    return values[0], values[-1]


def _slicing(words: ClipWords) -> float | Literal["onsets"] | None:
    if words.slicing is None:
        return None
    if words.slicing == "onsets":
        return "onsets"
    try:
        seconds = float(words.slicing)
    except ValueError:
        raise UsageError(f"--slice {words.slicing}: must be SECONDS or onsets") from None
    _check_length("--slice", seconds, words.rate)
    if words.length is not None:
        raise UsageError("--slice SECONDS makes clips of that length: leave --length away")
    return seconds


def _overlap(words: ClipWords) -> float:
    if words.overlap is None:
        return 0.0
    if words.slicing in (None, "onsets"):
        raise UsageError("--overlap goes with --slice SECONDS")
    if not 0.0 <= words.overlap <= _MOST_OVERLAP:
        raise UsageError(f"--overlap {words.overlap}: must be from 0 to {_MOST_OVERLAP}")
    return words.overlap
