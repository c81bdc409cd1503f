"""Nearest neighbours through a KD-tree over lower bounds, with exact distances in its leaves.

Each clip has eight coordinates (``distance.block_means``) whose L1 distance never exceeds the clips' distance. A
tree over them prunes whole boxes of clips, then the clips of a leaf side by side; what is left is compared exactly and
abandoned early. Where hardly anything is pruned, all pairs are compared instead.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE, Pool, block_means
from stereokit.metrics.kernels import kernel, summing_kernel
from stereokit.metrics.neighbours import Neighbours
from stereokit.metrics.searches._branches import LEAF, Branches, grow
from stereokit.metrics.searches._tiles import compare_all, in_tiles

# Pruning must not lose a neighbour to rounding: bounds are believed only beyond this relative slack.
_SLACK = 1e-12
_ABANDON_AFTER = 64

# Under this many clips, one thread is done before others have started.
_THREADED_CLIPS = 20_000
_CLIPS_AT_ONCE = 4_096

# A look at some queries tells what pruning leaves. A leaf costs what this many values cost in a plain comparison.
_PROBED_CLIPS, _PROBES = 4_000, 64
_LEAF_VALUES = 2_000

Nearest = tuple[NDArray[np.float64], NDArray[np.int64], int]
Query = Callable[[NDArray[np.int64]], tuple[Any, ...]]


@summing_kernel
def even_total(a: NDArray[np.float64], b: NDArray[np.float64], count: int, power: int, limit: float) -> float:
    """Sum |a - b|^power over the first ``count`` values, or stop with a sum above ``limit``."""
    total = 0.0
    start = 0
    while start < count:
        stop = min(start + _ABANDON_AFTER, count)
        if power == 1:
            for k in range(start, stop):
                total += abs(a[k] - b[k])
        else:
            for k in range(start, stop):
                gap = a[k] - b[k]
                total += gap * gap
        if total > limit:
            return total
        start = stop
    return float(total)


@kernel
def quantile_total(a: NDArray[np.float64], b: NDArray[np.float64], power: int, limit: float) -> float:
    """Integrate |a - b|^power over the two quantile functions, or stop with a value above ``limit``."""
    m, n = len(a), len(b)
    total = 0.0
    i, j, here = 0, 0, 0
    end = m * n
    while here < end:
        # Edges lie at multiples of n (for a) and of m (for b) among m n equal parts: no rounding.
        edge = min((i + 1) * n, (j + 1) * m)
        gap = abs(a[i] - b[j])
        total += (edge - here) * (gap if power == 1 else gap * gap)
        if total > limit * end:
            break
        if edge == (i + 1) * n:
            i += 1
        if edge == (j + 1) * m:
            j += 1
        here = edge
    return total / end


@kernel
def bounded_distance(
    a: NDArray[np.float64], b: NDArray[np.float64], padding: int, is_sorted: bool, power: int, limit: float
) -> float:
    """Return the distance of two sequences, or any value above ``limit`` when it exceeds that.

    ``padding`` zeros end both and do not count; sequences of unequal length have none.
    """
    bound = limit if power == 1 else limit * limit
    # A little above, so that a tie with the best is computed to the end.
    bound *= 1.0 + 4.0 * TIE
    if len(a) != len(b) and is_sorted:
        total = quantile_total(a, b, power, bound)
    else:
        shorter = min(len(a), len(b))
        count = shorter - padding
        total = even_total(a, b, shorter, power, bound * count) / count
    return float(total) if power == 1 else float(np.sqrt(total))


@summing_kernel
def box_distance(point: NDArray[np.float64], box: NDArray[np.float64]) -> float:
    """Return the L1 distance from a point to a box of shape (2, D); 0 inside."""
    total = 0.0
    for axis in range(len(point)):
        total += max(box[0, axis] - point[axis], 0.0, point[axis] - box[1, axis])
    return float(total)


@kernel
def leaf_bounds(point: NDArray[np.float64], columns: NDArray[np.float64], bounds: NDArray[np.float64]) -> None:
    """Put the L1 distances from a point to a leaf's points, shape (D, leaf), into ``bounds``, shape (leaf,)."""
    for place in range(LEAF):
        bounds[place] = abs(point[0] - columns[0, place])
    for axis in range(1, len(point)):
        for place in range(LEAF):
            bounds[place] += abs(point[axis] - columns[axis, place])


