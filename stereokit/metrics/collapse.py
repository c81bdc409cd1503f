"""What tells that a generator has collapsed, and how far chance and an imperfect generator alone would go.

Of n validation clips and as many generated ones:

- ``cov``: each generated clip has one nearest validation clip, so that k different clips reach at most k of them: no
  more than k / n. A perfect generator reaches about 0.6.
- ``variety``: the mean distance from a generated clip to the nearest other generated one, over the same among as many
  validation clips. A perfect generator has about 1, one that returns a single clip 0; noise has more than 1.
- ``side``: the share of clips whose side signal is above -40 dB of the clip's energy, (L - R)^2 / 2 over L^2 + R^2.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.neighbours import Neighbours

# No healthy generator is so poor; see ``measured_limits`` for what chance adds.
COV_CAP, VARIETY_CAP, SIDE_CAP = 1 / 8, 1 / 4, 1 / 2
# A perfect generator falls so low by chance once in ten thousand times.
SIDE_CHANCE = 1e-4
SPLITS = 200
_SIDE_ENERGY = 1e-4


def variety(neighbours: Neighbours) -> float:
    """Return how far apart generated clips are, the reference being 1, for sets of equal size.

    0 or more; infinite where the reference itself repeats one clip.
    """
    own = neighbours.own_distance
    made, real = own[: neighbours.generated].mean(), own[neighbours.generated :].mean()
    return float(made / real) if real > 0.0 else math.inf


def has_audible_side(clip: NDArray[Any]) -> bool:
    """Tell whether a clip of shape (2, T) has a side signal above -40 dB of its energy; silence has none."""
    left, right = np.asarray(clip, np.float64)
    side, whole = float(np.square(left - right).sum()) / 2.0, float(np.square(left).sum() + np.square(right).sum())
    return side > _SIDE_ENERGY * whole


def tail(drawn: int, drawn_hits: int, total: int, hits: int) -> float:
    """Return the chance of ``drawn_hits`` or fewer hits among ``drawn`` clips, taken from ``total`` with ``hits``.

    The hypergeometric distribution, exact: where both sets come from one distribution, chance says which clips are the
    generated ones.

    >>> tail(2, 0, 4, 2) == 1 / 6
    True
    """
    ways = sum(
        math.comb(hits, count) * math.comb(total - hits, drawn - count)
        for count in range(max(0, drawn - (total - hits)), min(drawn_hits, hits) + 1)
    )
    return ways / math.comb(total, drawn)


@dataclass(frozen=True)
class Limits:
    """From where on a figure is a sign of collapse.

    Attributes
    ----------
    cov, variety
        This and less.
    nna_noise
        Standard deviation of a perfect generator's 1-NNA.
    expected_variety
        A perfect generator's mean.
    """

    cov: float
    variety: float
    nna_noise: float
    expected_variety: float | None


def measured_limits(distances: NDArray[np.float64], *, seed: int) -> Limits:
    """Measure how low a perfect generator gets by chance: one half of the validation clips plays it for the other half.

    Of 200 splits the lowest coverage and variety count, and never more than 1/8 and 1/4, so that neither chance nor a
    generator that is merely poor is taken for a collapse.

    Parameters
    ----------
    distances
        Between all pairs of validation clips, of shape (n, n), symmetric; n is 4 or more.
    seed
        Of the splits.
    """
    half = len(distances) // 2
    rows = [
        _split(distances, np.random.default_rng([seed, number]).permutation(len(distances)), half)
        for number in range(SPLITS)
    ]
    covs, varieties, nnas = np.array(rows).T
    noise = float(nnas.std()) * math.sqrt(half / len(distances))
    is_measured = bool(np.isfinite(varieties).all())
    return Limits(
        cov=min(COV_CAP, float(covs.min())),
        variety=min(VARIETY_CAP, float(varieties.min())) if is_measured else 0.0,
        nna_noise=noise,
        expected_variety=float(varieties.mean()) if is_measured else None,
    )


def _split(distances: NDArray[np.float64], order: NDArray[np.int64], half: int) -> tuple[float, float, float]:
    """Return COV, variety and 1-NNA of one half against the other."""
    made, real = order[:half], order[half : 2 * half]
    across = distances[np.ix_(made, real)]
    own = [_nearest(distances[np.ix_(part, part)]) for part in (made, real)]
    nna = np.concatenate([own[0] < across.min(1), own[1] < across.min(0)]).mean()
    spread = float(own[1].mean())
    ratio = float(own[0].mean()) / spread if spread > 0.0 else math.inf
    return len(np.unique(across.argmin(1))) / half, ratio, float(nna)


def _nearest(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((distances + np.diag(np.full(len(distances), np.inf))).min(axis=1))


def pairwise(
    clips: Sequence[NDArray[np.float64]], distance: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    """Return the distances between all pairs, of shape (n, n)."""
    table = np.zeros((len(clips), len(clips)))
    for number, clip in enumerate(clips):
        for other in range(number):
            table[number, other] = table[other, number] = distance(clip, clips[other])
    return table


def is_mono_collapse(made: int, made_sides: int, real: int, real_sides: int) -> bool:
    """Tell whether too few generated clips have a side: less than half the reference's share, and not by chance."""
    is_half = made_sides * real <= SIDE_CAP * real_sides * made and real_sides > 0
    return is_half and tail(made, made_sides, made + real, made_sides + real_sides) < SIDE_CHANCE
