"""Compiled twins of what prep measures of each file in NumPy: the same figures in about half of the processor time.

Loading the compiler takes longer than measuring a hundred short files, so that only large sets are worth it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.k_weighting import high_pass, shelf
from stereokit.audio.levels import gated_loudness, peak
from stereokit.audio.stream import Noise
from stereokit.audio.true_peak import BLOCK, ROUNDING, TAPS, interpolator_of, oversampling
from stereokit.data.source_audit import Instruments
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.kernels import kernel, summing_kernel

_CELLS = 1 << 12
# Far under what any sample in single precision leaves in a filter.
_NOTHING = 1e-100
# Outputs between the last sample before the clip and its first one count, and those behind the last one: a block at
# each end has none of the clip's samples, and one more is its neighbour.
_AROUND = 2


def pair_sums(excerpt: Excerpt, clip: Clip) -> tuple[tuple[float, float, float], tuple[float, float]]:
    """Return ``metrics.sums.pair_sums`` in the excerpt's own numbers."""
    left_square, right_square, product, left_sum, right_sum = _sums(clip.samples[0], clip.samples[1])
    # A power of two: what was exact stays so.
    scale = excerpt.full_scale
    square = scale * scale
    return (left_square * square, right_square * square, product * square), (left_sum * scale, right_sum * scale)


@summing_kernel
def _sums(left: NDArray[Any], right: NDArray[Any]) -> tuple[float, float, float, float, float]:
    left_square = right_square = product = left_sum = right_sum = 0.0
    for frame in range(len(left)):
        one, other = np.float64(left[frame]), np.float64(right[frame])
        left_square += one * one
        right_square += other * other
        product += one * other
        left_sum += one
        right_sum += other
    return left_square, right_square, product, left_sum, right_sum


def ranked_differences(left: NDArray[Any], right: NDArray[Any], ranks: Sequence[int]) -> NDArray[np.float64]:
    """Return ``metrics.ranks.ranked_differences``."""
    lowest, highest = _ends(left, right)
    if lowest == highest:
        return np.full(len(ranks), lowest)
    scale = (_CELLS - 1) / (highest - lowest)
    ends = np.cumsum(_counts(left, right, lowest, scale))
    counts = np.diff(ends, prepend=0)
    cells = np.searchsorted(ends, ranks, side="right")
    wanted = np.zeros(_CELLS, np.bool_)
    wanted[cells] = True
    kept = np.empty(int(counts[wanted].sum()))
    _collect(left, right, (lowest, scale), wanted, kept)
    kept.sort()
    # What was left out below a rank shifts its place.
    skipped = np.cumsum(np.where(wanted, 0, counts))
    return np.asarray(kept[np.asarray(ranks) - skipped[cells]])


@summing_kernel
def _ends(left: NDArray[Any], right: NDArray[Any]) -> tuple[float, float]:
    lowest = highest = np.float64(left[0]) - np.float64(right[0])
    for frame in range(len(left)):
        difference = np.float64(left[frame]) - np.float64(right[frame])
        lowest = min(lowest, difference)
        highest = max(highest, difference)
    return lowest, highest


@kernel
def _counts(left: NDArray[Any], right: NDArray[Any], lowest: float, scale: float) -> NDArray[np.int64]:
    counts = np.zeros(_CELLS, np.int64)
    for frame in range(len(left)):
        difference = np.float64(left[frame]) - np.float64(right[frame])
        counts[int((difference - lowest) * scale)] += 1
    return counts


@kernel
def _collect(
    left: NDArray[Any],
    right: NDArray[Any],
    cells: tuple[float, float],
    wanted: NDArray[np.bool_],
    kept: NDArray[np.float64],
) -> None:
    """Keep the differences in wanted cells, given where cells begin and how many there are to one."""
    lowest, scale = cells
    place = 0
    for frame in range(len(left)):
        difference = np.float64(left[frame]) - np.float64(right[frame])
        if wanted[int((difference - lowest) * scale)]:
            kept[place] = difference
            place += 1


