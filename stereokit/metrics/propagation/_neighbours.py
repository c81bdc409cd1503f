"""Nearest points, and what they say together."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.calibration import softmax
from stereokit.metrics.propagation._form import UNKNOWN, Known, Numbers, Points, Told

_DISTANCES_AT_ONCE = 1 << 22
# So many of those who voted are named.
MOST_VOTERS = 3
_TINY = 1e-300


def nearest(points: Points, candidates: Numbers, count: int) -> tuple[Numbers, Points]:
    """Return for each point the nearest candidates other than itself, nearest first, ties by number.

    Parameters
    ----------
    points
        Shape (n, d).
    candidates
        Numbers of points, ascending, shape (c,).
    count
        How many are wanted.

    Returns
    -------
    tuple of ndarray
        Numbers and Euclidean distances, both of shape (n, count); where there are fewer candidates the last ones are
        -1 at an infinite distance.
    """
    found = np.full((len(points), count), UNKNOWN, np.int64)
    distances = np.full((len(points), count), np.inf)
    kept = min(count, len(candidates))
    if not kept:
        return found, distances
    others = points[candidates]
    squares = (others**2).sum(axis=1)
    for start in range(0, len(points), max(1, _DISTANCES_AT_ONCE // len(candidates))):
        rows = np.arange(start, min(start + max(1, _DISTANCES_AT_ONCE // len(candidates)), len(points)))
        block = points[rows]
        apart = np.maximum((block**2).sum(axis=1)[:, None] + squares - 2.0 * (block @ others.T), 0.0)
        apart[rows[:, None] == candidates] = np.inf
        chosen = np.sort(np.argpartition(apart, kept - 1, axis=1)[:, :kept], axis=1)
        order = np.argsort(np.take_along_axis(apart, chosen, axis=1), axis=1, kind="stable")
        chosen = np.take_along_axis(chosen, order, axis=1)
        # Sums of products lose what lies between near points; differences do not.
        exact = np.sqrt(((block[:, None] - others[chosen]) ** 2).sum(axis=2))
        is_self = candidates[chosen] == rows[:, None]
        found[rows, :kept] = np.where(is_self, UNKNOWN, candidates[chosen])
        distances[rows, :kept] = np.where(is_self, np.inf, exact)
    return found, distances


def scale_of(distances: Points, labelled: Numbers) -> float:
    """Return the distance at which a neighbour counts 1/e: the median of the farthest asked by a labelled clip.

    Parameters
    ----------
    distances
        To the neighbours of all clips, nearest first, infinite where there is none; shape (n, k).
    labelled
        Whose are looked at.
    """
    own = distances[labelled]
    own = own[np.isfinite(own).any(axis=1)]
    if not own.size:
        return 1.0
    farthest = np.where(np.isfinite(own), own, 0.0).max(axis=1)
    return max(float(np.median(farthest)), _TINY)


def weights_of(distances: Points, scale: float) -> Points:
    """Return exp(-d / scale), 0 at an infinite distance."""
    return np.exp(-distances / scale)


def voted(known: Known, found: Numbers, weights: Points) -> Told:
    """Let neighbours vote: the weights of each class are summed and go through a softmax.

    Parameters
    ----------
    known
        Labels of the neighbours; those without one have no vote.
    found
        Numbers of the neighbours, -1 for none; shape (n, k).
    weights
        What each one's vote weighs, shape (n, k).

    Returns
    -------
    Told
        Nothing where no neighbour has a label.
    """
    labels = np.where(found == UNKNOWN, UNKNOWN, known.labels[found])
    sums = np.zeros((len(found), known.classes))
    rows, columns = np.nonzero(labels != UNKNOWN)
    np.add.at(sums, (rows, labels[rows, columns]), weights[rows, columns])
    has_vote = np.zeros(len(found), np.bool_)
    has_vote[rows] = True
    scores = np.where(has_vote[:, None], softmax(sums), 0.0)
    return Told(scores, voters_of(found, weights, labels == scores.argmax(axis=1)[:, None]))


def voters_of(found: Numbers, weights: Points, is_voter: NDArray[np.bool_]) -> Numbers:
    """Return the weightiest voters of each row, shape (n, up to MOST_VOTERS), -1 for none."""
    counted = np.where(is_voter, weights, -np.inf)
    rows = np.arange(len(found))
    voters = np.full((len(found), min(MOST_VOTERS, found.shape[1])), UNKNOWN, np.int64)
    # Few are wanted of many: looking for the largest as often takes a tenth of the time of sorting.
    for place in range(voters.shape[1]):
        best = counted.argmax(axis=1)
        voters[:, place] = np.where(np.isneginf(counted[rows, best]), UNKNOWN, found[rows, best])
        counted[rows, best] = -np.inf
    return voters
