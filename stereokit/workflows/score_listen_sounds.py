"""Sounds of a listening study: of one rate and, within a pair, equally loud, so that nothing but the sound tells."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stereokit.audio.blocks import open_blocks
from stereokit.audio.clip import Clip
from stereokit.audio.levels import loudness_lufs, peak, with_gain
from stereokit.audio.resample import resample
from stereokit.errors import BadInputError
from stereokit.serving.sounds import LONGEST_S, playable


@dataclass(frozen=True)
class Heard:
    """A sound as it was found, and whether its file was mono."""

    clip: Clip
    was_mono: bool


def heard(path: Path) -> Heard:
    """Read a whole sound.

    Raises
    ------
    BadInputError
        When it cannot be read, has more than two channels, or is longer than a page can hold.
    """
    sound = open_blocks(path)
    if sound.frames > LONGEST_S * sound.sample_rate:
        raise BadInputError(
            f"lasts {sound.frames / sound.sample_rate:.0f} s: {LONGEST_S:.0f} s at most can be compared"
        )
    # one frame more than there are, so that they come in one part
    (recording,) = sound.read(sound.frames + 1)
    return Heard(recording.to_clip(), recording.channels == 1)


def at_rate(clip: Clip, sample_rate: int) -> Clip:
    """Return a clip at a rate; untouched where it has it."""
    return clip if clip.sample_rate == sample_rate else resample(clip, sample_rate)


def matched_gains_db(clips: Sequence[Clip]) -> list[float]:
    """Return a gain for each clip, 0 dB or less, that makes all as loud as the quietest, and passes no full scale.

    Raises
    ------
    BadInputError
        When one is silent.
    """
    loudness = [loudness_lufs(clip) for clip in clips]
    if not all(map(math.isfinite, loudness)):
        raise BadInputError("is silent: nothing can be made as loud as that")
    target = min(loudness)
    gains = [target - one for one in loudness]
    above = max(20.0 * math.log10(peak(clip)) + gain for clip, gain in zip(clips, gains, strict=True))
    return [gain - max(0.0, above) for gain in gains]


def played(path: Path, *, sample_rate: int, gain_db: float) -> bytes:
    """Return a sound as listeners hear it: a WAV file of 16 bit.

    Raises
    ------
    BadInputError
        When it cannot be read any more.
    """
    clip = at_rate(heard(path).clip, sample_rate)
    return playable(with_gain(clip, 10.0 ** (gain_db / 20.0)))
