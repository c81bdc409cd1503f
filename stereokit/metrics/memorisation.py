"""Did the generator learn the data by heart? Its clips' way to the nearest training clip, against that of others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import TIE, Distance, make_pool
from stereokit.metrics.neighbours import choose_search


@dataclass(frozen=True)
class Memorisation:
    """How near the clips of two sets come to the training clips.

    Attributes
    ----------
    generated_distance, reference_distance
        From each clip to the nearest training clip, shapes (g,) and (r,), in the feature's unit.
    generated_index
        Which training clip is each generated clip's nearest, shape (g,); ties go to the first.
    nearer
        The share of all (generated, reference) pairs in which the generated clip lies nearer to the training set,
        ties counting one half: 0.5 for a generator that learned, 1 for one that copies.
    z
        ``nearer`` in standard deviations above 0.5 (the Mann-Whitney test, ties taken into account): above 3, chance
        is no explanation. 0 where all distances are equal.
    """

    generated_distance: NDArray[np.float64]
    reference_distance: NDArray[np.float64]
    generated_index: NDArray[np.int64]
    nearer: float
    z: float

    @property
    def suspects(self) -> NDArray[np.int64]:
        """Generated clips that lie nearer to a training clip than any reference clip does, the nearest first."""
        order = np.argsort(self.generated_distance, kind="stable")
        limit = self.reference_distance.min() * (1.0 - TIE)
        return np.asarray(order[self.generated_distance[order] < limit])


def memorisation(
    generated: Sequence[NDArray[np.float64]],
    reference: Sequence[NDArray[np.float64]],
    training: Sequence[NDArray[np.float64]],
    distance: Distance,
) -> Memorisation:
    """Compare the nearest training clips of generated and of reference clips.

    Both sets are held against the same training set, so its size does not matter; the reference clips must be none
    of its own. A distance of 0 is a copy only where the feature tells all sounds apart: every mono clip has the same
    STSD (Meehan, Chaudhuri and Dasgupta 2020, A non-parametric test to detect data-copying).

    Parameters
    ----------
    generated, reference, training
        One or more sequences of shape (n, width) each.
    distance
        Between two sequences.
    """
    pool = make_pool([*generated, *reference], training, distance)
    found = choose_search(pool, [len(pool)])(pool)
    count, both = len(generated), len(generated) + len(reference)
    near = found.other_distance[:both]
    nearer, z = _rank_test(near[:count], near[count:])
    return Memorisation(near[:count], near[count:], found.other_index[:count], nearer, z)


def _rank_test(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """Return P(a < b) + P(a = b) / 2 over all pairs, and its standard score if both were from one source.

    With N values and t of them in each tie, the variance is (N + 1 - sum(t^3 - t) / (N (N - 1))) / (12 n m).
    """
    ordered = np.sort(b)
    # Distances this close, relatively, are equal, as everywhere.
    above = len(b) - np.searchsorted(ordered, a * (1.0 + TIE), side="right")
    equal = len(b) - np.searchsorted(ordered, a * (1.0 - TIE), side="left") - above
    nearer = float((above + equal / 2.0).mean() / len(b))
    total = len(a) + len(b)
    _, ties = np.unique(np.concatenate([a, b]), return_counts=True)
    spread = total + 1 - float((ties.astype(np.float64) ** 3 - ties).sum()) / (total * (total - 1))
    if spread <= 0:
        return nearer, 0.0
    return nearer, (nearer - 0.5) / float(np.sqrt(spread / (12.0 * len(a) * len(b))))
