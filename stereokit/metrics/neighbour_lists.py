"""Each clip's nearest few clips: with them a subset's nearest neighbours are looked up instead of searched.

A nearest neighbour within a random half of the clips is nearly always among the first few of all: the chance that
none of the first 24 belongs to the half is 2^-24. Where it happens distances are computed, so every answer is exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import Pool, pair_distance

# A clip's list lacks a member of the subset with a chance of about e^-17.
_RARE = 17.0
_SHORTEST = 24
_QUERIES_AT_ONCE = 64


@dataclass(frozen=True)
class NeighbourLists:
    """The nearest few of some candidates for each of some queries.

    Attributes
    ----------
    pool
        All clips.
    queries, candidates
        Numbers in the pool, shapes (Q,) and (C,). A clip is never its own neighbour.
    numbers
        Numbers in the pool, nearest first, shape (Q, k); equals in the order of the candidates.
    distances
        To these, shape (Q, k); infinite from a clip to itself, which is there only where k is all there is.
    """

    pool: Pool
    queries: NDArray[np.int64]
    candidates: NDArray[np.int64]
    numbers: NDArray[np.int64]
    distances: NDArray[np.float64]

    def nearest(
        self, is_allowed: NDArray[np.bool_], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Find the nearest allowed clip of some queries.

        Parameters
        ----------
        is_allowed
            Which clips of the pool count, shape (M,); one candidate at least, other than the query itself.
        rows
            Which queries, shape (R,).

        Returns
        -------
        tuple of ndarray
            Distances and numbers in the pool, each of shape (R,).
        """
        place = np.zeros(len(rows), np.int64)
        todo = np.arange(len(rows))
        # Most are answered by the first few of the list, so that few look through all of it.
        for start, stop in ((0, 8), (8, self.numbers.shape[1])):
            hits = is_allowed[self.numbers[rows[todo], start:stop]]
            place[todo] = start + hits.argmax(axis=1)
            todo = todo[~hits.any(axis=1)]
            if start + hits.shape[1] >= self.numbers.shape[1]:
                break
        distances, numbers = self.distances[rows, place], self.numbers[rows, place]
        for one in todo:
            others = self.candidates[is_allowed[self.candidates]]
            found = distances_to(self.pool, self.queries[rows[one]], others)
            distances[one], numbers[one] = found.min(), others[found.argmin()]
        return distances, numbers


def neighbour_lists(
    pool: Pool, queries: NDArray[np.int64], candidates: NDArray[np.int64], *, share: float
) -> NeighbourLists:
    """Search the nearest few candidates of each query by computing all distances, a few rows at a time.

    Parameters
    ----------
    pool
        All clips.
    queries, candidates
        Numbers in the pool.
    share
        How many of the candidates the smallest subset holds, as a fraction: the smaller, the longer the lists.
    """
    length = min(len(candidates), max(_SHORTEST, int(np.ceil(_RARE / share))))
    numbers = np.empty((len(queries), length), np.int64)
    distances = np.empty((len(queries), length))
    columns = pool.values.reshape(len(pool), -1)[candidates].T.copy() if pool.is_even else None
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        some = queries[start : start + _QUERIES_AT_ONCE]
        gaps = np.stack([distances_to(pool, one, candidates, columns) for one in some])
        nearest = np.argpartition(gaps, length - 1, axis=1)[:, :length]
        # Sorted by number first, so that the stable sort by distance leaves equals in order.
        nearest.sort(axis=1)
        order = np.argsort(np.take_along_axis(gaps, nearest, axis=1), axis=1, kind="stable")
        nearest = np.take_along_axis(nearest, order, axis=1)
        numbers[start : start + len(some)] = candidates[nearest]
        distances[start : start + len(some)] = np.take_along_axis(gaps, nearest, axis=1)
    return NeighbourLists(pool, queries, candidates, numbers, distances)


def distances_to(
    pool: Pool, query: int, candidates: NDArray[np.int64], columns: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the distances from one clip to others, shape (C,); infinite to itself.

    ``columns`` are the candidates' values, shape (n, C), where all clips are equally long.
    """
    own = pool.sequence(query)
    if columns is None:
        result = np.array([pair_distance(own, pool.sequence(one), pool.distance) for one in candidates])
    else:
        gaps = columns - own[:, None]
        if pool.distance.power == 1:
            result = np.abs(gaps, out=gaps).sum(axis=0) / len(gaps)
        else:
            result = np.sqrt(np.multiply(gaps, gaps, out=gaps).sum(axis=0) / len(gaps))
    result[candidates == query] = np.inf
    return result
