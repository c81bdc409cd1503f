"""Each clip's nearest other clip, in its own set and in the other: all that the scores need to know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.distance import Pool

# Estimated seconds of brute force above which loading the compiled search pays: about the processor seconds that numba
# and compiled code take to load, where brute force takes as long as estimated. Both grow with a slower processor.
_BRUTE_LIMIT_S = 0.8
_BRUTE_VALUE_S, _BRUTE_PAIR_S = 1e-9, 8e-6
_UNPRUNED = 0.3


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
    own_index
        Which clip ``own_distance`` leads to, counted in the own set, shape (M,); -1 where the set has one clip. Ties go
        to the first.
    """

    generated: int
    own_distance: NDArray[np.float64]
    other_distance: NDArray[np.float64]
    other_index: NDArray[np.int64]
    own_index: NDArray[np.int64]


Search = Callable[[Pool], Neighbours]


def choose_search(pool: Pool, sizes: Sequence[int], *, device: str | None = None, threads: int = 1) -> Search:
    """Choose how to search pools of these many clips, taken from ``pool``.

    All searches are exact, never hold an M x M matrix, and give the same answer: distances within 1e-12 of each
    other are ties. Little work is done by plain NumPy, since loading compiled code would take longer.

    Parameters
    ----------
    pool
        Where the clips come from.
    sizes
        How many clips each search will get.
    device
        A torch device with double precision on which all pairs are compared; None searches without torch.
    threads
        For large pools.
    """
    if device is not None:
        return partial(catalog.load("search", "device"), device=device)
    # Pruning leaves a fraction of the pairs, more of them the more alike the clips are.
    pairs = sum(count * count for count in sizes) * _UNPRUNED
    brute_s = pairs * (float(pool.lengths[0]) * _BRUTE_VALUE_S if pool.is_even else _BRUTE_PAIR_S)
    if brute_s < _BRUTE_LIMIT_S:
        search: Search = catalog.load("search", "brute")
        return search
    return partial(catalog.load("search", "tree"), threads=threads)
