"""A KD-tree over the coordinates of one set's clips, and its clips laid out as the tree orders them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import Pool
from stereokit.metrics.kernels import kernel

LEAF = 32
# Sequences of one length are filled up with zeros to whole vector registers.
_REGISTER = 8


class Branches(NamedTuple):
    """One set of N clips as a tree; all but ``first`` and ``order`` lies in the tree's order.

    Attributes
    ----------
    order
        The clips' numbers in their set, shape (N,).
    nodes
        First and last place in ``order``, left child (the right one follows it; -1 in a leaf) and, in a leaf, its
        number among the leaves; shape (nodes, 4).
    boxes
        Lowest and highest coordinates of each node, shape (nodes, 2, D).
    first
        The lowest clip number in each node, shape (nodes,).
    points
        Coordinates of each clip, shape (N, D).
    columns
        The same, a leaf at a time with clips side by side, infinite where there is none: shape (leaves, D, leaf).
    values, starts
        The sequences end to end, and where each starts with one entry past the last: shape (N + 1,).
    padding
        How many zeros follow each sequence.
    """

    order: NDArray[np.int64]
    nodes: NDArray[np.int64]
    boxes: NDArray[np.float64]
    first: NDArray[np.int64]
    points: NDArray[np.float64]
    columns: NDArray[np.float64]
    values: NDArray[np.float64]
    starts: NDArray[np.int64]
    padding: int


@kernel
def select(keys: NDArray[np.float64], order: NDArray[np.int64], place: int) -> None:
    """Reorder both alike until no key before ``place`` is above the one there, and none after it below."""
    low, high = 0, len(keys) - 1
    while low < high:
        one, two, three = keys[low], keys[(low + high) // 2], keys[high]
        pivot = max(min(one, two), min(max(one, two), three))
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            return


@kernel
def build_tree(
    points: NDArray[np.float64], leaf: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Split points of shape (N, D) at the median of their widest axis until leaves are small.

    Returns ``order``, ``nodes``, ``boxes`` and ``first`` of ``Branches``.
    """
    count, axes = points.shape
    order = np.arange(count)
    capacity = 4 * (count // leaf + 1) + 1
    nodes = np.empty((capacity, 4), np.int64)
    boxes = np.empty((capacity, 2, axes))
    first = np.empty(capacity, np.int64)
    keys = np.empty(count)
    nodes[0] = (0, count, -1, -1)
    used, current, leaves = 1, 0, 0
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
            for place in range(start, stop):
                keys[place] = points[order[place], widest]
            middle = (start + stop) // 2
            select(keys[start:stop], order[start:stop], middle - start)
            nodes[used] = (start, middle, -1, -1)
            nodes[used + 1] = (middle, stop, -1, -1)
            nodes[current, 2] = used
            used += 2
        else:
            nodes[current, 3] = leaves
            leaves += 1
        current += 1
    return order, nodes[:used], boxes[:used], first[:used]


def grow(pool: Pool, points: NDArray[np.float64], start: int, stop: int, room: float) -> Branches:
    """Return the tree of a range of the pool's clips, whose boxes reach ``room`` beyond their points."""
    order, nodes, boxes, first = build_tree(points[start:stop], LEAF)
    boxes[:, 0] -= room
    boxes[:, 1] += room
    members = start + order
    leaves = nodes[nodes[:, 2] < 0]
    leaves = leaves[np.argsort(leaves[:, 3])]
    columns = np.full((len(leaves), points.shape[1], LEAF), np.inf)
    places = leaves[:, :1] + np.arange(LEAF)
    is_there = places < leaves[:, 1:2]
    columns.transpose(0, 2, 1)[is_there] = points[members[places[is_there]]]
    values, starts, padding = _laid_out(pool, members)
    return Branches(order, nodes, boxes, first, points[members], columns, values, starts, padding)


def _laid_out(pool: Pool, members: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    if not pool.is_even:
        part = pool.part(members, 0)
        return part.values, part.starts, 0
    length = int(pool.lengths[0])
    padding = -length % _REGISTER
    rows = np.zeros((len(members), length + padding))
    rows[:, :length] = pool.values.reshape(len(pool), length)[members]
    return rows.ravel(), np.arange(len(members) + 1) * (length + padding), padding
