"""Frechet distance: known answers, SciPy's matrix root as the twin, and what the stable form is for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from stereokit.metrics.frechet import frechet_distance
from stereokit.metrics.vectors import clip_vectors


def twin(x: np.ndarray, y: np.ndarray) -> float:
    c, d = (np.cov(one, rowvar=False) for one in (x, y))
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(c + d - 2 * np.real(sqrtm(c @ d))))


def normal(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, count, dimension]).normal(size=(count, dimension))


def value(x: np.ndarray, y: np.ndarray) -> float:
    found = frechet_distance(x, y)
    assert found is not None
    return found.value


@settings(max_examples=40, deadline=None)
@given(dimension=st.integers(2, 9), extra=st.tuples(st.integers(3, 60), st.integers(3, 60)), seed=st.integers(0, 999))
def test_it_equals_the_formula_with_a_matrix_root(dimension: int, extra: tuple[int, int], seed: int) -> None:
    mix = normal(dimension, dimension, seed + 1)
    x, y = normal(dimension + extra[0], dimension, seed) @ mix + 1.0, normal(dimension + extra[1], dimension, seed + 2)
    assert value(x, y) == pytest.approx(twin(x, y), rel=1e-7)


def test_two_lines_have_the_distance_of_their_means_and_deviations() -> None:
    x, y = np.array([[0.0], [2.0]]), np.array([[5.0], [9.0]])
    assert value(x, y) == pytest.approx(6.0**2 + (np.sqrt(2.0) - np.sqrt(8.0)) ** 2)


@pytest.mark.parametrize(("count", "dimension"), [(200, 5), (10, 128), (2, 50)])
def test_equal_sets_have_no_distance_even_where_the_covariance_is_singular(count: int, dimension: int) -> None:
    x = normal(count, dimension) * np.logspace(0, 8, dimension)
    assert 0 <= value(x, x) <= 1e-13 * x.var(axis=0).sum() * dimension


def test_a_shift_costs_its_square_and_a_gain_multiplies_by_its_own() -> None:
    x, y = normal(300, 6), normal(200, 6, 1) * 2
    assert value(x, x + 3.0) == pytest.approx(6 * 9.0, rel=1e-12)
    assert value(10 * x, 10 * y) == pytest.approx(100 * value(x, y), rel=1e-12)


def test_turning_or_swapping_the_sets_changes_nothing() -> None:
    x, y = normal(100, 8), normal(70, 8, 1) @ normal(8, 8, 2)
    turn, _ = np.linalg.qr(normal(8, 8, 3))
    assert value(x @ turn, y @ turn) == pytest.approx(value(x, y), rel=1e-10)
    assert value(y, x) == pytest.approx(value(x, y), rel=1e-10)


def test_it_is_exact_where_covariances_lose_half_of_the_digits() -> None:
    deviations = np.logspace(0, -9, 10)
    base = normal(500, 10)
    base, _ = np.linalg.qr(base - base.mean(axis=0))
    x, y = base * deviations * np.sqrt(499), base * 2 * deviations * np.sqrt(499)
    assert value(x[:, 5:], y[:, 5:]) == pytest.approx((deviations[5:] ** 2).sum(), rel=1e-10)


def test_a_constant_dimension_adds_nothing() -> None:
    x, y = normal(50, 4), normal(60, 4, 1)
    wider = [np.concatenate([one, np.full((len(one), 3), -80.0)], axis=1) for one in (x, y)]
    assert value(*wider) == pytest.approx(value(x, y), rel=1e-12)


def test_sets_under_ten_clips_a_dimension_are_small() -> None:
    large, small = frechet_distance(normal(60, 6), normal(100, 6)), frechet_distance(normal(59, 6), normal(100, 6))
    assert large is not None
    assert small is not None
    assert (large.is_small, small.is_small, small.needed, small.clips, small.dimension) == (False, True, 60, 59, 6)


def test_at_ten_clips_a_dimension_chance_costs_a_twentieth_of_the_variance() -> None:
    random = np.random.default_rng(5)
    costs = [value(*random.normal(size=(2, 200, 20))) / 20 for _ in range(20)]
    assert np.mean(costs) == pytest.approx(0.06, abs=0.015)


def test_one_vector_has_no_covariance() -> None:
    assert frechet_distance(normal(1, 3), normal(50, 3)) is None


def test_a_clip_is_its_mean_and_deviation_over_time() -> None:
    vectors = clip_vectors([np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[7.0, 8.0]])])
    np.testing.assert_array_equal(vectors, [[2.0, 5.0, 1.0, 0.0], [7.0, 8.0, 0.0, 0.0]])
