"""Nearest neighbours through boxes of near clips, with exact distances where boxes are near enough.

Each clip has eight coordinates (``distance.block_means``) whose L1 distance never exceeds the clips' distance. Clips
of one leaf look for their neighbours together: boxes are pruned for all of them, then for each, then the clips of a
box side by side in single precision; what is left is compared exactly. Where hardly anything is pruned, all pairs are
compared instead.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import Pool, block_means
from stereokit.metrics.neighbours import Neighbours
from stereokit.metrics.searches._branches import grow
from stereokit.metrics.searches._leaves import AXES, LANES, Branches, query_leaves
from stereokit.metrics.searches._tiles import compare_all_pairs

# Coordinates within ±1 in single precision are wrong by up to 2^-25, and so are their differences and sums, relatively:
# a gap of eight by less than 2^-20 and a part of 2^-20. Bounds are believed only beyond that.
_ROUNDING = 2.0**-20

# Under this many clips, one thread is done before others have started.
_THREADED_CLIPS = 20_000
_LEAVES_AT_ONCE = 128

# A look at some leaves tells what pruning leaves to do. Beyond a comparison of values, and in such: what holding a clip
# against a leaf costs, against another clip, and a pair of clips among all pairs.
_PROBED_CLIPS, _LEAF_VALUES, _CLIP_VALUES, _PAIR_VALUES = 4_000, 1_000, 200, 16


def search(pool: Pool, threads: int = 1) -> Neighbours:
    """Find the nearest neighbours of every clip of the pool, in this many threads where that pays."""
    split, count = pool.generated, len(pool)
    threads = threads if count >= _THREADED_CLIPS else 1
    points, scale, room = _points(pool)
    sets = [grow(pool, points, start, stop) for start, stop in ((0, split), (split, count))]
    lookups = [_Lookup(pool, queries, tree, scale, room) for queries in sets for tree in sets]
    if not _is_pruning(pool, lookups):
        return compare_all_pairs(pool, threads)
    own, other = np.empty((2, count))
    own_index, other_index = np.empty((2, count), np.int64)
    for lookup in lookups:
        lookup.look(threads)
        members = lookup.queries.order + (0 if lookup.queries is sets[0] else split)
        if lookup.is_own:
            own[members], own_index[members] = lookup.found, lookup.which
        else:
            other[members], other_index[members] = lookup.found, lookup.which
    return Neighbours(split, own, other, other_index, own_index)


class _Lookup:
    """The neighbours of all clips of one set among those of another, or of the same."""

    def __init__(self, pool: Pool, queries: Branches, tree: Branches, scale: float, room: float) -> None:
        self.queries, self.tree, self.is_own = queries, tree, queries is tree
        self.found = np.full(len(queries.order), np.inf)
        self.which = np.full(len(queries.order), -1)
        lengths = None if pool.is_even else pool.lengths
        self._words = (lengths, self.is_own, pool.distance.is_sorted, pool.distance.power, scale, room)
        self._leaves = len(queries.boxes.first)

    def look(self, threads: int) -> None:
        """Fill ``found`` and ``which``, some leaves at a time; each clip's are the same whatever the threads."""
        portions = [
            (first, min(first + _LEAVES_AT_ONCE, self._leaves)) for first in range(0, self._leaves, _LEAVES_AT_ONCE)
        ]
        if threads == 1:
            self._look((0, self._leaves))
        else:
            with ThreadPoolExecutor(threads) as executor:
                list(executor.map(self._look, portions))

    def probe(self) -> tuple[int, int, int]:
        """Look into the leaf in the middle: clips looked for, and how often one met a leaf, and another clip."""
        middle = self._leaves // 2
        looked, compared = self._look((middle, middle + 1))
        clips = slice(middle * LANES, (middle + 1) * LANES)
        self.found[clips], self.which[clips] = np.inf, -1
        return len(self.found[clips]), looked, compared

    def _look(self, leaves: tuple[int, int]) -> tuple[int, int]:
        return query_leaves(leaves, self.queries, self.tree, *self._words, self.found, self.which)


def _points(pool: Pool) -> tuple[NDArray[np.float32], float, float]:
    """Return coordinates within ±1 of shape (M, 8), and what a distance is among them: a factor and a summand."""
    means = block_means(pool, AXES)
    means -= means[:: len(pool) // 64 + 1].mean(axis=0)
    spread = max(float(means.max()), -float(means.min()))
    largest = max(float(pool.values.max()), -float(pool.values.min()))
    # Sums of long sequences of large values are wrong by this much, however small their differences.
    wrong = 4.0 * np.finfo(np.float64).eps * float(pool.lengths.max()) * largest * AXES
    scale = 1.0 / spread if spread > wrong else 0.0
    means *= scale
    return means.astype(np.float32), scale * (1.0 + _ROUNDING), _ROUNDING + wrong * scale


def _is_pruning(pool: Pool, lookups: list[_Lookup]) -> bool:
    """Look at some clips, whether the boxes spare more than they cost."""
    if len(pool) < _PROBED_CLIPS or not pool.is_even:
        return True
    length = float(pool.lengths[0])
    cost = 0.0
    for lookup in lookups:
        clips, looked, compared = lookup.probe()
        cost += len(lookup.found) / clips * (looked * _LEAF_VALUES + compared * (length + _CLIP_VALUES))
    # Each pair is compared once for both of its clips.
    return cost < len(pool) ** 2 / 2.0 * (length + _PAIR_VALUES)
