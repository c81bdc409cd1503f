"""The side signal's spread: side distance, its short-time form, and the narrow/wide class of a clip.

The side signal is s = (L - R) / sqrt(2). Side distance D is how far s spreads: its 95 % quantile less its 5 %
quantile, interpolated linearly (reference: the stereo-image paper, equations 1 and 2, with its robustness remark).
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.ranks import ranked_differences
from stereokit.metrics.sums import inner
from stereokit.metrics.windows import map_windows, window_samples

LOW_QUANTILE = 0.05

# From here on counting floats is faster than cutting copies of them; integers are small and cut fast.
_LONG_FRAMES = 1 << 19


# The block method needs windows of exactly four blocks.
_BLOCKS_A_WINDOW = 4
_WINDOWS_AT_ONCE = 256

# Three segments of a 0.36 s stab, in samples at 44.1 kHz; std(s) above the threshold is wide.
_SEGMENTS = (0, 2940, 8820, 15872)
_SEGMENT_RATE_HZ = 44_100
WIDE_THRESHOLD = 0.125


def _ranks(count: int) -> tuple[int, float]:
    """Split the 5 % quantile's place among ``count`` sorted values into a rank and a fraction."""
    place = LOW_QUANTILE * (count - 1)
    return int(place), place - int(place)


def _spread(lowest: NDArray[Any], highest: NDArray[Any], fraction: float) -> NDArray[np.float64]:
    """Interpolate the upper less the lower quantile, given two order statistics from each end.

    ``lowest`` and ``highest`` have shape (n, 2), the value nearer to the end of the distribution first.
    """
    low, high = lowest.astype(np.float64), highest.astype(np.float64)
    return (high[:, 0] + fraction * (high[:, 1] - high[:, 0])) - (low[:, 0] + fraction * (low[:, 1] - low[:, 0]))


def _sorted_spread(windows: NDArray[Any]) -> NDArray[np.float64]:
    """Return the quantile spread of each row of (n, W) by sorting the rows."""
    count = windows.shape[1]
    rank, fraction = _ranks(count)
    ordered = np.sort(windows, axis=1)
    inner = min(rank + 1, count - 1)
    lowest = ordered[:, [rank, inner]]
    highest = ordered[:, [count - 1 - rank, count - 1 - inner]]
    return _spread(lowest, highest, fraction)


def _block_spread(signal: NDArray[Any], hop: int) -> NDArray[np.float64]:
    """Return the quantile spread of windows of four hops, of a whole number of hops: each hop block is sorted once.

    The k lowest of two ascending k-lists A and B are, as a set, min(A[i], B[k-1-i]), so the kth lowest is the largest
    of these. Neighbouring blocks are merged into pairs and pairs of pairs into windows without ever looking at a
    sample twice. Both ends of the distribution go through this as one array, the upper one mirrored.
    """
    rank, fraction = _ranks(_BLOCKS_A_WINDOW * hop)
    kept = rank + 2
    blocks = np.sort(signal.reshape(-1, hop), axis=1)
    pairs = np.empty((2, len(blocks) - 1, kept), blocks.dtype)
    np.minimum(blocks[:-1, :kept], blocks[1:, kept - 1 :: -1], out=pairs[0])
    np.maximum(blocks[:-1, -kept:], blocks[1:, : -kept - 1 : -1], out=pairs[1])
    # ~x, which is -1 - x, mirrors integers without overflow.
    mirror, mirror_of_zero = (np.invert, -1) if blocks.dtype.kind == "i" else (np.negative, 0)
    mirror(pairs[1], out=pairs[1])
    pairs.sort(axis=-1)
    # Windows side by side fill vector registers; ranks side by side would not.
    ranks = np.ascontiguousarray(pairs.transpose(2, 0, 1))
    first, second = ranks[..., :-2], ranks[::-1, :, 2:]
    outer = np.minimum(first, second).max(axis=0)
    inner = np.minimum(first[:-1], second[1:]).max(axis=0)
    low, mirrored = inner + fraction * np.subtract(outer, inner, dtype=np.float64)
    return np.asarray(mirror_of_zero - mirrored - low)


