"""All pairs compared, some clips side by side: for sets that leave a tree nothing to prune."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE
from stereokit.metrics.kernels import kernel, summing_kernel

TILE = 128
# Values of a sequence taken at once; sequences are filled up with zeros to a multiple of this.
_STEP = 8
_QUERIES_AT_ONCE = 64
# Far above the rounding of a value in single precision, 2^-24 of full scale.
_ROUNDING = 2.0**-22


@summing_kernel
def tile_totals(
    sequence: NDArray[np.float32], tile: NDArray[np.float32], power: int, totals: NDArray[np.float32]
) -> float:
    """Put sum |a - b|^power over a sequence and each column of ``tile`` into ``totals``; return the smallest."""
    for place in range(TILE):
        totals[place] = 0.0
    for first in range(0, len(sequence), _STEP):
        # Spelt out, so that the columns' sums stay in registers for so many values.
        a, b, c, d = sequence[first], sequence[first + 1], sequence[first + 2], sequence[first + 3]
        e, f, g, h = sequence[first + 4], sequence[first + 5], sequence[first + 6], sequence[first + 7]
        if power == 1:
            for place in range(TILE):
                totals[place] += (
                    abs(a - tile[first, place])
                    + abs(b - tile[first + 1, place])
                    + abs(c - tile[first + 2, place])
                    + abs(d - tile[first + 3, place])
                    + abs(e - tile[first + 4, place])
                    + abs(f - tile[first + 5, place])
                    + abs(g - tile[first + 6, place])
                    + abs(h - tile[first + 7, place])
                )
        else:
            for place in range(TILE):
                totals[place] += (
                    (a - tile[first, place]) ** 2
                    + (b - tile[first + 1, place]) ** 2
                    + (c - tile[first + 2, place]) ** 2
                    + (d - tile[first + 3, place]) ** 2
                    + (e - tile[first + 4, place]) ** 2
                    + (f - tile[first + 5, place]) ** 2
                    + (g - tile[first + 6, place]) ** 2
                    + (h - tile[first + 7, place]) ** 2
                )
    smallest = totals[0]
    for place in range(1, TILE):
        smallest = min(smallest, totals[place])
    return float(smallest)


@summing_kernel
def row_total(a: NDArray[np.float64], b: NDArray[np.float64], power: int) -> float:
    """Sum |a - b|^power exactly."""
    total = 0.0
    if power == 1:
        for k in range(len(a)):
            total += abs(a[k] - b[k])
    else:
        for k in range(len(a)):
            total += (a[k] - b[k]) * (a[k] - b[k])
    return total


@kernel
def rounded_up(total: float, width: int, power: int) -> float:
    """Return what a sum of ``width`` values within 1 may come to in single precision."""
    room = width * _ROUNDING if power == 1 else 2.0 * _ROUNDING * np.sqrt(width * total) + width * _ROUNDING * _ROUNDING
    return float(total * (1.0 + (width + 16) * _ROUNDING) + room)


@kernel
def compare_all(
    places: NDArray[np.int64],
    queries: tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int64]],
    candidates: tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int64]],
    is_own: bool,
    power: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find, for the clips at some places of ``queries``, the nearest candidate.

    Parameters
    ----------
    places
        Which queries.
    queries
        Sequences within ±1 of shape (N, W) in double and in single precision, and the clips' numbers.
    candidates
        Sequences of shape (M, W), the same in single precision as tiles (ceil(M / 128), W, 128), and the numbers.
    is_own
        Whether both are one set: then a clip is not its own neighbour.
    power
        Of the distance.

    Returns
    -------
    Sums of |a - b|^power, and numbers; ties go to the lowest. Infinite and -1 where there is no other clip.
    """
    rows, singles, numbers = queries
    others, tiles, other_numbers = candidates
    width = rows.shape[1]
    best = np.full(len(places), np.inf)
    which = np.full(len(places), -1, np.int64)
    limits = np.full(len(places), np.inf)
    totals = np.empty(TILE, np.float32)
    for begin in range(0, len(places), _QUERIES_AT_ONCE):
        end = min(begin + _QUERIES_AT_ONCE, len(places))
        for tile in range(len(tiles)):
            first = tile * TILE
            there = min(TILE, len(others) - first)
            for step in range(begin, end):
                query = places[step]
                if tile_totals(singles[query], tiles[tile], power, totals) > limits[step]:
                    continue
                for place in range(there):
                    number = other_numbers[first + place]
                    if totals[place] > limits[step] or (is_own and number == numbers[query]):
                        continue
                    total = row_total(rows[query], others[first + place], power)
                    if total < best[step] * (1.0 - TIE) or which[step] < 0:
                        best[step], which[step] = total, number
                        limits[step] = rounded_up(total, width, power)
                    elif total <= best[step] * (1.0 + TIE):
                        best[step] = min(best[step], total)
                        which[step] = min(which[step], number)
    return best, which


def in_tiles(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay sequences of shape (M, W) out as tiles of 128 columns, infinite where there is none."""
    count, width = rows.shape
    filled = np.full((-(-count // TILE) * TILE, width), np.inf, np.float32)
    filled[:count] = rows
    return np.ascontiguousarray(filled.reshape(-1, TILE, width).transpose(0, 2, 1))
