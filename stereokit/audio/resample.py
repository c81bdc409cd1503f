"""Another sample rate, by soxr."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from stereokit.audio.clip import Clip

# HQ rejects what would alias by 135 dB and keeps the band up to 0.91 of half the lower rate.
QUALITY = "HQ"

_LONG_FRAMES, _FRAMES_AT_ONCE = 1 << 20, 1 << 14


def resampled_frames(frames: int, old: int, new: int) -> int:
    """Return how many samples so many at one rate (Hz) become at another: round(frames x new / old), at least 1.

    >>> resampled_frames(44_100, 44_100, 22_050)
    22050
    """
    return max(1, round(frames * new / old))


def resample(clip: Clip, sample_rate: int) -> Clip:
    """Return the clip at another rate (Hz), both channels with one filter.

    Its length is round(T x new / old) samples; at the same rate the clip itself comes back.
    """
    if sample_rate == clip.sample_rate:
        return clip
    frames = resampled_frames(clip.frames, clip.sample_rate, sample_rate)
    samples = np.zeros((2, frames), np.float32)
    if clip.frames > _LONG_FRAMES:
        # In parts, so that there is no copy of the whole on either side.
        starts = range(0, clip.frames, _FRAMES_AT_ONCE)
        parts = (clip.samples[:, start : start + _FRAMES_AT_ONCE].T for start in starts)
        place = 0
        for part in resample_blocks(parts, clip.frames, clip.sample_rate, sample_rate):
            samples[:, place : place + len(part)] = part.T
            place += len(part)
        return Clip(samples, sample_rate)
    converted = soxr.resample(clip.samples.T, clip.sample_rate, sample_rate, quality=QUALITY).T
    kept = min(frames, converted.shape[1])
    samples[:, :kept] = converted[:, :kept]
    return Clip(samples, sample_rate)


def resample_blocks(
    blocks: Iterable[NDArray[np.float32]], frames: int, old: int, new: int
) -> Iterator[NDArray[np.float32]]:
    """Yield what ``resample`` makes of a sound that comes in parts, in parts of other lengths, to the bit.

    Parameters
    ----------
    blocks
        Arrays of shape (n, 2).
    frames
        How many frames they have together.
    old, new
        Rates in Hz.
    """
    if old == new:
        yield from blocks
        return
    missing = resampled_frames(frames, old, new)
    stream = soxr.ResampleStream(old, new, 2, dtype="float32", quality=QUALITY)
    given = 0
    for block in blocks:
        given += len(block)
        part = stream.resample_chunk(block, last=given == frames)[:missing]
        missing -= len(part)
        if len(part):
            yield part
    if given != frames:
        raise ValueError(f"{given} frames came, not {frames}")
    if missing:
        yield np.zeros((missing, 2), np.float32)
