"""Nearest neighbours on an accelerator: all pairs, a tile of the distances at a time, in double precision."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import MissingError
from stereokit.metrics.distance import TIE, Distance, Pool, quantile_grid
from stereokit.metrics.neighbours import Neighbours

if TYPE_CHECKING:
    from torch import Tensor

# Differences held at once: 256 MiB of doubles.
_VALUES_AT_ONCE = 1 << 25


def search(pool: Pool, device: str = "cpu") -> Neighbours:
    """Find the nearest neighbours of every clip of the pool by comparing all pairs on a torch device.

    Parameters
    ----------
    pool
        Sequences of equal or unequal length.
    device
        One with double precision: ``cpu`` or ``cuda``.

    Raises
    ------
    MissingError
        Without torch.
    """
    split, count = pool.generated, len(pool)
    rows = _by_length(pool, device)
    own, other = np.empty((2, count))
    own_index, other_index = np.empty((2, count), np.int64)
    for start, stop in ((0, split), (split, count)):
        for queries, values in rows.values():
            at_once = max(1, _VALUES_AT_ONCE // max(1, (stop - start) * values.shape[1]))
            for first in range(0, len(queries), at_once):
                some = queries[first : first + at_once]
                distances, numbers = _nearest(some, values[first : first + at_once], rows, (start, stop), pool.distance)
                inside = (some >= start) & (some < stop)
                own[some[inside]], own_index[some[inside]] = distances[inside], numbers[inside]
                other[some[~inside]], other_index[some[~inside]] = distances[~inside], numbers[~inside]
    return Neighbours(split, own, other, other_index, own_index)


def _by_length(pool: Pool, device: str) -> "dict[int, tuple[NDArray[np.int64], Tensor]]":
    """Return the clips' numbers and values, shape (clips, length), of each length that occurs."""
    try:
        import torch  # noqa: PLC0415 - the base install works without it
    except ImportError as error:
        raise MissingError("a search on a device needs torch: pip install 'stereokit[train]'") from error
    groups = {}
    for length in np.unique(pool.lengths):
        members = np.flatnonzero(pool.lengths == length)
        values = pool.values[pool.starts[members][:, None] + np.arange(length)]
        groups[int(length)] = (members, torch.as_tensor(values, dtype=torch.float64, device=device))
    return groups


def _nearest(
    queries: NDArray[np.int64],
    values: "Tensor",
    rows: "dict[int, tuple[NDArray[np.int64], Tensor]]",
    ends: tuple[int, int],
    distance: Distance,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the nearest other clip of a range for clips of one length; of equals the first."""
    start, stop = ends
    gaps = values.new_full((len(queries), stop - start), float("inf"))
    for members, others in rows.values():
        inside = (members >= start) & (members < stop)
        if inside.any():
            chosen = others[values.new_tensor(np.flatnonzero(inside)).long()]
            gaps[:, values.new_tensor(members[inside] - start).long()] = _distances(values, chosen, distance)
    itself = np.flatnonzero((queries >= start) & (queries < stop))
    gaps[values.new_tensor(itself).long(), values.new_tensor(queries[itself] - start).long()] = float("inf")
    nearest = gaps.min(dim=1).values
    numbers = (gaps <= nearest[:, None] * (1.0 + TIE)).int().argmax(dim=1)
    numbers[nearest.isinf()] = -1
    return nearest.cpu().numpy(), numbers.cpu().numpy()


def _distances(a: "Tensor", b: "Tensor", distance: Distance) -> "Tensor":
    """Return all distances of sequences of one length from those of another, shape (A, B)."""
    if distance.is_sorted and a.shape[1] != b.shape[1]:
        grid = quantile_grid(a.shape[1], b.shape[1])
        a, b = a[:, a.new_tensor(grid.first).long()], b[:, b.new_tensor(grid.second).long()]
        weights = a.new_tensor(grid.weights)
    else:
        shorter = min(a.shape[1], b.shape[1])
        a, b = a[:, :shorter], b[:, :shorter]
        weights = a.new_full((shorter,), 1.0 / shorter)
    gaps = a[:, None] - b[None]
    total = (gaps.abs() if distance.power == 1 else gaps * gaps) @ weights
    return total if distance.power == 1 else total.sqrt()
