"""All pairs compared, once for both clips and some side by side: for sets that leave boxes nothing to prune."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE, Pool
from stereokit.metrics.kernels import kernel, part_of_kernels, summing_kernel
from stereokit.metrics.neighbours import Neighbours

TILE = 128
# Values of a sequence taken at once; sequences are filled up with zeros to a multiple of this.
STEP = 8
# Far above the rounding of a value in single precision, 2^-24 of full scale.
_ROUNDING = 2.0**-22


class Tiles(NamedTuple):
    """Sequences of W values within ±1, the generated ones first, in tiles of 128 that hold clips of one set.

    Attributes
    ----------
    values
        In double precision: M x W.
    singles
        In single precision, filled up with zeros to whole steps: M x W'.
    columns
        The same, clips of a tile side by side, infinite where there is none: T x W' x 128.
    first
        The first clip of each tile and one past the last, shape (T + 1,).
    generated
        How many clips are generated.
    """

    values: NDArray[np.float64]
    singles: NDArray[np.float32]
    columns: NDArray[np.float32]
    first: NDArray[np.int64]
    generated: int


class Nearest(NamedTuple):
    """What is known of each clip's nearest: row 0 in its own set, row 1 in the other, shapes (2, M).

    ``totals`` are sums of |a - b|^power, ``numbers`` count in the pool, ``limits`` are what a total that may be as
    small can come to in single precision.
    """

    totals: NDArray[np.float64]
    numbers: NDArray[np.int64]
    limits: NDArray[np.float32]


@part_of_kernels
def tile_totals(
    singles: NDArray[np.float32],
    clip: int,
    columns: NDArray[np.float32],
    tile: int,
    width: int,
    power: int,
    totals: NDArray[np.float32],
) -> None:
    """Put sum |a - b|^power over a clip and each of a tile into ``totals``, shape (128,)."""
    for lane in range(TILE):
        totals[lane] = 0.0
    for first in range(0, width, STEP):
        own = singles[clip * width + first : clip * width + first + STEP]
        others = columns[(tile * width + first) * TILE : (tile * width + first + STEP) * TILE]
        if power == 1:
            for lane in range(TILE):
                total = totals[lane]
                for k in range(STEP):
                    total += abs(others[k * TILE + lane] - own[k])
                totals[lane] = total
        else:
            for lane in range(TILE):
                total = totals[lane]
                for k in range(STEP):
                    total += (others[k * TILE + lane] - own[k]) * (others[k * TILE + lane] - own[k])
                totals[lane] = total


@summing_kernel
def row_total(values: NDArray[np.float64], one: int, other: int, width: int, power: int) -> float:
    """Sum |a - b|^power over two clips exactly."""
    a, b = values[one * width : (one + 1) * width], values[other * width : (other + 1) * width]
    total = 0.0
    if power == 1:
        for k in range(width):
            total += abs(a[k] - b[k])
    else:
        for k in range(width):
            total += (a[k] - b[k]) * (a[k] - b[k])
    return total


@kernel
def rounded_up(total: float, width: int, power: int) -> float:
    """Return what a sum of ``width`` values within 1 may come to in single precision."""
    room = width * _ROUNDING if power == 1 else 2.0 * _ROUNDING * np.sqrt(width * total) + width * _ROUNDING * _ROUNDING
    return float(total * (1.0 + (width + 16) * _ROUNDING) + room)


@kernel
def offer(nearest: Nearest, row: int, clip: int, other: int, total: float, width: int, power: int) -> None:
    """Note another clip as a clip's nearest if it is; ties go to the lowest number.

    Others at no distance must be offered in the order of their numbers: none after the first is asked for.
    """
    best = nearest.totals[row, clip]
    if total < best * (1.0 - TIE) or nearest.numbers[row, clip] < 0:
        nearest.totals[row, clip], nearest.numbers[row, clip] = total, other
        nearest.limits[row, clip] = rounded_up(total * (1.0 + 4.0 * TIE), width, power) if total > 0.0 else -1.0
    elif total <= best * (1.0 + TIE):
        nearest.totals[row, clip] = min(best, total)
        nearest.numbers[row, clip] = min(nearest.numbers[row, clip], other)


@summing_kernel
def compare_tiles(tiles: Tiles, portion: int, portions: int, power: int, nearest: Nearest) -> None:
    """Compare the clips of every so many-th tile with those of itself and of all tiles behind it.

    ``nearest`` must hold infinity and -1 and keeps what is found.
    """
    count = len(tiles.first) - 1
    clips = tiles.first[count]
    width, single_width = len(tiles.values) // clips, len(tiles.singles) // clips
    totals = np.empty(TILE, np.float32)
    limits = np.empty(TILE, np.float32)
    for tile in range(portion, count, portions):
        for other in range(tile, count):
            row = int((tiles.first[tile] < tiles.generated) != (tiles.first[other] < tiles.generated))
            start, there = tiles.first[other], tiles.first[other + 1] - tiles.first[other]
            for lane in range(TILE):
                limits[lane] = nearest.limits[row, start + lane] if lane < there else -1.0
            for clip in range(tiles.first[tile], tiles.first[tile + 1]):
                tile_totals(tiles.singles, clip, tiles.columns, other, single_width, power, totals)
                limit = nearest.limits[row, clip]
                hits = np.int32(0)
                for lane in range(TILE):
                    hits += np.int32(totals[lane] <= max(limits[lane], limit))
                if hits == 0:
                    continue
                for lane in range(there):
                    if totals[lane] > max(limits[lane], limit) or start + lane == clip:
                        continue
                    total = row_total(tiles.values, clip, start + lane, width, power)
                    offer(nearest, row, clip, start + lane, total, width, power)
                    offer(nearest, row, start + lane, clip, total, width, power)
                    limit = nearest.limits[row, clip]
                    limits[lane] = nearest.limits[row, start + lane]


def compare_all_pairs(pool: Pool, threads: int) -> Neighbours:
    """Find the nearest neighbours of every clip of a pool of equally long ones by comparing all pairs."""
    split, count = pool.generated, len(pool)
    scale = max(float(pool.values.max()), -float(pool.values.min())) or 1.0
    tiles = _in_tiles(pool.values.reshape(count, -1) / scale, split)
    power = pool.distance.power

    def compare(portion: int) -> Nearest:
        nearest = Nearest(np.full((2, count), np.inf), np.full((2, count), -1), np.full((2, count), np.inf, np.float32))
        compare_tiles(tiles, portion, threads, power, nearest)
        return nearest

    if threads == 1:
        totals, numbers = compare(0)[:2]
    else:
        with ThreadPoolExecutor(threads) as executor:
            totals, numbers = _joined([*executor.map(compare, range(threads))])
    means = totals / pool.lengths[0]
    own, other = (means if power == 1 else np.sqrt(means)) * scale
    is_generated = np.arange(count) < split
    own_index = np.where(is_generated | (numbers[0] < 0), numbers[0], numbers[0] - split)
    other_index = np.where(is_generated, numbers[1] - split, numbers[1])
    return Neighbours(split, own, other, other_index, own_index)


def _joined(parts: list[Nearest]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the nearest of what several portions found; ties go to the lowest number."""
    totals = np.min([part.totals for part in parts], axis=0)
    beyond = np.iinfo(np.int64).max
    tied = [
        np.where((part.totals <= totals * (1.0 + TIE)) & (part.numbers >= 0), part.numbers, beyond) for part in parts
    ]
    numbers = np.min(tied, axis=0)
    return totals, np.where(numbers == beyond, -1, numbers)


def _in_tiles(values: NDArray[np.float64], split: int) -> Tiles:
    """Lay sequences of shape (M, W) within ±1 out in tiles."""
    count, width = values.shape
    singles = np.zeros((count, width + -width % STEP), np.float32)
    singles[:, :width] = values
    first = np.concatenate([np.arange(0, split, TILE), np.arange(split, count, TILE), [count]])
    columns = np.full((len(first) - 1, singles.shape[1], TILE), np.inf, np.float32)
    for tile, (start, stop) in enumerate(pairwise(first)):
        columns[tile, :, : stop - start] = singles[start:stop].T
    return Tiles(values.ravel(), singles.ravel(), columns.ravel(), first, split)
