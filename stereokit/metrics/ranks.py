"""Order statistics of the difference of two long signals, without sorting them and without a copy of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 1 << 14
_CELLS = 1 << 12


def ranked_differences(left: NDArray[Any], right: NDArray[Any], ranks: Sequence[int]) -> NDArray[np.float64]:
    """Return the values of l - r that would stand at some ranks if all were sorted; exact.

    The values are counted in cells between the smallest and the largest, and only those in the cells of the ranks are
    kept and sorted.

    Parameters
    ----------
    left, right
        Shape (T,), T >= 1, any type.
    ranks
        From 0 to T - 1.

    >>> ranked_differences(np.array([4, 1, 3]), np.array([0, 0, 1]), [0, 2]).tolist()
    [1.0, 4.0]
    """
    ends_of_parts = np.array([(part.min(), part.max()) for part in _differences(left, right)])
    lowest, highest = float(ends_of_parts[:, 0].min()), float(ends_of_parts[:, 1].max())
    if lowest == highest:
        return np.full(len(ranks), lowest)
    scale = (_CELLS - 1) / (highest - lowest)
    counts = np.zeros(_CELLS, np.int64)
    for part in _differences(left, right):
        counts += np.bincount(_cells(part, lowest, scale), minlength=_CELLS)
    ends = np.cumsum(counts)
    wanted = np.zeros(_CELLS, np.bool_)
    wanted[np.searchsorted(ends, ranks, side="right")] = True
    kept = np.concatenate([part[wanted[_cells(part, lowest, scale)]] for part in _differences(left, right)])
    kept.sort()
    # What was left out below a rank shifts its place.
    skipped = np.concatenate([[0], np.cumsum(np.where(wanted, 0, counts))])
    return np.asarray(kept[np.asarray(ranks) - skipped[np.searchsorted(ends, ranks, side="right")]])


def _differences(left: NDArray[Any], right: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, len(left), _AT_ONCE):
        yield np.subtract(left[start : start + _AT_ONCE], right[start : start + _AT_ONCE], dtype=np.float64)


def _cells(values: NDArray[np.float64], lowest: float, scale: float) -> NDArray[np.intp]:
    """Return the cells of values; a larger value is never in a lower cell."""
    return ((values - lowest) * scale).astype(np.intp)
