"""Kernel MMD against loops over all pairs, its error against repeated draws, and its yardstick."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stereokit.metrics import kernel_mmd as module
from stereokit.metrics.kernel_mmd import KernelDistance, kernel_mmd


def normal(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, count, dimension]).normal(size=(count, dimension))


def unbiased(x: np.ndarray, y: np.ndarray) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    own_x = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    own_y = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    return float(own_x + own_y - 2 * np.mean([k(a, b) for a in x for b in y]))


def measured(x: np.ndarray, y: np.ndarray, centre: np.ndarray, square: float) -> float:
    return unbiased((x - centre) / np.sqrt(square), (y - centre) / np.sqrt(square))


def yardstick(y: np.ndarray) -> tuple[np.ndarray, float]:
    return y.mean(0), float(np.trace(np.atleast_2d(np.cov(y, rowvar=False)))) / y.shape[1]


def twin(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The value and, every clip left out in turn, the jackknife's error; difference quotients move the yardstick."""
    centre, square = yardstick(y)
    without_x = np.array([measured(np.delete(x, i, 0), y, centre, square) for i in range(len(x))])
    without_y = []
    for j in range(len(y)):
        origin, unit = (
            np.subtract(*pair) for pair in zip(yardstick(np.delete(y, j, 0)), (centre, square), strict=True)
        )
        step = 1e-4
        up, down = (measured(x, y, centre + e * origin, square + e * unit) for e in (step, -step))
        without_y.append(measured(x, np.delete(y, j, 0), centre, square) + (up - down) / (2 * step))
    n, m = len(x), len(y)
    variance = (n - 1) / n * sum((without_x - without_x.mean()) ** 2)
    variance += (m - 1) / m * sum((without_y - np.mean(without_y)) ** 2)
    return measured(x, y, centre, square), float(np.sqrt(variance))


def distance(x: np.ndarray, y: np.ndarray) -> KernelDistance:
    found = kernel_mmd(x, y)
    assert found is not None
    return found


@settings(max_examples=15, deadline=None)
@given(n=st.integers(3, 9), m=st.integers(3, 9), dimension=st.integers(1, 5), seed=st.integers(0, 999))
def test_value_and_error_equal_loops_over_pairs_and_left_out_clips(n: int, m: int, dimension: int, seed: int) -> None:
    x, y = normal(n, dimension, seed) * 1.5 + 10.3, normal(m, dimension, seed + 1) + 10.0
    value, error = twin(x, y)
    found = distance(x, y)
    assert found.value == pytest.approx(value, rel=1e-7, abs=1e-9)
    assert found.standard_error == pytest.approx(error, rel=1e-4, abs=1e-7)


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = normal(50, 4), normal(37, 4, 1)
    whole = distance(x, y)
    monkeypatch.setattr(module, "_TILE", 16)
    tiled = distance(x, y)
    assert tiled.value == pytest.approx(whole.value, rel=1e-10)
    assert tiled.standard_error == pytest.approx(whole.standard_error, rel=1e-10)


def test_what_compares_all_pairs_is_exact_and_says_so() -> None:
    assert distance(normal(30, 4), normal(20, 4, 1)).share == 1.0


def test_dealing_large_sets_into_blocks_changes_the_value_only_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = normal(60, 3) + 0.5, normal(90, 3, 1)
    exact = distance(x, y)
    in_blocks(monkeypatch, pairs=600, dimension=3)
    found = [kernel_mmd(x, y, seed=seed) for seed in range(400)]
    values = np.array([one.value for one in found if one is not None])
    assert len(set(values)) > 390
    assert abs(values.mean() - exact.value) < 4 * values.std() / 20
    assert found[0] == kernel_mmd(x, y, seed=0)


