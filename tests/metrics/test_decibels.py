"""Ratios in decibels."""

import numpy as np
import pytest

from stereokit.metrics.decibels import LIMIT_DB, number_or_none, ratio_db


def test_ratios_of_powers_are_ten_a_decade() -> None:
    np.testing.assert_allclose(ratio_db([1, 2, 10, 1], [1, 1, 1, 1000]), [0, 10 * np.log10(2), 10, -30], atol=1e-12)


def test_swapping_the_energies_turns_the_sign() -> None:
    a, b = np.random.default_rng(1).gamma(2.0, size=(2, 50))
    np.testing.assert_allclose(ratio_db(a, b), -ratio_db(b, a), atol=1e-12)


def test_one_energy_of_zero_gives_the_limit_and_two_give_none() -> None:
    assert [float(ratio_db(*pair)) for pair in ((1, 0), (0, 1))] == [LIMIT_DB, -LIMIT_DB]
    assert number_or_none(float(ratio_db(0, 0))) is None
    assert number_or_none(1.5) == 1.5


@pytest.mark.parametrize(("a", "b"), [(1e300, 1e-300), (1e-320, 1e300), (5e-324, 5e-324)])
def test_energies_at_the_ends_of_what_numbers_hold_are_no_accident(a: float, b: float) -> None:
    assert abs(float(ratio_db(a, b))) in (LIMIT_DB, 0.0)
