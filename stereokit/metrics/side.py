"""The side signal's spread: side distance, its short-time form, and the narrow/wide class of a clip.

The side signal is s = (L - R) / sqrt(2). Side distance D is how far s spreads: its 95 % quantile less its 5 %
quantile, interpolated linearly (reference: the stereo-image paper, equations 1 and 2, with its robustness remark).
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.windows import map_windows, window_samples

LOW_QUANTILE = 0.05

# The block method needs windows of exactly four blocks.
_BLOCKS_A_WINDOW = 4
_WINDOWS_AT_ONCE = 128

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


def _innermost_of_windows(pairs: NDArray[Any]) -> NDArray[Any]:
    """Return the two highest of the k lowest values over each run of four neighbouring blocks.

    Parameters
    ----------
    pairs
        Shape (..., blocks - 1, k): the k lowest values of each two neighbouring blocks, in any order; sorted in place.

    Returns
    -------
    ndarray
        Shape (..., blocks - 3, 2): the k-1th and kth lowest of each window.
    """
    kept = pairs.shape[-1]
    pairs.sort(axis=-1)
    windows = np.minimum(pairs[..., :-2, :], pairs[..., 2:, ::-1])
    # One value alone stays above this rank: the last.
    windows.partition(kept - 2, axis=-1)
    innermost: NDArray[Any] = windows[..., kept - 2 :]
    return innermost


def _block_spread(signal: NDArray[Any], hop: int) -> NDArray[np.float64]:
    """Return the quantile spread of windows of four hops, of a whole number of hops: each hop block is sorted once.

    The k lowest of two ascending k-lists A and B are, as a set, min(A[i], B[k-1-i]). So neighbouring blocks are merged
    into pairs and pairs of pairs into windows without ever looking at a sample twice. Both ends of the
    distribution go through this as one array, the upper one mirrored.
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
    innermost = _innermost_of_windows(pairs).astype(np.float64)
    low, mirrored = innermost[..., 0] + fraction * (innermost[..., 1] - innermost[..., 0])
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


def short_time_side_distance(excerpt: Excerpt, *, is_full: bool = False) -> NDArray[np.float64]:
    """Return D of each window, shape (n,): 40 ms windows every 10 ms.

    Exact to 1e-12 against NumPy's quantile in float64. A clip shorter than a window has one value.
    """
    window, hop = window_samples(excerpt.sample_rate)
    if not excerpt.has_side:
        return np.zeros(max(1, (excerpt.frames - window) // hop + 1))
    if is_full:
        return map_windows(_extent, excerpt, excerpt.difference) * excerpt.side_scale
    if window == _BLOCKS_A_WINDOW * hop and excerpt.frames >= window and hop >= _BLOCKS_A_WINDOW:
        return _block_spreads(excerpt.difference, hop) * excerpt.side_scale
    return map_windows(_sorted_spread, excerpt, excerpt.difference) * excerpt.side_scale


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
    letters = []
    for start, end in pairwise(bounds):
        segment = excerpt.difference[start:end].astype(np.float64)
        if len(segment):
            segment -= segment.mean()
        variance = float(segment @ segment) / max(len(segment), 1)
        letters.append("W" if variance**0.5 * excerpt.side_scale > WIDE_THRESHOLD else "N")
    return "".join(letters)
