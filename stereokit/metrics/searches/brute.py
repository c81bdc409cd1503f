"""Nearest neighbours in plain NumPy: no start-up cost.

Clips are put in the order of their means. The difference of two means never exceeds the distance, so once a near
clip is known, only those whose means lie as near are looked at. Neighbouring queries share what they look at.
"""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE, Pool, block_means, pair_distance
from stereokit.metrics.neighbours import Neighbours

_QUERIES_AT_ONCE = 16
_VALUES_AT_ONCE = 1 << 20
# Clips next in the order of the means that give a first bound.
_FIRST_LOOK = 8
# A bound is believed only beyond the rounding of a mean.
_SLACK = 1e-9


def search(pool: Pool) -> Neighbours:
    """Find the nearest neighbours of every clip of the pool."""
    split, count = pool.generated, len(pool)
    means = block_means(pool, 1)[:, 0]
    own = np.empty(count)
    other = np.empty(count)
    own_index, other_index = np.empty((2, count), np.int64)
    for start, stop in ((0, split), (split, count)):
        candidates = _Candidates(pool, means, start, stop)
        distances, numbers = candidates.nearest_of_all()
        inside = np.arange(start, stop)
        outside = np.setdiff1d(np.arange(count), inside)
        own[inside], own_index[inside] = distances[inside], numbers[inside]
        other[outside], other_index[outside] = distances[outside], numbers[outside]
    return Neighbours(split, own, other, other_index, own_index)


class _Candidates:
    """The clips of one set in the order of their means, among which neighbours are sought for all of the pool."""

    def __init__(self, pool: Pool, means: NDArray[np.float64], start: int, stop: int) -> None:
        self._pool = pool
        self._means = means
        self._offset = start
        self._members = start + np.argsort(means[start:stop], kind="stable")
        self._member_means = means[self._members]
        # Values along the first axis: sums then run over long contiguous rows.
        self._columns = pool.values.reshape(len(pool), -1).T.copy() if pool.is_even else None
        self._candidate_columns = None if self._columns is None else self._columns[:, self._members]

    def nearest_of_all(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return each clip's distance to its nearest other clip in the set, and that clip's number there.

        The distance is infinite and the number -1 where there is no other.
        """
        count = len(self._pool)
        distances = np.empty(count)
        numbers = np.empty(count, np.int64)
        order = np.argsort(self._means, kind="stable")
        width = len(self._pool.values) // count * len(self._members)
        at_once = int(np.clip(_VALUES_AT_ONCE // max(width, 1), 1, _QUERIES_AT_ONCE))
        for first in range(0, count, at_once):
            queries = order[first : first + at_once]
            distances[queries], numbers[queries] = self._nearest(queries)
        return distances, numbers

    def _nearest(self, queries: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        means = self._means[queries]
        place = np.searchsorted(self._member_means, means[[0, -1]])
        bounds = self._distances(queries, place[0] - _FIRST_LOOK, place[1] + _FIRST_LOOK).min(axis=1, initial=np.inf)
        reach = bounds + _SLACK * (np.abs(means) + bounds)
        start = int(np.searchsorted(self._member_means, (means - reach).min(), side="left"))
        stop = int(np.searchsorted(self._member_means, (means + reach).max(), side="right"))
        distances = self._distances(queries, start, stop)
        nearest = distances.min(axis=1, initial=np.inf)
        # Of equals the first in the set wins, wherever its mean puts it.
        ties = (distances <= nearest[:, None] * (1.0 + TIE)) & np.isfinite(distances)
        numbers = np.where(ties, self._members[start:stop] - self._offset, len(self._pool))
        lowest = numbers.min(axis=1, initial=len(self._pool))
        return nearest, np.where(np.isfinite(nearest), lowest, -1)

    def _distances(self, queries: NDArray[np.int64], start: int, stop: int) -> NDArray[np.float64]:
        """Return the distances to a range of candidates, shape (queries, range); infinite from a clip to itself."""
        members = self._members[max(start, 0) : stop]
        distance = self._pool.distance
        if self._columns is None or self._candidate_columns is None:
            sequences = [self._pool.sequence(member) for member in members]
            result = np.array(
                [[pair_distance(self._pool.sequence(query), one, distance) for one in sequences] for query in queries]
            ).reshape(len(queries), len(members))
        else:
            gaps = self._columns[:, queries][:, :, None] - self._candidate_columns[:, None, max(start, 0) : stop]
            if distance.power == 1:
                result = np.abs(gaps, out=gaps).sum(axis=0) / len(gaps)
            else:
                result = np.sqrt(np.multiply(gaps, gaps, out=gaps).sum(axis=0) / len(gaps))
        result[queries[:, None] == members] = np.inf
        return result