@kernel
def query_places(
    places: NDArray[np.int64],
    queries: Branches,
    tree: Branches,
    is_own: bool,
    is_sorted: bool,
    power: int,
    room: float,
) -> Nearest:
    """Find, for the clips at some places of ``queries``, the nearest clip of ``tree``.

    The clip itself does not count where both are one set (``is_own``). Ties go to the lowest number. The distance is
    infinite, the number -1, where there is no other clip. Last comes how many leaves were looked into.
    """
    found = np.empty(len(places))
    which = np.empty(len(places), np.int64)
    stack = np.empty(128, np.int64)
    bounds = np.empty(128)
    near_by = np.empty(LEAF)
    looked, previous = 0, 0
    for step in range(len(places)):
        query = places[step]
        point = queries.points[query]
        sequence = queries.values[queries.starts[query] : queries.starts[query + 1]]
        own = queries.order[query] if is_own else -1
        best, best_index = np.inf, np.int64(-1)
        if tree.order[previous] != own:
            # Places are neighbours in space: what was nearest before is near.
            other = tree.values[tree.starts[previous] : tree.starts[previous + 1]]
            best = bounded_distance(sequence, other, tree.padding, is_sorted, power, np.inf)
            best_index = tree.order[previous]
        stack[0], bounds[0] = 0, box_distance(point, tree.boxes[0])
        depth = 1
        while depth > 0:
            depth -= 1
            node, bound = stack[depth], bounds[depth]
            # Among equals the first wins, so a box that can only tie with later clips is done.
            if bound > best * (1.0 + _SLACK) or (bound >= best and tree.first[node] > best_index):
                continue
            near = tree.nodes[node, 2]
            if near >= 0:
                far = near + 1
                near_bound = box_distance(point, tree.boxes[near])
                far_bound = box_distance(point, tree.boxes[far])
                if far_bound < near_bound or (far_bound == near_bound and tree.first[far] < tree.first[near]):
                    near, far = far, near
                    near_bound, far_bound = far_bound, near_bound
                stack[depth], bounds[depth] = far, far_bound
                stack[depth + 1], bounds[depth + 1] = near, near_bound
                depth += 2
                continue
            looked += 1
            leaf_bounds(point, tree.columns[tree.nodes[node, 3]], near_by)
            start = tree.nodes[node, 0]
            for place in range(start, tree.nodes[node, 1]):
                index = tree.order[place]
                if near_by[place - start] > best * (1.0 + _SLACK) + room or index == own:
                    continue
                other = tree.values[tree.starts[place] : tree.starts[place + 1]]
                gap = bounded_distance(sequence, other, tree.padding, is_sorted, power, best)
                if gap < best * (1.0 - TIE) or best_index < 0:
                    best, best_index, previous = gap, index, place
                elif gap <= best * (1.0 + TIE):
                    best = min(best, gap)
                    best_index = min(best_index, index)
        found[step] = best
        which[step] = best_index
    return found, which, looked


def search(pool: Pool, threads: int = 1) -> Neighbours:
    """Find the nearest neighbours of every clip of the pool, in this many threads where that pays."""
    split, count = pool.generated, len(pool)
    points = block_means(pool)
    # Coordinates are differences of long sums: two that should be equal may differ by this much, and a box that
    # holds an exact tie must not be pruned for it.
    room = 4.0 * np.finfo(np.float64).eps * float(pool.lengths.max()) * float(np.abs(pool.values).max())
    sets = [grow(pool, points, start, stop, room) for start, stop in ((0, split), (split, count))]
    own, other = np.empty((2, count))
    own_index, other_index = np.empty((2, count), np.int64)
    for side, queries in enumerate(sets):
        members = queries.order + split * side
        for tree in sets:
            choose = _pruned if _is_pruning(pool, queries, tree, room) else _unpruned
            query = choose(pool, queries, tree, room)
            distances, numbers = _in_threads(query, len(members), threads if count >= _THREADED_CLIPS else 1)
            if tree is queries:
                own[members], own_index[members] = distances, numbers
            else:
                other[members], other_index[members] = distances, numbers
    return Neighbours(split, own, other, other_index, own_index)


def _in_threads(query: Query, count: int, threads: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Answer all queries, some at a time; each is answered alike whatever the threads."""
    portions = [np.arange(first, min(first + _CLIPS_AT_ONCE, count)) for first in range(0, count, _CLIPS_AT_ONCE)]
    if threads == 1:
        parts = [query(portion) for portion in portions]
    else:
        with ThreadPoolExecutor(threads) as executor:
            parts = [*executor.map(query, portions)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _is_pruning(pool: Pool, queries: Branches, tree: Branches, room: float) -> bool:
    """Look at some queries, whether the tree spares more than it costs."""
    count = len(tree.order)
    if count < _PROBED_CLIPS or not pool.is_even:
        return True
    probes = np.linspace(0, len(queries.order) - 1, _PROBES).astype(np.int64)
    looked = _pruned(pool, queries, tree, room)(probes)[2] / _PROBES
    return bool(looked * _LEAF_VALUES < count * float(pool.lengths[0]))


def _pruned(pool: Pool, queries: Branches, tree: Branches, room: float) -> Query:
    return partial(
        query_places,
        queries=queries,
        tree=tree,
        is_own=queries is tree,
        is_sorted=pool.distance.is_sorted,
        power=pool.distance.power,
        room=2.0 * room * tree.points.shape[1],
    )


def _unpruned(pool: Pool, queries: Branches, tree: Branches, room: float) -> Query:
    """Compare all pairs, scaled to fit single precision."""
    length, power = int(pool.lengths[0]), pool.distance.power
    scale = float(np.abs(pool.values).max()) or 1.0
    rows, others = (one.values.reshape(len(one.order), -1) / scale for one in (queries, tree))
    of_queries = (rows, rows.astype(np.float32), queries.order)
    of_tree = (others, in_tiles(others.astype(np.float32)), tree.order)

    def query(places: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        totals, numbers = compare_all(places, of_queries, of_tree, queries is tree, power)
        means = totals / length
        return (means if power == 1 else np.sqrt(means)) * scale, numbers

    return query
