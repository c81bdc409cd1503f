"""Permutation test of 1-NNA: what the score is when the labels "generated" and "reference" mean nothing.

Who is whose nearest neighbour does not depend on the labels. So the graph is searched once, and each permutation
only counts along its edges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE
from stereokit.metrics.neighbours import Neighbours

Labels = NDArray[np.uint8]

# So many ones add up within a byte, where one instruction adds many.
_ROWS = 255
# Labels held at once, and labels drawn in all: with more clips fewer permutations tell as much.
_LABELS_AT_ONCE, _LABELS_IN_ALL = 1 << 21, 25_000_000
MOST_PERMUTATIONS, _FEWEST_PERMUTATIONS = 10_000, 1_000


@dataclass(frozen=True)
class NearestGraph:
    """Whose nearest other clip, in both sets together, is whose.

    Attributes
    ----------
    sources, targets
        Numbers of clips, shape (E,): an edge leads from a clip to its nearest other clip. A clip with a nearest clip
        in either set has two edges.
    weights
        2 for an only edge, 1 for each of two, shape (E,).
    visitors, visited
        Clips whose nearest clips are copies of each other, and which place those have, shape (V,).
    copies
        Clips at distance zero of others, those of one place behind one another, shape (K,).
    places
        Where each place begins in ``copies``, shape (P,).
    """

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.int64]
    visitors: NDArray[np.int64]
    visited: NDArray[np.int64]
    copies: NDArray[np.int64]
    places: NDArray[np.int64]


def nearest_graph(neighbours: Neighbours) -> NearestGraph:
    """Join the neighbours in both sets to one graph that knows no sets.

    Of several clips at the same distance, not zero, the first of each set stands for all.
    """
    split, count = neighbours.generated, len(neighbours.own_index)
    clips = np.arange(count)
    is_generated = clips < split
    own = neighbours.own_index + np.where(is_generated, 0, split)
    other = neighbours.other_index + np.where(is_generated, split, 0)
    own_distance, other_distance = neighbours.own_distance, neighbours.other_distance
    is_tie = np.abs(own_distance - other_distance) <= TIE * np.minimum(own_distance, other_distance)
    is_copy = np.minimum(own_distance, other_distance) == 0.0
    single, double = clips[~is_tie & ~is_copy], clips[is_tie & ~is_copy]
    nearer = np.where(own_distance < other_distance, own, other)
    # The first copy in the generated set, or else in the reference, names the place.
    first = np.minimum(clips, np.where(own_distance == 0.0, own, clips))
    first = np.minimum(first, np.where(other_distance == 0.0, other, first))
    first = first[first]
    copies = clips[is_copy][np.argsort(first[is_copy], kind="stable")]
    place = np.full(count, -1)
    place[copies] = np.unique(first[copies], return_inverse=True)[1]
    visited = np.where(is_tie & (place[own] != place[other]), -1, place[nearer])
    is_visitor = ~is_copy & (visited >= 0)
    single, double = single[~is_visitor[single]], double[~is_visitor[double]]
    return NearestGraph(
        np.concatenate([single, double, double]),
        np.concatenate([nearer[single], own[double], other[double]]),
        np.concatenate([np.full(len(single), 2), np.full(2 * len(double), 1)]),
        clips[is_visitor],
        visited[is_visitor],
        copies,
        np.unique(first[copies], return_index=True)[1],
    )


def accuracies(graph: NearestGraph, labels: Labels) -> NDArray[np.float64]:
    """Return 1-NNA for each labelling, shape (P,), given labels 1 (generated) or 0 of shape (M, P)."""
    total = np.zeros(labels.shape[1], np.int64)
    for weight in (1, 2):
        chosen = graph.weights == weight
        sources, targets = graph.sources[chosen], graph.targets[chosen]
        for start in range(0, len(sources), _ROWS):
            part = slice(start, start + _ROWS)
            total += weight * _column_sums((labels[sources[part]] == labels[targets[part]]).view(np.uint8))
    if len(graph.copies):
        generated = np.add.reduceat(labels[graph.copies], graph.places, axis=0, dtype=np.int64)
        reference = np.diff(np.append(graph.places, len(graph.copies)))[:, None] - generated
        # Among copies: 2 when all others are of the own set, 0 when none is, else a tie.
        points = generated * _points(generated, reference) + reference * _points(reference, generated)
        total += points.sum(axis=0)
        pairs = (generated[graph.visited] > 0, reference[graph.visited] > 0)
        is_generated = labels[graph.visitors] == 1
        own, other = np.where(is_generated, *pairs), np.where(is_generated, *pairs[::-1])
        total += (own.astype(np.int64) + ~other).sum(axis=0)
    values: NDArray[np.float64] = total / (2.0 * labels.shape[0])
    return values


def _points(own: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(other == 0, 2, np.where(own == 1, 0, 1))


def random_labels(random: np.random.Generator, *, clips: int, generated: int, permutations: int) -> Labels:
    """Draw labellings of shape (clips, permutations), each with exactly ``generated`` ones, all equally likely.

    A coin decides each label; then clips are picked at random and changed until the number is right. Given their number
    the ones of the coin are equally likely anywhere, so this is as good as shuffling, at a tenth of its time.
    """
    is_few = 2 * generated <= clips
    ones = generated if is_few else clips - generated
    # A one too many is found at once where ones are many; where they are few, too few are thrown.
    aim = ones if 8 * ones > clips else max(0.0, ones - 3.0 * ones**0.5)
    words = random.integers(0, 1 << 64, size=-(-clips * permutations // 8), dtype=np.uint64)
    coins = words.view(np.uint8)[: clips * permutations].reshape(clips, permutations)
    labels = (coins < round(256 * aim / clips)).view(np.uint8)
    missing = ones - _column_sums(labels)
    while len(columns := np.flatnonzero(missing)):
        _fill(labels, missing, columns, random.integers(clips, size=(len(columns), int(np.abs(missing).max()))))
    return labels if is_few else 1 - labels


def _fill(labels: Labels, missing: NDArray[np.int64], columns: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """Set picked rows of each column, as many as are missing in it, to one; to zero where there are too many ones."""
    # Rows beyond a column's need repeat its first, and a row counts once however often it was picked.
    need = missing[columns]
    rows = np.where(np.arange(rows.shape[1]) < np.abs(need)[:, None], rows, rows[:, :1])
    rows.sort(axis=1)
    is_new = np.diff(rows, axis=1, prepend=-1) != 0
    wanted = (need > 0).astype(np.uint8)[:, None]
    changes = is_new & (labels[rows, columns[:, None]] != wanted)
    which, place = np.nonzero(changes)
    labels[rows[which, place], columns[which]] = wanted[which, 0]
    missing[columns] -= np.sign(need) * changes.sum(axis=1)


def _column_sums(values: Labels) -> NDArray[np.int64]:
    """Add up the rows of zeros and ones."""
    total = np.zeros(values.shape[1], np.int64)
    for start in range(0, len(values), _ROWS):
        total += values[start : start + _ROWS].sum(axis=0, dtype=np.uint8)
    return total


def permuted_accuracies(
    neighbours: Neighbours, random: np.random.Generator, *, permutations: int
) -> NDArray[np.float64]:
    """Return 1-NNA under random labellings of the same sizes, shape (permutations,)."""
    graph = nearest_graph(neighbours)
    count = len(neighbours.own_index)
    at_once = max(1, _LABELS_AT_ONCE // count)
    parts = []
    for start in range(0, permutations, at_once):
        number = min(at_once, permutations - start)
        labels = random_labels(random, clips=count, generated=neighbours.generated, permutations=number)
        parts.append(accuracies(graph, labels))
    return np.concatenate(parts)


def permutations_for(clips: int, *, draws: int = 1) -> int:
    """Return how many permutations a draw gets: 10,000, fewer for many clips, 1,000 of each of several draws.

    >>> permutations_for(2304), permutations_for(200_000)
    (10000, 1000)
    """
    if draws > 1:
        return _FEWEST_PERMUTATIONS
    return int(np.clip(_LABELS_IN_ALL // clips, _FEWEST_PERMUTATIONS, MOST_PERMUTATIONS))


def p_value(observed: float, permuted: NDArray[np.float64]) -> float:
    """Return the share of labellings, the observed one among them, whose value is as high or higher.

    Never 0: with P permutations at least 1 / (P + 1) (Phipson and Smyth 2010). What differs by rounding alone is equal.

    >>> p_value(2.0, np.array([1.0, 2.0, 3.0]))
    0.75
    """
    return (1 + int((permuted >= observed * (1.0 - TIE)).sum())) / (len(permuted) + 1)
