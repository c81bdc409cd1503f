"""One set's clips in leaves of near ones, each in a box, and the boxes in groups of near ones."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import Pool
from stereokit.metrics.kernels import kernel, part_of_kernels
from stereokit.metrics.searches._leaves import AXES, LANES, Boxes, Branches

# So many clips tell along which axis a branch is widest.
_SAMPLE = 64


@part_of_kernels
def widest_axis(points: NDArray[np.float32], order: NDArray[np.int64], start: int, stop: int) -> int:
    """Return along which axis some of the points at a range of ``order`` reach furthest."""
    widest, extent = 0, np.float32(-1.0)
    for axis in range(points.shape[1]):
        lowest = highest = points[order[start], axis]
        for place in range(start, stop, (stop - start) // _SAMPLE + 1):
            lowest = min(lowest, points[order[place], axis])
            highest = max(highest, points[order[place], axis])
        if highest - lowest > extent:
            widest, extent = axis, highest - lowest
    return widest


@part_of_kernels
def select(keys: NDArray[np.float32], order: NDArray[np.int64], start: int, stop: int, middle: int) -> None:
    """Reorder a range of both alike until no key before the middle is above one from it on."""
    low, high = start, stop - 1
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
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            break


@kernel
def arrange(points: NDArray[np.float32], order: NDArray[np.int64], keys: NDArray[np.float32], size: int) -> None:
    """Put points of shape (N, D) in an order in which each ``size``, and each ``size`` squared, lie near each other.

    Ranges are halved at the median of their widest axis, at whole leaves and as long as possible at whole groups.
    What ``order`` holds, the numbers 0 to N - 1, is reordered; ``keys``, of shape (N,), is room to work in.
    """
    starts, stops = np.empty(64, np.int64), np.empty(64, np.int64)
    starts[0], stops[0] = 0, len(points)
    left = 1
    while left > 0:
        left -= 1
        start, stop = starts[left], stops[left]
        unit = size if stop - start <= size * size else size * size
        middle = start + (stop - start + unit - 1) // unit // 2 * unit
        if middle == start:
            continue
        axis = widest_axis(points, order, start, stop)
        for place in range(start, stop):
            keys[place] = points[order[place], axis]
        select(keys, order, start, stop, middle)
        stops[left], starts[left + 1], stops[left + 1] = middle, middle, stop
        left += 2


def grow(pool: Pool, points: NDArray[np.float32], start: int, stop: int) -> Branches:
    """Lay a range of the pool's clips out, whose coordinates have the shape (M, 8)."""
    order = np.arange(stop - start)
    arrange(points[start:stop], order, np.empty(len(order), np.float32), LANES)
    part = pool.part(start + order, 0)
    chosen = points[start + order]
    leaves = np.arange(0, len(order), LANES)
    lows, highs = np.minimum.reduceat(chosen, leaves), np.maximum.reduceat(chosen, leaves)
    groups = np.arange(0, len(leaves), LANES)
    boxes = Boxes(
        np.minimum.reduceat(order, leaves),
        np.stack([lows, highs], axis=1).ravel(),
        np.repeat((lows + highs) * np.float32(0.5), 2, axis=0).ravel(),
        side_by_side(lows),
        side_by_side(highs),
        side_by_side(np.minimum.reduceat(lows, groups)),
        side_by_side(np.maximum.reduceat(highs, groups)),
    )
    return Branches(order, chosen.ravel(), side_by_side(chosen), boxes, part.values, part.starts)


def side_by_side(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put points of shape (N, 8) 32 side by side, infinite where there is none: ceil(N / 32) x 8 x 32."""
    count = len(points)
    filled = np.full((-(-count // LANES) * LANES, AXES), np.inf, np.float32)
    filled[:count] = points
    return np.ascontiguousarray(filled.reshape(-1, LANES, AXES).transpose(0, 2, 1)).ravel()
