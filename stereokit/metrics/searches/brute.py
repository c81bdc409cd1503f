"""Nearest neighbours by looking at every pair, one row at a time: plain NumPy, no start-up cost."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE, Pool, quantile_grid
from stereokit.metrics.neighbours import Neighbours


class _Rows:
    """Distances from one clip to all, computed a group of equally long sequences at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._groups: list[tuple[int, NDArray[np.int64], NDArray[np.float64]]] = []
        for length in np.unique(pool.lengths):
            members = np.flatnonzero(pool.lengths == length)
            # Values along the first axis: the sums then run over long contiguous rows.
            columns = pool.values[pool.starts[members][None] + np.arange(length)[:, None]]
            self._groups.append((int(length), members, columns))
        largest = max(columns.size for _, _, columns in self._groups)
        self._buffer = np.empty(largest)

    def __call__(self, index: int) -> NDArray[np.float64]:
        """Return the distances of all M clips from one, shape (M,)."""
        distances = np.empty(len(self._pool))
        sequence = self._pool.sequence(index)
        for length, members, columns in self._groups:
            distances[members] = self._group_distances(sequence, columns, length)
        return distances

    def _group_distances(
        self, sequence: NDArray[np.float64], columns: NDArray[np.float64], length: int
    ) -> NDArray[np.float64]:
        distance = self._pool.distance
        weights: NDArray[np.float64] | None = None
        if length != len(sequence) and distance.is_sorted:
            grid = quantile_grid(len(sequence), length)
            gaps, weights = sequence[grid.first][:, None] - columns[grid.second], grid.weights
        else:
            shorter = min(length, len(sequence))
            columns = columns[:shorter]
            gaps = self._buffer[: columns.size].reshape(columns.shape)
            np.subtract(columns, sequence[:shorter, None], out=gaps)
        if distance.power == 1:
            np.abs(gaps, out=gaps)
        else:
            np.multiply(gaps, gaps, out=gaps)
        total = gaps.sum(axis=0) / len(gaps) if weights is None else weights @ gaps
        return total if distance.power == 1 else np.sqrt(total)


def search(pool: Pool) -> Neighbours:
    """Find the nearest neighbours of every clip of the pool."""
    count = len(pool)
    rows = _Rows(pool)
    own = np.full(count, np.inf)
    other = np.empty(count)
    other_index = np.empty(count, np.int64)
    for index in range(count):
        distances = rows(index)
        distances[index] = np.inf
        split = pool.generated
        mine, theirs = distances[:split], distances[split:]
        if index >= split:
            mine, theirs = theirs, mine
        own[index] = mine.min()
        other[index] = theirs.min()
        other_index[index] = np.argmax(theirs <= other[index] * (1.0 + TIE))
    return Neighbours(pool.generated, own, other, other_index)
