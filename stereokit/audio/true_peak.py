"""The highest level between the samples, where a converter or a resampler will meet it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stereokit.audio.clip import Clip

# ITU-R BS.1770-4, annex 2, looks at a sound of 48 kHz at 192 kHz.
_TWICE_FROM_HZ, _ONCE_FROM_HZ = 96_000, 192_000

# Within 0.03 dB up to 0.45 of the rate.
TAPS, _SHAPE = 32, 5.0
# Looked at in blocks, so many of them together that the processor has them at hand; filtered so many at once.
BLOCK, _BLOCKS_TOGETHER, _BLOCKS_AT_ONCE = 32, 256, 128

# Whatever is rounded on the way: what is above must stay above.
ROUNDING = 1.0 + 1e-5


class Interpolator(NamedTuple):
    """Filters for the places between two samples.

    Attributes
    ----------
    weights
        Shape (factor - 1, 32), float64: a row a place between two samples; weight k of 32 is of sample k - 15, sample 0
        being the one before the place.
    taps
        Shape (63, 32 (factor - 1)): the same, so that a block and what is around it gives all that lies between its
        samples.
    gain
        The largest sum of absolute taps: no output is further over the input.
    bend
        The largest sum of absolute weights with which second differences add to what lies on the straight line
        between the two samples.
    """

    weights: NDArray[np.float64]
    taps: NDArray[np.float64]
    gain: float
    bend: float


def true_peak(clip: Clip) -> float:
    """Return the largest absolute level of both channels at and between the samples, full scale 1.

    Four times oversampled below 96 kHz, twice below 192 kHz, by a windowed sinc of 32 taps where the standard prints
    one of 12; before and after the clip there is silence. A steady tone of up to 0.45 of the rate is met to 0.7 dB
    (the peak may fall between two of the new samples), at a quarter of the rate to 0.01 dB.

    Where a bound on the filter's output shows that no new peak can be, the filter is left out, so that most clips
    cost little more than looking for their sample peak.
    """
    highest = _level(clip.samples)
    factor = oversampling(clip.sample_rate)
    if factor == 1 or highest == 0.0:
        return highest
    return highest * _largest_ratio(clip.samples, interpolator_of(factor), highest)


def oversampling(sample_rate: int) -> int:
    """Return at how many times a rate (Hz) a sound is looked at: 4, 2 or 1.

    >>> [oversampling(rate) for rate in (48_000, 96_000, 192_000)]
    [4, 2, 1]
    """
    if sample_rate >= _ONCE_FROM_HZ:
        return 1
    return 2 if sample_rate >= _TWICE_FROM_HZ else 4


@lru_cache(maxsize=4)
def interpolator_of(factor: int) -> Interpolator:
    """Return the filters of an oversampling, 2 or 4."""
    places = np.arange(1, factor)[:, None] / factor
    offsets = np.arange(TAPS) - (TAPS // 2 - 1)
    distances = offsets - places
    window = np.i0(_SHAPE * np.sqrt(np.maximum(1.0 - (distances / (TAPS / 2)) ** 2, 0.0))) / np.i0(_SHAPE)
    taps = np.sinc(distances) * window
    taps /= taps.sum(axis=1, keepdims=True)
    # What is left of a filter of sum 1 without the straight line with its first moment is a weighing of second
    # differences: its sums of sums.
    moments = taps @ offsets
    rest = taps.copy()
    rest[:, TAPS // 2 - 1] -= 1.0 - moments
    rest[:, TAPS // 2] -= moments
    bend = np.abs(np.cumsum(np.cumsum(rest, axis=1), axis=1)).sum(axis=1).max()
    shifted = np.zeros((BLOCK + TAPS - 1, BLOCK, factor - 1))
    for place in range(BLOCK):
        shifted[place : place + TAPS, place] = taps.T
    return Interpolator(taps, shifted.reshape(len(shifted), -1), float(np.abs(taps).sum(axis=1).max()), float(bend))


def _largest_ratio(samples: NDArray[np.float32], interpolator: Interpolator, level: float) -> float:
    """Return the filters' largest output over the largest sample; 1 if it is less.

    Parameters
    ----------
    samples
        Shape (channels, T).
    interpolator
        The filters.
    level
        Of the largest sample.
    """
    channels, frames = samples.shape
    length = _BLOCKS_TOGETHER * BLOCK
    # Each stretch hears a block before and behind it; a block before the clip and one behind it count, too.
    starts = range(-2 * BLOCK, frames, length)
    heard = [samples[:, max(0, start) : start + length + 2 * BLOCK] for start in starts]
    tops = [_level(part) / level for part in heard]
    highest = 1.0
    # The loudest first: what it gives spares others the filter.
    for place in sorted(range(len(tops)), key=tops.__getitem__, reverse=True):
        if tops[place] * interpolator.gain * ROUNDING <= highest:
            break
        padded = np.zeros((channels, length + 2 * BLOCK))
        first = max(0, -starts[place])
        np.divide(heard[place], level, out=padded[:, first : first + heard[place].shape[1]], dtype=np.float64)
        highest = _highest_between(padded, interpolator, highest)
    return highest


def _level(samples: NDArray[np.float32]) -> float:
    """Return the largest absolute sample, without a copy; an axis at a time, which goes through vector registers."""
    highest, lowest = samples.max(axis=1, initial=0.0), samples.min(axis=1, initial=0.0)
    return max(float(highest.max()), -float(lowest.min()))


def _highest_between(padded: NDArray[np.float64], interpolator: Interpolator, highest: float) -> float:
    """Return the larger of ``highest`` and what the filters give in all blocks but the first and last."""
    bounds = _bounds(padded, interpolator)
    # A block's outputs lie between its samples and the one after; they hear 15 samples before and 16 after.
    reach = BLOCK + TAPS - 1
    windows = sliding_window_view(padded, reach, axis=1)[:, BLOCK - (TAPS // 2 - 1) :: BLOCK]
    channel, block = np.nonzero(bounds > highest)
    order = np.argsort(bounds[channel, block])[::-1]
    channel, block = channel[order], block[order]
    for start in range(0, len(order), _BLOCKS_AT_ONCE):
        part = slice(start, start + _BLOCKS_AT_ONCE)
        if bounds[channel[start], block[start]] <= highest:
            break
        between = windows[channel[part], block[part]] @ interpolator.taps
        highest = max(highest, float(between.max()), -float(between.min()))
    return highest


def _bounds(padded: NDArray[np.float64], interpolator: Interpolator) -> NDArray[np.float64]:
    """Return what no output of each block but the first and last can pass, shape (channels, blocks - 2)."""
    level = np.abs(padded)
    bent = np.zeros_like(padded)
    np.abs(np.diff(padded, 2, axis=1), out=bent[:, 1:-1])
    level_of_blocks, bent_of_blocks = _highest_of_blocks(level), _highest_of_blocks(bent)
    around_level, around_bent = _with_neighbours(level_of_blocks), _with_neighbours(bent_of_blocks)
    # The sample after a block belongs to it, too.
    own = np.maximum(level_of_blocks[:, 1:-1], level[:, 2 * BLOCK :: BLOCK])
    bound: NDArray[np.float64] = np.minimum(own + interpolator.bend * around_bent, interpolator.gain * around_level)
    return bound * ROUNDING


def _highest_of_blocks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Pair by pair, which goes through vector registers; along an axis of 32 it would not.
    for _ in range(BLOCK.bit_length() - 1):
        values = np.maximum(values[:, ::2], values[:, 1::2])
    return values


def _with_neighbours(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(np.maximum(blocks[:, :-2], blocks[:, 1:-1]), blocks[:, 2:])