@pytest.mark.parametrize(
    ("n", "m", "pairs"), [(400, 400, 3 * 2_000), (1_000, 30, 2_000 + 450 + 2_000), (30, 1_000, 450 + 2_000 + 2_000)]
)
def test_blocks_hold_the_cost_whatever_the_sizes_and_tell_how_much_they_compare(
    monkeypatch: pytest.MonkeyPatch, n: int, m: int, pairs: int
) -> None:
    compared = []
    whole = module._tile_sums
    monkeypatch.setattr(module, "_tile_sums", lambda tile: compared.append(tile.size) or whole(tile))
    in_blocks(monkeypatch, pairs=2_000, dimension=3)
    assert distance(normal(n, 3), normal(m, 3, 1)).share == pytest.approx(pairs / ((n + m) ** 2 / 2))
    # A tile on the diagonal holds each pair twice.
    assert pairs <= sum(compared) <= 2 * pairs


def test_the_error_of_blocks_is_that_of_repeated_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks(monkeypatch, pairs=800, dimension=4)
    random = np.random.default_rng(6)
    found = [distance(random.normal(size=(100, 4)) + 0.8, random.normal(size=(100, 4))) for _ in range(200)]
    values = np.array([one.value for one in found])
    errors = np.array([one.standard_error for one in found], float)
    assert 0.9 < np.sqrt((errors**2).mean()) / values.std() < 1.4


def in_blocks(monkeypatch: pytest.MonkeyPatch, *, pairs: int, dimension: int) -> None:
    """Let no more than so many pairs of a kind be compared."""
    monkeypatch.setattr(module, "_WORK", pairs * (dimension + module._PAIR_WORK))
    monkeypatch.setattr(module, "_BLOCK", 4)


def test_sets_of_one_source_have_zero_in_the_mean_whatever_their_sizes_and_an_error_that_is_not_too_small() -> None:
    random = np.random.default_rng(3)
    found = [distance(random.normal(size=(20, 5)), random.normal(size=(60, 5))) for _ in range(300)]
    values = np.array([one.value for one in found])
    errors = np.array([one.standard_error for one in found], float)
    # The yardstick is estimated too, which moves the mean by less than a tenth of a deviation.
    assert abs(values.mean()) < 0.2 * values.std()
    assert 1.0 < np.sqrt((errors**2).mean()) / values.std() < 2.0


def test_the_error_of_sets_that_differ_is_that_of_repeated_draws() -> None:
    random = np.random.default_rng(4)
    found = [distance(random.normal(size=(80, 4)) + 0.8, random.normal(size=(80, 4))) for _ in range(200)]
    values = np.array([one.value for one in found])
    assert values.min() > 0
    errors = np.array([one.standard_error for one in found], float)
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.15)


def test_a_gain_a_turn_or_an_offset_common_to_both_sets_changes_nothing() -> None:
    x, y = normal(40, 6) * 2, normal(30, 6, 1)
    turn, _ = np.linalg.qr(normal(6, 6, 2))
    plain = distance(x, y)
    for gain in (50.0, -1e-3):
        other = distance(gain * x @ turn - 7.0, gain * y @ turn - 7.0)
        assert other.value == pytest.approx(plain.value, rel=1e-7)
        assert other.standard_error == pytest.approx(plain.standard_error, rel=1e-7)


def test_the_reference_is_the_yardstick() -> None:
    x, y = normal(200, 4) * 3, normal(200, 4, 1)
    assert distance(x, y).value > 10 * distance(y, x).value > 0


def test_equal_sets_come_out_below_zero_as_no_two_clips_of_one_source_would() -> None:
    x = normal(50, 3)
    assert distance(x, x).value < 0


@pytest.mark.parametrize("constant", [0.0, -80.0])
def test_a_reference_without_spread_is_measured_in_its_own_unit(constant: float) -> None:
    still = np.full((5, 3), constant)
    assert distance(still, still).value == 0.0
    assert distance(still + 1.0, still).value == pytest.approx(2**3 + 1 - 2)


def test_two_clips_have_a_value_without_an_error_and_one_has_none() -> None:
    assert distance(normal(2, 3), normal(9, 3)).standard_error is None
    assert kernel_mmd(normal(1, 3), normal(9, 3)) is None
