"""Nearest neighbours through a KD-tree over lower bounds, with exact distances in its leaves.

Each clip has eight coordinates (``distance.block_means``) whose L1 distance never exceeds the clips' distance. A
tree over them prunes whole boxes of clips; what is left is compared exactly and abandoned early.
"""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE, Pool, block_means
from stereokit.metrics.kernels import kernel
from stereokit.metrics.neighbours import Neighbours

_Tree = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]

_LEAF = 24
# Pruning must not lose a neighbour to rounding: bounds are believed only beyond this relative slack.
_SLACK = 1e-12


@kernel
def even_total(a: NDArray[np.float64], b: NDArray[np.float64], count: int, power: int, limit: float) -> float:
    """Sum |a - b|^power over the first ``count`` values, or stop with a sum above ``limit``."""
    total = 0.0
    start = 0
    while start < count:
        stop = min(start + 32, count)
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
    a: NDArray[np.float64], b: NDArray[np.float64], is_sorted: bool, power: int, limit: float
) -> float:
    """Return the distance of two sequences, or any value above ``limit`` when it exceeds that."""
    bound = limit if power == 1 else limit * limit
    # A little above, so that a tie with the best is computed to the end.
    bound *= 1.0 + 4.0 * TIE
    if len(a) != len(b) and is_sorted:
        total = quantile_total(a, b, power, bound)
    else:
        count = min(len(a), len(b))
        total = even_total(a, b, count, power, bound * count) / count
    return float(total) if power == 1 else float(np.sqrt(total))


@kernel
def build_tree(points: NDArray[np.float64], leaf: int) -> _Tree:
    """Split points of shape (N, D) at the median of their widest axis until leaves are small.

    Returns
    -------
    order
        The points in tree order, shape (N,).
    nodes
        First and last place in ``order``, left and right child (-1 in a leaf), shape (nodes, 4).
    boxes
        Lowest and highest coordinates of each node, shape (nodes, 2, D).
    first
        The lowest point number in each node, shape (nodes,).
    """
    count, axes = points.shape
    order = np.arange(count)
    capacity = 4 * (count // leaf + 1) + 1
    nodes = np.empty((capacity, 4), np.int64)
    boxes = np.empty((capacity, 2, axes))
    first = np.empty(capacity, np.int64)
    nodes[0] = (0, count, -1, -1)
    used, current = 1, 0
    while current < used:
        start, stop = nodes[current, 0], nodes[current, 1]
        first[current] = order[start:stop].min()
        for axis in range(axes):
            boxes[current, 0, axis] = np.inf
            boxes[current, 1, axis] = -np.inf
        for place in range(start, stop):
            for axis in range(axes):
                value = points[order[place], axis]
                boxes[current, 0, axis] = min(boxes[current, 0, axis], value)
                boxes[current, 1, axis] = max(boxes[current, 1, axis], value)
        if stop - start > leaf:
            widest = np.argmax(boxes[current, 1] - boxes[current, 0])
            keys = np.empty(stop - start)
            for place in range(start, stop):
                keys[place - start] = points[order[place], widest]
            order[start:stop] = order[start:stop][np.argsort(keys, kind="mergesort")]
            middle = (start + stop) // 2
            nodes[used] = (start, middle, -1, -1)
            nodes[used + 1] = (middle, stop, -1, -1)
            nodes[current, 2], nodes[current, 3] = used, used + 1
            used += 2
        current += 1
    return order, nodes[:used], boxes[:used], first[:used]


@kernel
def box_distance(point: NDArray[np.float64], box: NDArray[np.float64]) -> float:
    """Return the L1 distance from a point to a box of shape (2, D); 0 inside."""
    total = 0.0
    for axis in range(len(point)):
        total += max(box[0, axis] - point[axis], 0.0, point[axis] - box[1, axis])
    return total


@kernel
def query_all(
    values: NDArray[np.float64],
    starts: NDArray[np.int64],
    points: NDArray[np.float64],
    query_start: int,
    query_stop: int,
    offset: int,
    tree: _Tree,
    is_sorted: bool,
    power: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find, for each clip of a range, its nearest clip in the tree whose points begin at ``offset``.

    The clip itself does not count. Ties go to the lowest number. The distance is infinite, the number -1, where
    there is no other clip.
    """
    order, nodes, boxes, first = tree
    found = np.full(query_stop - query_start, np.inf)
    which = np.full(query_stop - query_start, -1, np.int64)
    stack = np.empty(256, np.int64)
    bounds = np.empty(256)
    for query in range(query_start, query_stop):
        sequence = values[starts[query] : starts[query + 1]]
        best, best_index = np.inf, np.int64(-1)
        stack[0], bounds[0] = 0, box_distance(points[query], boxes[0])
        depth = 1
        while depth > 0:
            depth -= 1
            node, bound = stack[depth], bounds[depth]
            if bound > best * (1.0 + _SLACK):
                continue
            # Among equals the first wins, so a box that can only tie with later clips is done.
            if bound >= best and first[node] > best_index:
                continue
            left, right = nodes[node, 2], nodes[node, 3]
            if left >= 0:
                near, far = left, right
                near_bound = box_distance(points[query], boxes[near])
                far_bound = box_distance(points[query], boxes[far])
                if far_bound < near_bound or (far_bound == near_bound and first[far] < first[near]):
                    near, far = far, near
                    near_bound, far_bound = far_bound, near_bound
                stack[depth], bounds[depth] = far, far_bound
                stack[depth + 1], bounds[depth + 1] = near, near_bound
                depth += 2
                continue
            for place in range(nodes[node, 0], nodes[node, 1]):
                index = order[place]
                if index + offset == query:
                    continue
                other = values[starts[index + offset] : starts[index + offset + 1]]
                gap = bounded_distance(sequence, other, is_sorted, power, best)
                if gap < best * (1.0 - TIE) or best_index < 0:
                    best, best_index = gap, index
                elif gap <= best * (1.0 + TIE):
                    best = min(best, gap)
                    best_index = min(best_index, index)
        found[query - query_start] = best
        which[query - query_start] = best_index
    return found, which


def _tree_with_room(points: NDArray[np.float64], room: float) -> _Tree:
    """Build a tree whose boxes reach ``room`` beyond their points."""
    tree = build_tree(points, _LEAF)
    boxes = tree[2]
    boxes[:, 0] -= room
    boxes[:, 1] += room
    return tree


def search(pool: Pool) -> Neighbours:
    """Find the nearest neighbours of every clip of the pool."""
    points = block_means(pool)
    split, count = pool.generated, len(pool)
    distance = pool.distance
    # Coordinates are differences of long sums: two that should be equal may differ by this much, and a box that
    # holds an exact tie must not be pruned for it.
    room = 4.0 * np.finfo(np.float64).eps * float(pool.lengths.max()) * float(np.abs(pool.values).max())
    trees = [(0, _tree_with_room(points[:split], room)), (split, _tree_with_room(points[split:], room))]
    own = np.empty(count)
    other = np.empty(count)
    own_index, other_index = np.empty((2, count), np.int64)
    for side, (start, stop) in enumerate([(0, split), (split, count)]):
        for offset, tree in trees:
            found, which = query_all(
                pool.values,
                pool.starts,
                points,
                start,
                stop,
                offset,
                tree,
                distance.is_sorted,
                distance.power,
            )
            if offset == trees[side][0]:
                own[start:stop], own_index[start:stop] = found, which
            else:
                other[start:stop], other_index[start:stop] = found, which
    return Neighbours(split, own, other, other_index, own_index)
