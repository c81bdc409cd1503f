"""Where more points lie on a map that was drawn without them: near those that are like them."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# Neighbours that are asked; a few more are looked at, since they are found in single precision.
_NEIGHBOURS, _LOOKED_AT = 15, 24
_AT_ONCE = 256
# Of the size of points: what is nearer is the same point, but for rounding.
_SAME = 1e-5
_ROUNDS = 40
_TINY = 1e-12


def near_their_like(points: Points, places: Points, more: Points) -> Points:
    """Return means of the places of the nearest points, weighed by how much each belongs to them.

    The nearest belongs wholly, others exp(-(distance - nearest) / s), s such that all weights add up to log2 of the
    number of neighbours, as in UMAP (McInnes, Healy and Melville 2018). A point of the map itself has its place.

    Parameters
    ----------
    points
        Of the map, shape (n, d).
    places
        Theirs, shape (n, dimensions).
    more
        Shape (m, d).

    Returns
    -------
    ndarray
        float64 of shape (m, dimensions).
    """
    found = np.zeros((len(more), places.shape[1]))
    size = float(np.sqrt((points**2).sum(axis=1).mean()))
    for start in range(0, len(more), _AT_ONCE):
        part = more[start : start + _AT_ONCE]
        numbers, distances = nearest(points, part, min(_NEIGHBOURS, len(points)))
        weights = memberships(distances)
        placed = (weights[:, :, None] * places[numbers]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
        found[start : start + _AT_ONCE] = _on_twins(placed, places, numbers, distances, size)
    return found


def on_their_twins(points: Points, places: Points, more: Points, placed: Points) -> Points:
    """Return the places that more points were given, those of points of the map exactly where these are."""
    found = placed.copy()
    size = float(np.sqrt((points**2).sum(axis=1).mean()))
    for start in range(0, len(more), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found[part] = _on_twins(placed[part], places, *nearest(points, more[part], 1), size)
    return found


def _on_twins(placed: Points, places: Points, numbers: NDArray[np.int64], distances: Points, size: float) -> Points:
    is_same = distances[:, :1] <= _SAME * max(size, _TINY)
    return np.where(is_same, places[numbers[:, 0]], placed)


def nearest(points: Points, more: Points, count: int) -> tuple[NDArray[np.int64], Points]:
    """Return the numbers of the nearest ``count`` points of each, nearest first, and their distances: shape (m, count).

    Of equally near ones the first wins.
    """
    middle = points.mean(axis=0)
    known, asked = (points - middle).astype(np.float32), (more - middle).astype(np.float32)
    squares = (known**2).sum(axis=1) - 2.0 * (asked @ known.T)
    looked_at = min(max(_LOOKED_AT, count), len(points))
    near = np.argpartition(squares, looked_at - 1, axis=1)[:, :looked_at]
    near.sort(axis=1)
    apart = np.linalg.norm(points[near] - more[:, None], axis=2)
    order = np.argsort(apart, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(apart, order, axis=1)


def memberships(distances: Points) -> Points:
    """Return how much each belongs to its neighbours, shape (m, k), the nearest 1; ``distances`` grow along a row."""
    further = distances - distances[:, :1]
    wanted = np.log2(max(distances.shape[1], 2))
    low, high = np.zeros(len(distances)), np.full(len(distances), max(float(further.max(initial=0.0)), _TINY) * 64.0)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2.0
        is_much = np.exp(-further / np.maximum(middle, _TINY)[:, None]).sum(axis=1) > wanted
        low, high = np.where(is_much, low, middle), np.where(is_much, middle, high)
    return np.asarray(np.exp(-further / np.maximum(high, _TINY)[:, None]))
