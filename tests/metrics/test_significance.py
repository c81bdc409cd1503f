"""Tests, intervals and power: seeded, honest on sets of one distribution, and sharp on others."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.comparison import compare_sets
from stereokit.metrics.distance import make_pool
from stereokit.metrics.resampling import Interval, interval, mmd_p_value, score_deviations, some_of
from stereokit.metrics.significance import detectable_width_percent

EMD = catalog.load("distance", "emd")


def stabs(count: int, *, seed: int, width: float = 1.0, spread: float = 0.3) -> list[NDArray[np.float64]]:
    """Decays of differing width and speed, as STSD sequences of shape (20, 1)."""
    random = np.random.default_rng(seed)
    heights = width * np.exp(spread * random.standard_normal((count, 1, 1)))
    return list(heights * np.exp(-np.linspace(0, 1, 20)[None, :, None] / random.uniform(0.2, 1.0, (count, 1, 1))))


def test_nothing_is_tested_unless_asked_for() -> None:
    assert compare_sets(stabs(9, seed=1), stabs(9, seed=2), EMD).significance is None


@pytest.mark.parametrize("tests", ["quick", "thorough"])
@pytest.mark.parametrize("counts", [(30, 30), (30, 12), (2, 3), (1, 1)])
def test_a_seed_gives_the_same_figures(tests: str, counts: tuple[int, int]) -> None:
    gen, ref = stabs(counts[0], seed=1), stabs(counts[1], seed=2)
    results = [compare_sets(gen, ref, EMD, seed=3, tests=tests, are_widths=True).significance for _ in range(2)]
    assert results[0] == results[1]
    if min(counts) > 9:
        assert compare_sets(gen, ref, EMD, seed=4, tests=tests).significance != results[0]


def test_one_distribution_passes_and_another_is_seen() -> None:
    same = compare_sets(stabs(60, seed=1), stabs(60, seed=2), EMD, tests="thorough").significance
    other = compare_sets(stabs(60, seed=1, width=3.0), stabs(60, seed=2), EMD, tests="thorough").significance
    assert min(same.nna_p, same.mmd_p) > 0.05
    assert (other.nna_p, other.mmd_p) == (1 / 10_001, 1 / 1000)


def test_one_clip_against_one_tells_nothing() -> None:
    found = compare_sets(stabs(1, seed=1), stabs(1, seed=2), EMD, tests="thorough", are_widths=True).significance
    assert (found.nna_p, found.mmd_p, found.nna_detectable, found.width_detectable_percent) == (1.0, 1.0, None, None)
    assert found.intervals == {}


def test_draws_are_joined_to_one_p_value() -> None:
    found = compare_sets(stabs(40, seed=1), stabs(15, seed=2), EMD, tests="quick")
    assert (found.draws, found.significance.nna_permutations) == (20, 20_000)
    assert 0.05 < found.significance.nna_p <= 1.0
    wide = compare_sets(stabs(40, seed=1, width=9.0), stabs(15, seed=2), EMD, tests="quick")
    assert wide.significance.nna_p == pytest.approx(2 / 1001)


def test_intervals_hold_the_score_and_shrink_with_the_sets() -> None:
    widths = []
    for count in (40, 160):
        found = compare_sets(stabs(count, seed=1), stabs(count, seed=2), EMD, tests="thorough")
        for name in ("cov", "mmd"):
            one = found.significance.intervals[name]
            assert one.low < found.scores[name] < one.high
        cov = found.significance.intervals["cov"]
        widths.append(cov.high - cov.low)
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.35)


def test_intervals_are_as_wide_as_other_sets_of_the_same_kind_vary() -> None:
    scores, deviations = [], []
    for seed in range(60):
        gen, ref = stabs(40, seed=2 * seed), stabs(40, seed=2 * seed + 1)
        scores.append(compare_sets(gen, ref, EMD).scores)
        if seed < 8:
            deviations.append(score_deviations(make_pool(gen, ref, EMD), np.random.default_rng(seed)))
    for name in ("cov", "mmd"):
        true = np.std([one[name] for one in scores])
        told = np.mean([one[name].std() for one in deviations]) * np.mean([one[name] for one in scores])
        assert 0.9 < told / true < 1.8, name


def test_an_interval_stays_within_what_a_score_can_be() -> None:
    deviations = np.linspace(-2.0, 2.0, 401)
    assert interval(0.5, deviations, highest=1.0) == Interval(0.0, 1.0)
    assert interval(2.0, deviations / 20) == Interval(pytest.approx(1.81), pytest.approx(2.19))


def test_the_p_value_of_mmd_is_as_seldom_small_as_promised() -> None:
    values = []
    for seed in range(80):
        pool = make_pool(stabs(12, seed=2 * seed), stabs(12, seed=2 * seed + 1), EMD)
        values.append(mmd_p_value(pool, np.random.default_rng(seed)))
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(values) <= level) < level + 3 * (level * (1 - level) / 80) ** 0.5


def test_more_clips_see_a_smaller_change_of_width() -> None:
    widths = []
    for count in (20, 80, 320):
        pool = make_pool(stabs(count, seed=1), stabs(count, seed=2), EMD)
        limit = 0.5 + 2.486 * 1.25 * 0.5 / (2 * count) ** 0.5
        widths.append(detectable_width_percent(pool, limit, seed=0))
    assert widths[0] > widths[1] > widths[2]


def test_what_no_factor_lifts_is_not_seen() -> None:
    pool = make_pool(stabs(20, seed=1), stabs(20, seed=2), EMD)
    assert detectable_width_percent(pool, 1.01, seed=0) is None


def test_of_very_many_clips_some_stand_for_all() -> None:
    pool = make_pool(stabs(1600, seed=1), stabs(10, seed=2), EMD)
    part = some_of(pool, np.random.default_rng(0))
    assert (part.generated, len(part)) == (1500, 1510)
    assert some_of(part, np.random.default_rng(0)) is part
