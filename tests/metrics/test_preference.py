"""A share of votes has the exact interval and the exact p-value."""

import pytest
from scipy.stats import binomtest

from stereokit.metrics.preference import preference

CASES = [
    (0, 1), (1, 1), (0, 5), (5, 5), (1, 2), (3, 6), (8, 10), (2, 10), (17, 40), (60, 100), (499, 1_000), (531, 1_000),
    (0, 1_000), (1_000, 1_000), (1, 1_000), (49_600, 100_000), (50_000, 100_000), (50_310, 100_000), (0, 100_000),
    (100_000, 100_000), (99_999, 100_000), (7, 100_000),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "trials"), CASES)
def test_interval_and_p_are_those_of_scipy(chosen: int, trials: int):
    known = binomtest(chosen, trials)
    around = known.proportion_ci(0.95, "exact")
    heard = preference(chosen, trials)
    assert heard.share == chosen / trials
    assert (heard.low, heard.high) == pytest.approx((around.low, around.high), abs=1e-9)
    assert heard.p == pytest.approx(known.pvalue, rel=1e-9, abs=1e-300)


def test_every_outcome_of_small_studies_is_that_of_scipy():
    for trials in range(1, 26):
        for chosen in range(trials + 1):
            heard = preference(chosen, trials)
            known = binomtest(chosen, trials)
            around = known.proportion_ci(0.95, "exact")
            assert (heard.p, heard.low, heard.high) == pytest.approx((known.pvalue, around.low, around.high), abs=1e-9)


def test_five_of_five_is_once_in_sixteen():
    assert preference(5, 5).p == 2 / 32
    # nobody chose the other: the lower end is the fifth root of one fortieth
    assert preference(5, 5).low == pytest.approx(0.025**0.2, abs=1e-12)
    assert preference(5, 5).high == 1.0


def test_swapping_the_sides_mirrors_the_interval():
    one, other = preference(13, 40), preference(27, 40)
    assert one.p == other.p
    assert (one.low, one.high) == pytest.approx((1.0 - other.high, 1.0 - other.low), abs=1e-15)


def test_without_a_trial_nothing_is_known():
    nothing = preference(0, 0)
    assert (nothing.share, nothing.low, nothing.high, nothing.p) == (None, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(("chosen", "trials"), [(3, 2), (-1, 2), (0, -1)])
def test_more_than_all_cannot_be_chosen(chosen: int, trials: int):
    with pytest.raises(ValueError, match="can be chosen"):
        preference(chosen, trials)
