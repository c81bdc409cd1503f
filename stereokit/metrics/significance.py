"""What chance can do to the scores of two sets, and the smallest change that would stand out of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stereokit.metrics.distance import Pool
from stereokit.metrics.neighbours import Neighbours, Search, choose_search
from stereokit.metrics.permutation import p_value, permutations_for, permuted_accuracies
from stereokit.metrics.resampling import MMD_PERMUTATIONS, Interval, interval, mmd_p_value, score_deviations
from stereokit.metrics.scores.nna import nearest_neighbour_accuracy

# A test at 5 % sees a shift of this many standard deviations 4 times of 5: 1.645 + 0.842.
DETECTION = 2.486

# Independent purposes have independent random numbers; ``comparison`` has 1 and 2.
_NNA_STREAM, _MMD_STREAM, _INTERVAL_STREAM, _POWER_STREAM = 3, 4, 5, 6
_WIDTHS_PERCENT = (0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200)
_POWER_DRAWS = 4


@dataclass(frozen=True)
class Significance:
    """What chance could have done.

    Attributes
    ----------
    nna_p
        How often labels dealt at random tell the sets apart as well or better, in (0, 1]: small means that they differ.
    nna_permutations
        How many labellings were tried, in all draws.
    nna_detectable
        The smallest 1-NNA that a test at 5 % would see 4 times of 5 at these sizes; None where not even 1 is enough.
    mmd_p, mmd_permutations
        The same for MMD; None and 0 where not asked for.
    intervals
        95 % intervals of COV and MMD; empty where not asked for or too few clips.
    width_detectable_percent
        By how many percent all widths of one set must differ for 1-NNA to see it 4 times of 5 at 5 %; None where not
        asked for, where no value of ``_WIDTHS_PERCENT`` is enough, or where values are no widths.
    """

    nna_p: float
    nna_permutations: int
    nna_detectable: float | None
    mmd_p: float | None = None
    mmd_permutations: int = 0
    intervals: dict[str, Interval] | None = None
    width_detectable_percent: float | None = None


def nna_significance(draws: Sequence[Neighbours], *, seed: int) -> Significance:
    """Test 1-NNA by permutation.

    Several draws of equal size give twice the mean of their p-values, at most 1: that is a p-value again whatever their
    dependence (Vovk and Wang 2020, Combining p-values via averaging).
    """
    count = len(draws[0].own_index)
    permutations = permutations_for(count, draws=len(draws))
    values, limits = [], []
    for number, neighbours in enumerate(draws):
        random = np.random.default_rng([seed, _NNA_STREAM, number])
        permuted = permuted_accuracies(neighbours, random, permutations=permutations)
        values.append(p_value(nearest_neighbour_accuracy(neighbours), permuted))
        limits.append(permuted.mean() + DETECTION * permuted.std())
    limit = float(np.mean(limits))
    # Of one clip and another nothing varies, so that nothing can be seen either.
    has_limit = count > 2 and limit <= 1.0
    p = values[0] if len(values) == 1 else min(1.0, 2.0 * float(np.mean(values)))
    return Significance(p, permutations * len(draws), limit if has_limit else None)


def thorough_significance(
    first: Significance, pool: Pool, scores: dict[str, float], *, are_widths: bool, seed: int
) -> Significance:
    """Add the test of MMD, the intervals and the smallest width that would be seen.

    Parameters
    ----------
    first
        The test of 1-NNA.
    pool
        The clips of one draw.
    scores
        Of all draws, around which the intervals lie.
    are_widths
        Whether a sequence is proportional to the width of its clip.
    seed
        Of everything random.
    """
    deviations = score_deviations(pool, np.random.default_rng([seed, _INTERVAL_STREAM])) or {}
    highest = {"cov": 1.0, "mmd": np.inf}
    limit = first.nna_detectable
    return Significance(
        first.nna_p,
        first.nna_permutations,
        limit,
        mmd_p_value(pool, np.random.default_rng([seed, _MMD_STREAM])),
        MMD_PERMUTATIONS,
        {name: interval(scores[name], deviations[name], highest=highest[name]) for name in deviations},
        None if limit is None or not are_widths else detectable_width_percent(pool, limit, seed=seed),
    )


def detectable_width_percent(pool: Pool, detectable: float, *, seed: int) -> float | None:
    """Return the smallest change of all widths that would be seen at these sizes, in percent; None for over 200 %.

    The clips of both sets are dealt anew at random, so that there is no difference but the one that is made: the values
    of one set are multiplied. The smallest factor of a ladder is sought that lifts the mean 1-NNA to ``detectable``.
    """
    search = choose_search(pool, [len(pool)] * _POWER_DRAWS * len(_WIDTHS_PERCENT).bit_length())
    low, high = 0, len(_WIDTHS_PERCENT)
    while low < high:
        middle = (low + high) // 2
        if _widened_accuracy(pool, 1.0 + _WIDTHS_PERCENT[middle] / 100.0, search, seed) >= detectable:
            high = middle
        else:
            low = middle + 1
    return float(_WIDTHS_PERCENT[low]) if low < len(_WIDTHS_PERCENT) else None


def _widened_accuracy(pool: Pool, factor: float, search: Search, seed: int) -> float:
    values = []
    for draw in range(_POWER_DRAWS):
        random = np.random.default_rng([seed, _POWER_STREAM, draw])
        dealt = pool.part(random.permutation(len(pool)), pool.generated)
        dealt.values[: dealt.starts[pool.generated]] *= factor
        values.append(nearest_neighbour_accuracy(search(dealt)))
    return float(np.mean(values))
