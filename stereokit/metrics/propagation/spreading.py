"""Labels flow along the edges of the mutual-neighbour graph until nothing changes (Zhou et al. 2004).

Two clips are joined where each is among the k nearest of the other; a clip that would be alone is joined to its
nearest. An edge weighs exp(-d^2 / (s_i s_j)), s being the distance to the k-th neighbour, and W is scaled to
S = D^-1/2 W D^-1/2. F = a S F + (1 - a) Y is iterated with a = 0.9. Ours differs in that what has come of a
class is divided by the number of its labels, so that common classes do not flood rare ones, and in that what is told of
a labelled clip comes from runs in which a tenth of the labels, its own among them, is hidden.
"""

import numpy as np

from stereokit.metrics.propagation._form import UNKNOWN, Known, Numbers, Points, Propagation, Told
from stereokit.metrics.propagation._neighbours import nearest, voters_of

_FLOW = 0.9
_ROUNDS = 60
_FOLDS = 10
_TINY = 1e-300


def _tell(known: Known) -> Told:
    count = len(known.points)
    found, distances = nearest(known.points, np.arange(count), known.neighbours)
    first, second, weights = _edges(found, distances)
    degrees = np.bincount(first, weights, count)
    weights = weights / np.sqrt(np.maximum(degrees[first] * degrees[second], _TINY))
    labelled = known.labelled
    fold = np.full(count, UNKNOWN, np.int64)
    folds = min(_FOLDS, len(labelled))
    fold[np.random.default_rng(known.seed).permutation(labelled)] = np.arange(len(labelled)) % max(folds, 1)
    sources = np.zeros((count, folds + 1, known.classes))
    for hidden in range(folds + 1):
        shown = labelled[fold[labelled] != hidden]
        sources[shown, hidden, known.labels[shown]] = 1.0
    flows = _spread(sources.reshape(count, -1), first, second, weights).reshape(sources.shape)
    # A clip without a label is told by the run in which nothing is hidden, the last one.
    own = flows[np.arange(count), np.where(fold == UNKNOWN, folds, fold)]
    own = own / np.maximum(sources[:, folds].sum(axis=0), 1.0)
    total = own.sum(axis=1, keepdims=True)
    scores = np.where(total > 0.0, own / np.maximum(total, _TINY), 0.0)
    return Told(scores, _voters(known, scores))


def _edges(found: Numbers, distances: Points) -> tuple[Numbers, Numbers, Points]:
    """Return both ends of each edge, in both directions, ordered by the first, and their weights."""
    count = len(found)
    is_there = found != UNKNOWN
    rows = np.broadcast_to(np.arange(count)[:, None], found.shape)
    pairs = rows[is_there] * count + found[is_there]
    back = found[is_there] * count + rows[is_there]
    is_mutual = np.isin(pairs, back)
    kept = pairs[is_mutual]
    alone = np.setdiff1d(np.flatnonzero(is_there[:, 0]), np.unique(kept // count))
    joined = alone * count + found[alone, 0]
    edges = np.unique(np.concatenate([kept, joined, found[alone, 0] * count + alone]))
    first, second = edges // count, edges % count
    scale = np.where(is_there, distances, 0.0).max(axis=1, initial=0.0)
    order = np.argsort(pairs)
    place = np.searchsorted(pairs, edges, sorter=order).clip(max=max(len(pairs) - 1, 0))
    is_forward = pairs[order[place]] == edges
    place_back = np.searchsorted(pairs, second * count + first, sorter=order).clip(max=max(len(pairs) - 1, 0))
    apart = distances[is_there]
    lengths = np.where(is_forward, apart[order[place]], apart[order[place_back]])
    return first, second, np.exp(-(lengths**2) / np.maximum(scale[first] * scale[second], _TINY))


def _spread(sources: Points, first: Numbers, second: Numbers, weights: Points) -> Points:
    """Iterate F = a S F + (1 - a) Y; ``sources`` is Y, shape (n, columns)."""
    flows = sources
    starts = np.flatnonzero(np.diff(first, prepend=-1))
    nodes = first[starts]
    for _ in range(_ROUNDS if len(first) else 0):
        moved = np.zeros_like(sources)
        moved[nodes] = np.add.reduceat(weights[:, None] * flows[second], starts, axis=0)
        flows = _FLOW * moved + (1.0 - _FLOW) * sources
    return flows


def _voters(known: Known, scores: Points) -> Numbers:
    """Return the nearest labelled clips of the class that is told: where a label came from is spread over many."""
    found, distances = nearest(known.points, known.labelled, max(known.neighbours, 12))
    labels = np.where(found == UNKNOWN, UNKNOWN, known.labels[found])
    is_told = scores.sum(axis=1) > 0.0
    return voters_of(found, -distances, (labels == scores.argmax(axis=1)[:, None]) & is_told[:, None])


PROPAGATION = Propagation("labels flow along the graph of clips that are near to each other", _tell)