def loudness_lufs(clip: Clip) -> float:
    """Return ``audio.levels.loudness_lufs``."""
    rate = clip.sample_rate
    (ahead_0, ahead_1, ahead_2), (_, back_1, back_2) = shelf(rate)
    _, (_, low_1, low_2) = high_pass(rate)
    coefficients = (ahead_0, ahead_1, ahead_2, back_1, back_2, low_1, low_2)

    def sums(hop: int, count: int) -> NDArray[np.float64]:
        found = np.zeros(count)
        _weighted_sums(clip.samples[0], clip.samples[1], coefficients, hop, found)
        return found

    return gated_loudness(clip.frames, rate, sums)


@kernel
def _weighted_sums(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    coefficients: tuple[float, float, float, float, float, float, float],
    hop: int,
    sums: NDArray[np.float64],
) -> None:
    """Add up the squares of both channels, filtered, in stretches of ``hop`` frames."""
    ahead_0, ahead_1, ahead_2, back_1, back_2, low_1, low_2 = coefficients
    # Two numbers of state a filter and channel: of the shelf, then of the high pass, whose own b is 1, -2, 1.
    a_1 = a_2 = b_1 = b_2 = c_1 = c_2 = d_1 = d_2 = 0.0
    for stretch in range(len(sums)):
        total = 0.0
        for frame in range(stretch * hop, min((stretch + 1) * hop, len(left))):
            given = np.float64(left[frame])
            shelved = ahead_0 * given + a_1
            a_1 = (ahead_1 * given + a_2) - back_1 * shelved
            a_2 = ahead_2 * given - back_2 * shelved
            passed = shelved + b_1
            b_1 = (b_2 - 2.0 * shelved) - low_1 * passed
            b_2 = shelved - low_2 * passed
            total += passed * passed
            given = np.float64(right[frame])
            shelved = ahead_0 * given + c_1
            c_1 = (ahead_1 * given + c_2) - back_1 * shelved
            c_2 = ahead_2 * given - back_2 * shelved
            passed = shelved + d_1
            d_1 = (d_2 - 2.0 * shelved) - low_1 * passed
            d_2 = shelved - low_2 * passed
            total += passed * passed
        sums[stretch] = total
        # What is left of a sound long after its end would be numbers so small that processors take a hundred times
        # longer for them.
        if max(abs(a_1), abs(a_2), abs(b_1), abs(b_2), abs(c_1), abs(c_2), abs(d_1), abs(d_2)) < _NOTHING:
            a_1 = a_2 = b_1 = b_2 = c_1 = c_2 = d_1 = d_2 = 0.0


