"""Each clip's nearest other clip, in its own set and in the other: all that the scores need to know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.distance import Pool

# Estimated seconds of brute force above which loading the compiled search (0.4 s and 60 MB) pays.
_BRUTE_LIMIT_S = 0.6
_BRUTE_VALUE_S = 0.6e-9
_BRUTE_ROW_S = 15e-6


@dataclass(frozen=True)
class Neighbours:
    """Nearest neighbours of the M clips of both sets, generated first.

    Attributes
    ----------
    generated
        How many of the M are generated.
    own_distance
        Distance to the nearest other clip of the same set, shape (M,); infinite where the set has one clip.
    other_distance
        Distance to the nearest clip of the other set, shape (M,).
    other_index
        Which clip that is, counted in the other set, shape (M,). Ties go to the first.
    """

    generated: int
    own_distance: NDArray[np.float64]
    other_distance: NDArray[np.float64]
    other_index: NDArray[np.int64]


Search = Callable[[Pool], Neighbours]


def choose_search(pool: Pool, sizes: Sequence[int]) -> Search:
    """Choose how to search pools of these many clips, taken from ``pool``.

    Both searches are exact, never hold an M x M matrix, and give the same answer: distances within 1e-12 of each
    other are ties. Little work is done by plain NumPy, since loading compiled code would take longer.
    """
    if pool.is_even:
        row_s = [_BRUTE_ROW_S + count * float(pool.lengths[0]) * _BRUTE_VALUE_S for count in sizes]
    else:
        lengths = len(np.unique(pool.lengths))
        row_s = [min(count, lengths) * _BRUTE_ROW_S for count in sizes]
    brute_s = sum(count * row for count, row in zip(sizes, row_s, strict=True))
    search: Search = catalog.load("search", "brute" if brute_s < _BRUTE_LIMIT_S else "tree")
    return search
