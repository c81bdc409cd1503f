"""The nearest neighbours of the clips of one set's leaves among those of another set's."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE
from stereokit.metrics.kernels import part_of_kernels, summing_kernel
from stereokit.metrics.searches._means import even_mean, quantile_mean

# Coordinates of a clip; clips of a leaf, and boxes of a group, that are looked at side by side. They stand here, since
# kernels that are kept from an earlier run are compiled anew only when their own module changes.
AXES, LANES = 8, 32
# Leaves are looked into in so many steps of growing distance.
_STEPS = 16

_BLOCK = AXES * LANES
_INFINITE, _ZERO = np.float32(np.inf), np.float32(0.0)


class Boxes(NamedTuple):
    """Where the L leaves of a set lie; 32 leaves are a group.

    Where fewer than 32 leaves or groups are side by side, others that are infinitely far away follow.

    Attributes
    ----------
    first
        The lowest clip number of each leaf, shape (L,).
    rows
        Lowest, then highest coordinates of each leaf: L x 2 x 8.
    middles
        The middle between them, twice: L x 2 x 8.
    lows, highs
        The same, 32 leaves side by side: ceil(L / 32) x 8 x 32.
    group_lows, group_highs
        Lowest and highest coordinates of each group, 32 groups side by side.
    """

    first: NDArray[np.int64]
    rows: NDArray[np.float32]
    middles: NDArray[np.float32]
    lows: NDArray[np.float32]
    highs: NDArray[np.float32]
    group_lows: NDArray[np.float32]
    group_highs: NDArray[np.float32]


class Branches(NamedTuple):
    """One set of N clips in leaves of 32; all but ``order`` lies in the leaves' order.

    Attributes
    ----------
    order
        The clips' numbers in their set, shape (N,).
    points
        Coordinates of each clip: N x 8.
    columns
        The same, 32 clips of a leaf side by side, infinite where there is none: ceil(N / 32) x 8 x 32.
    boxes
        Around each leaf.
    values, starts
        The sequences end to end, and where each starts with one entry past the last: shape (N + 1,).
    """

    order: NDArray[np.int64]
    points: NDArray[np.float32]
    columns: NDArray[np.float32]
    boxes: Boxes
    values: NDArray[np.float64]
    starts: NDArray[np.int64]


@part_of_kernels
def point_gaps(
    columns: NDArray[np.float32], block: int, points: NDArray[np.float32], place: int, gaps: NDArray[np.float32]
) -> None:
    """Put the L1 distances from a point to 32 points side by side into ``gaps``."""
    others = columns[block * _BLOCK : (block + 1) * _BLOCK]
    point = points[place * AXES : (place + 1) * AXES]
    for lane in range(LANES):
        total = _ZERO
        for axis in range(AXES):
            total += abs(others[axis * LANES + lane] - point[axis])
        gaps[lane] = total


@part_of_kernels
def are_within(gaps: NDArray[np.float32], limit: np.float32) -> bool:
    """Return whether any of 32 gaps is no greater, in fewer steps than a look at each would take."""
    within = np.int32(0)
    for lane in range(LANES):
        within += np.int32(gaps[lane] <= limit)
    return bool(within > 0)


@summing_kernel
def box_gaps(
    lows: NDArray[np.float32],
    highs: NDArray[np.float32],
    block: int,
    boxes: NDArray[np.float32],
    number: int,
    gaps: NDArray[np.float32],
) -> None:
    """Put the L1 distances from a box to 32 boxes side by side, or points where both ends are one, into ``gaps``."""
    low = lows[block * _BLOCK : (block + 1) * _BLOCK]
    high = highs[block * _BLOCK : (block + 1) * _BLOCK]
    box = boxes[number * 2 * AXES : (number + 1) * 2 * AXES]
    for lane in range(LANES):
        total = _ZERO
        for axis in range(AXES):
            total += max(low[axis * LANES + lane] - box[AXES + axis], box[axis] - high[axis * LANES + lane], _ZERO)
        gaps[lane] = total


@summing_kernel
def leaf_around(boxes: Boxes, middles: NDArray[np.float32], leaf: int, gaps: NDArray[np.float32]) -> int:
    """Return the leaf nearest to one of ``middles``, of the nearest group; ``gaps`` is room to work in."""
    # A plain 0 would have other kernels compiled for this number alone.
    group = int(np.int64(0))
    nearest = 0
    least = _INFINITE
    for block in range(len(boxes.group_lows) // _BLOCK):
        box_gaps(boxes.group_lows, boxes.group_highs, block, middles, leaf, gaps)
        for lane in range(LANES):
            if gaps[lane] < least:
                least, group = gaps[lane], block * LANES + lane
    box_gaps(boxes.lows, boxes.highs, group, middles, leaf, gaps)
    for lane in range(LANES):
        if gaps[lane] < gaps[nearest]:
            nearest = lane
    return group * LANES + nearest


@summing_kernel
def leaves_within(
    boxes: Boxes,
    own: NDArray[np.float32],
    leaf: int,
    worst: np.float32,
    near: NDArray[np.float32],
    order: NDArray[np.int64],
    room: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]],
) -> int:
    """Put the leaves no further than ``worst`` from one of ``own`` into ``order``, and how far they are into ``near``.

    They come in steps of growing distance. Returns how many; the last argument is room to work in.
    """
    found, ends, gaps, inner = room
    for step in range(_STEPS + 1):
        ends[step] = 0
    scale = np.float32(_STEPS) / worst
    leaves = len(boxes.first)
    total = 0
    for block in range(len(boxes.group_lows) // _BLOCK):
        box_gaps(boxes.group_lows, boxes.group_highs, block, own, leaf, gaps)
        for lane in range(LANES):
            group = block * LANES + lane
            if gaps[lane] > worst or group * LANES >= leaves:
                continue
            box_gaps(boxes.lows, boxes.highs, group, own, leaf, inner)
            for place in range(min(LANES, leaves - group * LANES)):
                if inner[place] <= worst:
                    found[total] = group * LANES + place
                    near[group * LANES + place] = inner[place]
                    ends[min(int(inner[place] * scale), _STEPS - 1) + 1] += 1
                    total += 1
    for step in range(1, _STEPS):
        ends[step + 1] += ends[step]
    for place in range(total):
        step = min(int(near[found[place]] * scale), _STEPS - 1)
        order[ends[step]] = found[place]
        ends[step] += 1
    return total


@part_of_kernels
def clip_gap(
    queries: Branches,
    query: int,
    tree: Branches,
    place: int,
    lengths: NDArray[np.int64] | None,
    is_sorted: bool,
    power: int,
    limit: float,
) -> float:
    """Return the distance of the clips at two places, or any value above ``limit`` when it exceeds that."""
    # A little above, so that a tie with the best is computed to the end.
    bound = (limit if power == 1 else limit * limit) * (1.0 + 4.0 * TIE)
    a, b = queries.starts[query], tree.starts[place]
    m, n = queries.starts[query + 1] - a, tree.starts[place + 1] - b
    if lengths is None:
        mean = even_mean(queries.values, a, tree.values, b, m, power, bound)
    elif is_sorted and m != n:
        mean = quantile_mean(queries.values[a : a + m], tree.values[b : b + n], power, bound)
    else:
        mean = even_mean(queries.values, a, tree.values, b, min(m, n), power, bound)
    return mean if power == 1 else np.sqrt(mean)


@summing_kernel
def query_leaves(
    leaves: tuple[int, int],
    queries: Branches,
    tree: Branches,
    lengths: NDArray[np.int64] | None,
    is_own: bool,
    is_sorted: bool,
    power: int,
    scale: float,
    room: float,
    found: NDArray[np.float64],
    which: NDArray[np.int64],
) -> tuple[int, int]:
    """Find, for the clips of some leaves of ``queries``, the nearest clip of ``tree``.

    Parameters
    ----------
    leaves
        The first, and the one past the last.
    queries, tree
        Laid out alike.
    lengths
        None where all clips are equally long: then what compares unequal ones is not even compiled.
    is_own
        Whether both are one set: then a clip is not its own neighbour.
    is_sorted, power
        Of the distance.
    scale, room
        Where coordinates lie further apart than ``distance * scale + room``, clips do than ``distance``.
    found, which
        Filled with distances and numbers at the clips' places in ``queries``, shape (N,); ties go to the lowest
        number. They must hold infinity and -1, which stay where there is no other clip.

    Returns
    -------
    How often a clip was held against a leaf, and against a clip.
    """
    gaps, inner, reach = np.empty(LANES, np.float32), np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    own, boxes, columns = queries.boxes.rows, tree.boxes.rows, tree.columns
    first, order = tree.boxes.first, tree.order
    near = np.empty(len(first), np.float32)
    some, turns = np.empty(len(first), np.int64), np.empty(len(first), np.int64)
    working = (some, np.empty(_STEPS + 1, np.int64), gaps, inner)
    looked = compared = 0
    for leaf in range(leaves[0], leaves[1]):
        base = leaf * LANES
        there = min(LANES, len(queries.order) - base)
        for lane in range(LANES):
            reach[lane] = _INFINITE
        # What one leaf near by holds tells how far away others may be.
        seed = leaf if is_own else leaf_around(tree.boxes, queries.boxes.middles, leaf, gaps)
        turns[0], near[seed] = seed, _ZERO
        worst, total = _INFINITE, 1
        for is_rest in (False, True):
            if is_rest:
                total = leaves_within(tree.boxes, own, leaf, worst, near, turns, working)
            for turn in range(total):
                other = turns[turn]
                if near[other] > worst or (is_rest and other == seed):
                    continue
                box_gaps(queries.columns, queries.columns, leaf, boxes, other, gaps)
                size = min(LANES, len(order) - other * LANES)
                worst = _ZERO
                for lane in range(there):
                    clip = base + lane
                    best, index = found[clip], which[clip]
                    # Nothing is nearer than 0, and of equals the first wins.
                    if gaps[lane] <= reach[lane] and (best > 0.0 or first[other] < index):
                        looked += 1
                        point_gaps(columns, other, queries.points, clip, inner)
                        for place in range(size if are_within(inner, reach[lane]) else 0):
                            here = other * LANES + place
                            if inner[place] > reach[lane] or (is_own and here == clip):
                                continue
                            compared += 1
                            gap = clip_gap(queries, clip, tree, here, lengths, is_sorted, power, best)
                            if gap < best * (1.0 - TIE) or index < 0:
                                best, index = gap, order[here]
                                reach[lane] = np.float32(best * scale + room)
                            elif gap <= best * (1.0 + TIE):
                                best, index = min(best, gap), min(index, order[here])
                        found[clip], which[clip] = best, index
                    worst = max(worst, reach[lane])
    return looked, compared