def true_peak(clip: Clip) -> float:
    """Return ``audio.true_peak.true_peak``, by the same bounds."""
    highest = peak(clip)
    factor = oversampling(clip.sample_rate)
    if factor == 1 or highest == 0.0:
        return highest
    filters = interpolator_of(factor)
    blocks = -(-clip.frames // BLOCK) + 2 * _AROUND
    bounds = np.empty((2, blocks - 2))
    for channel in range(2):
        _find_bounds(clip.samples[channel], filters.gain * ROUNDING, filters.bend, bounds[channel])
    channels, blocks_over = np.nonzero(bounds > highest)
    found = bounds[channels, blocks_over]
    order = np.argsort(found)[::-1]
    places = np.stack([channels[order], (blocks_over[order] + 1 - _AROUND) * BLOCK])
    return _highest_between(clip.samples, _transposed(factor), places, found[order], highest)


@lru_cache(maxsize=4)
def _transposed(factor: int) -> NDArray[np.float64]:
    """Return the weights, shape (32, factor - 1)."""
    return np.ascontiguousarray(interpolator_of(factor).weights.T)


@summing_kernel
def _find_bounds(samples: NDArray[np.float32], gain: float, bend: float, bounds: NDArray[np.float64]) -> None:
    """Find what no output of each block can pass, from its samples and those of its neighbours."""
    frames, blocks = len(samples), len(bounds) + 2
    levels, owns, bends = np.zeros(blocks), np.zeros(blocks), np.zeros(blocks)
    for block in range(blocks):
        first = (block - _AROUND) * BLOCK
        level = bent = np.float32(0.0)
        if first >= 1 and first + BLOCK < frames:
            # A part, whose places are known not to be negative: else each would be asked.
            part = samples[first - 1 : first + BLOCK + 1]
            for place in range(1, BLOCK + 1):
                value = abs(part[place])
                level = max(level, value)
            for place in range(1, BLOCK + 1):
                value = abs((part[place + 1] - part[place]) - (part[place] - part[place - 1]))
                bent = max(bent, value)
        else:
            for at in range(first, first + BLOCK):
                before = samples[at - 1] if 0 < at <= frames else np.float32(0.0)
                here = samples[at] if 0 <= at < frames else np.float32(0.0)
                after = samples[at + 1] if -1 <= at < frames - 1 else np.float32(0.0)
                level = max(level, abs(here))
                bent = max(bent, abs((after - here) - (here - before)))
        levels[block], bends[block] = level, bent
        # An output may lie between the last sample and the one after.
        behind = first + BLOCK
        owns[block] = max(level, abs(samples[behind])) if 0 <= behind < frames else level
    for block in range(1, blocks - 1):
        around = max(levels[block - 1], levels[block], levels[block + 1])
        bent_around = max(bends[block - 1], bends[block], bends[block + 1])
        bounds[block - 1] = min((owns[block] + bend * bent_around) * ROUNDING, gain * around)


@kernel
def _highest_between(
    samples: NDArray[np.float32],
    weights: NDArray[np.float64],
    places: NDArray[np.intp],
    bounds: NDArray[np.float64],
    highest: float,
) -> float:
    """Return the larger of ``highest`` and what lies between the samples of blocks, the highest bound first.

    Places are the channels and first frames of the blocks, shape (2, n).
    """
    heard, between = np.zeros(BLOCK + TAPS - 1), np.zeros(BLOCK)
    frames = samples.shape[1]
    for number in range(len(bounds)):
        if bounds[number] <= highest:
            break
        channel, first = places[0, number], places[1, number] - (TAPS // 2 - 1)
        for place in range(len(heard)):
            at = first + place
            heard[place] = samples[channel, at] if 0 <= at < frames else 0.0
        for phase in range(weights.shape[1]):
            between[:] = 0.0
            for tap in range(TAPS):
                weight = weights[tap, phase]
                for place in range(BLOCK):
                    between[place] += weight * heard[place + tap]
            for place in range(BLOCK):
                highest = max(highest, abs(between[place]))
    return highest


def rounded(samples: NDArray[np.float32], steps: float, noise: Noise | None, result: NDArray[np.int16]) -> None:
    """Round as ``audio.stream`` does, to 16 bit."""
    is_drawn = noise is not None and not _is_whole(samples, steps)
    _round_frames(samples, steps, noise() if noise is not None and is_drawn else np.zeros(len(result)), result)


@kernel
def _is_whole(samples: NDArray[np.float32], steps: float) -> bool:
    for frame in range(samples.shape[1]):
        for channel in range(2):
            value = np.float64(samples[channel, frame]) * steps
            if value != np.rint(value):
                return False
    return True


@kernel
def _round_frames(
    samples: NDArray[np.float32], steps: float, noise: NDArray[np.float64], result: NDArray[np.int16]
) -> None:
    """Round (2, T) to whole steps, shape (T, 2), with noise where a frame is not whole."""
    left, right = samples[0], samples[1]
    for frame in range(len(left)):
        one, other = np.float64(left[frame]) * steps, np.float64(right[frame]) * steps
        is_whole = (np.rint(one) == one) & (np.rint(other) == other)
        added = 0.0 if is_whole else noise[frame]
        result[frame, 0] = np.int16(min(max(np.rint(one + added), -steps), steps - 1.0))
        result[frame, 1] = np.int16(min(max(np.rint(other + added), -steps), steps - 1.0))


COMPILED = Instruments(pair_sums, ranked_differences, true_peak, loudness_lufs, rounded)
