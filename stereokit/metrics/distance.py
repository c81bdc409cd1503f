"""Distances between two clips' sequences, and the pool of sequences that a search runs over.

All distances are one formula, d(a, b) = (mean |x - y|^p)^(1/p): over sorted values (quantile functions, so that
order in time is forgotten: the earth mover's distance at p = 1), or over time-aligned values cut to the shorter clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

# Two distances this close, relatively, are equal: one side of a tie must not win by the rounding of a sum.
TIE = 1e-12

# So little is multiplied in one thread; waking others would take longer.
_CLIPS_AT_ONCE = 256


@dataclass(frozen=True)
class Distance:
    """A distance between sequences.

    Attributes
    ----------
    summary
        One line for ``stereokit list``.
    is_sorted
        Compare sorted values (and so forget the order in time) instead of time-aligned ones.
    power
        The p of the formula, 1 or 2.
    """

    summary: str
    is_sorted: bool
    power: Literal[1, 2]


@dataclass(frozen=True)
class Pool:
    """The sequences of both sets behind one another, generated clips first.

    Attributes
    ----------
    values
        All sequences end to end, float64; each already sorted where the distance asks for it.
    starts
        Where each sequence starts, and one entry past the last: shape (M + 1,), int64.
    generated
        How many of the M clips are generated.
    distance
        What they are compared by.
    """

    values: NDArray[np.float64]
    starts: NDArray[np.int64]
    generated: int
    distance: Distance

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How many values each sequence has, shape (M,)."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def is_even(self) -> bool:
        """Whether all sequences are equally long."""
        return bool((self.lengths == self.lengths[0]).all())

    def sequence(self, index: int) -> NDArray[np.float64]:
        """Return one clip's values."""
        return self.values[self.starts[index] : self.starts[index + 1]]

    def part(self, indices: NDArray[np.int64], generated: int) -> "Pool":
        """Return the pool of some of its clips, of which the first ``generated`` are generated."""
        starts = np.concatenate([[0], np.cumsum(self.lengths[indices])])
        if self.is_even:
            rows = self.values.reshape(len(self), -1)[indices]
            return Pool(rows.ravel(), starts, generated, self.distance)
        values = np.concatenate([self.sequence(index) for index in indices])
        return Pool(values, starts, generated, self.distance)


def make_pool(
    generated: Sequence[NDArray[np.float64]], reference: Sequence[NDArray[np.float64]], distance: Distance
) -> Pool:
    """Lay the sequences of two sets, each of shape (n, width), out for searching."""
    flat = [values.ravel() for values in (*generated, *reference)]
    starts = np.concatenate([[0], np.cumsum([len(values) for values in flat])]).astype(np.int64)
    pool = Pool(np.concatenate(flat), starts, len(generated), distance)
    if distance.is_sorted and pool.is_even:
        pool.values.reshape(len(pool), -1).sort(axis=1)
    elif distance.is_sorted:
        for index in range(len(pool)):
            pool.sequence(index).sort()
    return pool


def pair_distance(a: NDArray[np.float64], b: NDArray[np.float64], distance: Distance) -> float:
    """Return the distance of two sequences, sorted already where the distance asks for it.

    >>> emd = Distance("", is_sorted=True, power=1)
    >>> pair_distance(np.array([0.0, 1.0]), np.array([0.5]), emd)
    0.5
    """
    if distance.is_sorted and len(a) != len(b):
        grid = quantile_grid(len(a), len(b))
        total = float(grid.weights @ np.abs(a[grid.first] - b[grid.second]) ** distance.power)
    else:
        shorter = min(len(a), len(b))
        total = float((np.abs(a[:shorter] - b[:shorter]) ** distance.power).mean())
    return total if distance.power == 1 else float(np.sqrt(total))


@dataclass(frozen=True)
class QuantileGrid:
    """The steps on which two empirical quantile functions are both constant.

    ``weights`` add up to 1; on step k the functions have the values a[first[k]] and b[second[k]].
    """

    weights: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]


def quantile_grid(first_count: int, second_count: int) -> QuantileGrid:
    """Cut [0, 1] at every i / first_count and j / second_count, in exact integers."""
    product = first_count * second_count
    edges = np.union1d(np.arange(first_count + 1) * second_count, np.arange(second_count + 1) * first_count)
    starts = edges[:-1]
    return QuantileGrid(np.diff(edges) / product, starts // second_count, starts // first_count)


def block_means(pool: Pool, blocks: int) -> NDArray[np.float64]:
    """Return coordinates whose L1 distance never exceeds the clips' distance, shape (M, blocks).

    They are the integrals of each sequence, as a function on [0, 1], over equal parts: |integral of a difference| is
    at most the integral of its absolute value, and a mean absolute value is at most the root mean square. Where
    unequal sequences are cut to the shorter one no such bound holds, and all coordinates are zero.
    """
    if not (pool.is_even or pool.distance.is_sorted):
        return np.zeros((len(pool), blocks))
    result = np.empty((len(pool), blocks))
    for length in np.unique(pool.lengths):
        weights = _block_weights(int(length), blocks)
        members = np.flatnonzero(pool.lengths == length)
        for first in range(0, len(members), _CLIPS_AT_ONCE):
            some = members[first : first + _CLIPS_AT_ONCE]
            if pool.is_even:
                rows = pool.values[pool.starts[some[0]] : pool.starts[some[-1] + 1]].reshape(len(some), length)
                np.matmul(rows, weights, out=result[some[0] : some[-1] + 1])
            else:
                result[some] = sliding_window_view(pool.values, length)[pool.starts[some]] @ weights
    return result


def _block_weights(length: int, blocks: int) -> NDArray[np.float64]:
    """Return how much of each block each value of a sequence fills, shape (length, blocks)."""
    edges = np.arange(blocks + 1) * length / blocks
    places = np.arange(length)[:, None]
    ends = np.minimum(places + 1, edges[1:]) - np.maximum(places, edges[:-1])
    weights: NDArray[np.float64] = np.maximum(ends, 0.0) / length
    return weights
