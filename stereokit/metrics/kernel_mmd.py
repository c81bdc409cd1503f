"""Kernel maximum mean discrepancy: how far two sets of vectors are apart, without a bias of their sizes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A tile stays in the cache: almost twice as fast as one four times as long.
_TILE = 256
# What comparing all pairs of one kind may cost, in multiplications (about a second); sets above it go in blocks.
_WORK = 1.6e10
# Of a pair beside the product of its vectors, likewise.
_PAIR_WORK = 100
# A block has so many clips or more, however large the sets are.
_BLOCK = 100
_STREAM = 4

Values = NDArray[np.float64]
Blocks = list[NDArray[np.int64]]


@dataclass(frozen=True)
class KernelDistance:
    """The result of ``kernel_mmd``.

    Attributes
    ----------
    value
        The squared discrepancy. 0 is expected for sets of one source whatever their sizes; below 0 only by chance.
    standard_error
        Of ``value``, by the jackknife over the clips of both sets; None where a set has two clips.
    share
        How many of all pairs of clips were compared, over 0 to 1; 1 is exact.
    """

    value: float
    standard_error: float | None
    share: float


@dataclass(frozen=True)
class _Mean:
    """The mean of the kernel over pairs of one kind, of one set or across both.

    ``powers`` are the means of the second and the third power of x . y / d + 1, shape (2,). For the first clips of the
    pairs, and for the second: the mean cube without each of them, and the part that each has in the mean square.
    """

    powers: Values
    without: tuple[Values, Values]
    parts: tuple[Values, Values]


def kernel_mmd(generated: Values, reference: Values, *, seed: int = 0) -> KernelDistance | None:
    """Return the unbiased squared MMD under the kernel k(x, y) = (x . y / d + 1)^3, and its standard error.

    With the n generated and m reference vectors x and y,

        sum_{i != j} k(x_i, x_j) / (n (n - 1)) + sum_{i != j} k(y_i, y_j) / (m (m - 1)) - 2 sum_{ij} k(x_i, y_j) / (n m)

    as in the kernel inception distance (Gretton et al. 2012, equation 3; Binkowski et al. 2018), over all clips
    instead of random subsets of them. The reference is the yardstick: its mean is the origin of both sets and its
    spread, sqrt(tr(C) / d), the unit, so that no offset, gain or turn common to both sets changes the result.
    Swapping the sets changes the yardstick and so the value.

    Pairs grow with the square of the sets. Where there are too many of one of the three kinds (above 10,000 clips a set
    for 52 values, 5,000 for 512), its clips are dealt at random into equal blocks, and only pairs within a block are
    compared: the mean over the blocks is as unbiased as the whole, its error is larger and still right, and the cost
    no longer grows up to a million clips, then with their number. The yardstick is always of all reference clips.

    The error is the jackknife's, sqrt((n-1)/n sum_i (v_i - v)^2 + (m-1)/m sum_j (w_j - w)^2), with v_i and w_j the
    value without clip i of the one and j of the other set, v and w their means. Without a reference clip the yardstick
    is another; that is followed to first order. The error of sets that differ is right in the mean, that of sets of one
    source about 1.4 times too large (Efron and Stein 1981). All comes from sums over the rows of kernel matrices,
    computed in tiles: none is kept.

    Parameters
    ----------
    generated, reference
        Shape (n, d) and (m, d).
    seed
        Of the blocks.

    Returns
    -------
    KernelDistance or None
        None unless both sets have two vectors or more.
    """
    n, m, dimension = len(generated), len(reference), reference.shape[1]
    if min(n, m) < 2:
        return None
    centre = reference.mean(axis=0)
    spread = np.sqrt(reference.var(axis=0, ddof=1).mean()) or 1.0
    x, y = (generated - centre) / spread, (reference - centre) / spread
    most = _WORK / (dimension + _PAIR_WORK)
    counts = [_block_count(n * n / 2, most, n // _BLOCK), _block_count(m * m / 2, most, m // _BLOCK)]
    counts.append(_block_count(n * m, most, min(n, m)))
    # Dealt apart: pairs of clips that belong together must not meet more often than others.
    orders = [np.random.default_rng([seed, _STREAM, k]).permutation(size) for k, size in enumerate((n, m))]
    among_x, among_y = (_within(one, np.array_split(orders[k], counts[k])) for k, one in enumerate((x, y)))
    across = _across(x, y, *(np.array_split(order, counts[2]) for order in orders))
    squares, cubes = among_x.powers + among_y.powers - 2.0 * across.powers
    pairs = np.array([n * n / 2, m * m / 2, n * m])
    share = float((pairs / counts).sum() / pairs.sum())
    if min(n, m) < 3:
        return KernelDistance(float(cubes), None, share)
    without_x = among_x.without[0] - 2.0 * across.without[0]
    without_y = among_y.without[0] - 2.0 * across.without[1]
    # How the value changes with the origin, and with the square of the unit, both in units of the spread.
    by_x, by_y = among_x.parts[0] - across.parts[0], among_y.parts[0] - across.parts[1]
    by_origin = -6.0 / dimension * (by_x @ x + by_y @ y)
    by_unit = -3.0 * (cubes - squares)
    lengths = (y * y).sum(axis=1) / dimension
    without_y += by_unit * ((m - 1 - lengths * m / (m - 1)) / (m - 2) - 1.0) - y @ by_origin / (m - 1)
    variance = (n - 1) * without_x.var() + (m - 1) * without_y.var()
    return KernelDistance(float(cubes), float(np.sqrt(variance)), share)


def _block_count(pairs: float, most: float, limit: int) -> int:
    """Return into how many blocks clips go so that no more than ``most`` pairs are compared; ``limit`` goes before."""
    return int(max(1, min(np.ceil(pairs / most), limit)))


def _within(x: Values, blocks: Blocks) -> _Mean:
    """Compare the clips of each block with one another."""
    powers, without, parts = np.zeros(2), np.empty(len(x)), np.empty(len(x))
    for block in blocks:
        size = len(block)
        squares, cubes = _sums_within(x[block])
        pairs = size * (size - 1)
        powers += np.array([squares.sum(), cubes.sum()]) / (pairs * len(blocks))
        # Of two clips, nothing is left to compare without one of them; nobody asks then.
        left = (cubes.sum() - 2.0 * cubes) / ((size - 1) * max(size - 2, 1))
        without[block] = (left - cubes.sum() / pairs) / len(blocks)
        parts[block] = squares / (pairs * len(blocks))
    return _Mean(powers, (without, without), (parts, parts))


def _across(x: Values, y: Values, x_blocks: Blocks, y_blocks: Blocks) -> _Mean:
    """Compare the clips of each block of the one set with those of a block of the other."""
    powers, count = np.zeros(2), len(x_blocks)
    without, parts = ((np.empty(len(x)), np.empty(len(y))) for _ in range(2))
    for blocks in zip(x_blocks, y_blocks, strict=True):
        sums = _sums_across(x[blocks[0]], y[blocks[1]])
        pairs = len(blocks[0]) * len(blocks[1])
        total = sums[0].sum(axis=1)
        powers += total / (pairs * count)
        for side, (squares, cubes) in enumerate(sums):
            block, others = blocks[side], len(blocks[1 - side])
            left = (total[1] - cubes) / max(pairs - others, 1)
            without[side][block] = (left - total[1] / pairs) / count
            parts[side][block] = squares / (pairs * count)
    return _Mean(powers, without, parts)


def _sums_within(x: Values) -> Values:
    """Return the sums over the rows of both matrices of x against itself, diagonals left out; shape (2, n)."""
    sums = np.zeros((2, len(x)))
    for first in range(0, len(x), _TILE):
        own = slice(first, first + _TILE)
        tile = x[own] @ x[own].T / x.shape[1] + 1.0
        np.fill_diagonal(tile, 0.0)
        sums[:, own] += _tile_sums(tile)[0]
        for other in range(first + _TILE, len(x), _TILE):
            rows, columns = _tile_sums(x[own] @ x[other : other + _TILE].T / x.shape[1] + 1.0)
            sums[:, own] += rows
            sums[:, other : other + _TILE] += columns
    return sums


def _sums_across(x: Values, y: Values) -> tuple[Values, Values]:
    """Return sums over the rows and over the columns of both matrices of x against y, shapes (2, n) and (2, m)."""
    rows, columns = np.zeros((2, len(x))), np.zeros((2, len(y)))
    for first in range(0, len(x), _TILE):
        for other in range(0, len(y), _TILE):
            tile = x[first : first + _TILE] @ y[other : other + _TILE].T / x.shape[1] + 1.0
            own, its = _tile_sums(tile)
            rows[:, first : first + _TILE] += own
            columns[:, other : other + _TILE] += its
    return rows, columns


def _tile_sums(tile: Values) -> tuple[Values, Values]:
    """Return the sums over the rows and columns of the second and third power of a tile."""
    power = tile * tile
    squares = power.sum(axis=1), power.sum(axis=0)
    power *= tile
    return np.array([squares[0], power.sum(axis=1)]), np.array([squares[1], power.sum(axis=0)])