def _block_spreads(signal: NDArray[Any], hop: int) -> NDArray[np.float64]:
    """Return ``_block_spread`` of some windows at a time, which stay in the processor's own memory."""
    result = np.empty(len(signal) // hop - _BLOCKS_A_WINDOW + 1)
    for start in range(0, len(result), _WINDOWS_AT_ONCE):
        part = result[start : start + _WINDOWS_AT_ONCE]
        stop = start + len(part) + _BLOCKS_A_WINDOW - 1
        part[:] = _block_spread(signal[start * hop : stop * hop], hop)
    return result


def side_distance(excerpt: Excerpt, *, is_full: bool = False) -> float:
    """Return D of the whole clip, full scale ±1: 0 or more, at most 2 sqrt(2) for samples within full scale.

    ``is_full`` takes maximum less minimum instead of the quantiles.
    """
    if not excerpt.has_side:
        return 0.0
    if excerpt.left.dtype != np.int16 and excerpt.frames >= _LONG_FRAMES:
        return _long_side_distance(excerpt, is_full=is_full)
    difference = excerpt.difference
    if is_full:
        return (float(difference.max()) - float(difference.min())) * excerpt.side_scale
    rank, fraction = _ranks(len(difference))
    inner = min(rank + 1, len(difference) - 1)
    # One cut at each end is several times faster than sorting all of it or asking for four ranks at once.
    cut = np.partition(difference, inner)
    lowest = np.array([[cut[: rank + 1].max(), cut[inner]]])
    outer = len(cut) - 1 - inner
    cut.partition(outer)
    highest = np.array([[cut[len(cut) - 1 - rank :].min(), cut[outer]]])
    return float(_spread(lowest, highest, fraction)[0]) * excerpt.side_scale


def _long_side_distance(excerpt: Excerpt, *, is_full: bool) -> float:
    """Return the same, without a copy of the signal."""
    last = excerpt.frames - 1
    rank, fraction = (0, 0.0) if is_full else _ranks(excerpt.frames)
    inner_rank = min(rank + 1, last)
    places = [rank, inner_rank, last - rank, last - inner_rank]
    found = ranked_differences(excerpt.left, excerpt.right, places).reshape(2, 1, 2)
    return float(_spread(found[0], found[1], fraction)[0]) * excerpt.side_scale


def short_time_side_distance(excerpt: Excerpt, *, is_full: bool = False) -> NDArray[np.float64]:
    """Return D of each window, shape (n,): 40 ms windows every 10 ms.

    Exact to 1e-12 against NumPy's quantile in float64. A clip shorter than a window has one value.
    """
    if not is_full:
        return short_time_side_distances([excerpt])[0]
    if not excerpt.has_side:
        return _no_spread(excerpt)
    return map_windows(_extent, excerpt, excerpt.difference) * excerpt.side_scale


def short_time_side_distances(excerpts: Sequence[Excerpt]) -> list[NDArray[np.float64]]:
    """Return ``short_time_side_distance`` of each clip.

    Short clips of one rate and number format are joined, and what lies across a seam is left out: the calls
    into NumPy, which take as long as the work on one clip of half a second, are then shared.
    """
    results: dict[int, NDArray[np.float64]] = {}
    joined: defaultdict[tuple[int, np.dtype[Any]], list[int]] = defaultdict(list)
    for number, excerpt in enumerate(excerpts):
        window, hop = window_samples(excerpt.sample_rate)
        if not excerpt.has_side:
            results[number] = _no_spread(excerpt)
        elif window == _BLOCKS_A_WINDOW * hop and excerpt.frames >= window and hop >= _BLOCKS_A_WINDOW:
            joined[hop, excerpt.difference.dtype].append(number)
        else:
            results[number] = map_windows(_sorted_spread, excerpt, excerpt.difference) * excerpt.side_scale
    for (hop, _), numbers in joined.items():
        clips = [excerpts[number] for number in numbers]
        spreads = _joined_spreads([clip.difference for clip in clips], hop)
        for number, clip, spread in zip(numbers, clips, spreads, strict=True):
            results[number] = spread * clip.side_scale
    return [results[number] for number in range(len(excerpts))]


def _joined_spreads(signals: Sequence[NDArray[Any]], hop: int) -> list[NDArray[np.float64]]:
    """Return ``_block_spreads`` of each of some signals, of a window or more."""
    blocks = [len(signal) // hop for signal in signals]
    whole = [signal[: count * hop] for signal, count in zip(signals, blocks, strict=True)]
    spreads = _block_spreads(whole[0] if len(whole) == 1 else np.concatenate(whole), hop)
    starts = [0, *accumulate(blocks)]
    return [spreads[start : stop - _BLOCKS_A_WINDOW + 1] for start, stop in pairwise(starts)]


def _no_spread(excerpt: Excerpt) -> NDArray[np.float64]:
    """Return a zero for each window."""
    window, hop = window_samples(excerpt.sample_rate)
    return np.zeros(max(1, (excerpt.frames - window) // hop + 1))


def _extent(windows: NDArray[Any]) -> NDArray[np.float64]:
    """Return maximum less minimum of each row, without the overflow that integers would have."""
    return np.asarray(np.subtract(windows.max(axis=1), windows.min(axis=1), dtype=np.float64))


def segment_bounds(sample_rate: int) -> list[int]:
    """Return the four frames that bound the three segments of an image class.

    >>> segment_bounds(44_100)
    [0, 2940, 8820, 15872]
    """
    return [round(bound * sample_rate / _SEGMENT_RATE_HZ) for bound in _SEGMENTS]


def image_class(excerpt: Excerpt) -> str:
    """Return three letters, N (narrow) or W (wide), for the three segments of a stab.

    A segment is wide where the standard deviation of s is above 0.125. The bounds 2940, 8820 and 15872 at
    44.1 kHz scale with the rate; a clip that ends earlier is narrow where it is over.

    >>> quiet = np.zeros(17_640, np.int16)
    >>> image_class(Excerpt(quiet, quiet, 44_100, 32768.0))
    'NNN'
    """
    if not excerpt.has_side:
        return "NNN"
    bounds = segment_bounds(excerpt.sample_rate)
    if excerpt.left.dtype == np.int16:
        # Small, and known already where a clip has been judged.
        side = excerpt.difference[: bounds[-1]].astype(np.float64)
    else:
        side = np.subtract(excerpt.left[: bounds[-1]], excerpt.right[: bounds[-1]], dtype=np.float64)
    letters = []
    for start, end in pairwise(bounds):
        segment = side[start:end]
        # One pass: where the mean is nearly all there is, the threshold is as far away as full scale allows.
        mean_square, mean = inner(segment, segment) / max(len(segment), 1), float(segment.sum()) / max(len(segment), 1)
        deviation = math.sqrt(max(mean_square - mean * mean, 0.0)) * excerpt.side_scale
        letters.append("W" if deviation > WIDE_THRESHOLD else "N")
    return "".join(letters)
