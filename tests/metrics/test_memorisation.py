"""Did a generator copy? Known answers, and SciPy's rank test as the twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from stereokit.metrics.distance import Distance, pair_distance
from stereokit.metrics.memorisation import memorisation

L1 = Distance("", is_sorted=False, power=1)


def clips(count: int, seed: int = 0, width: int = 6) -> list[np.ndarray]:
    return list(np.random.default_rng([seed, count]).normal(size=(count, width, 1)))


@settings(max_examples=25, deadline=None)
@given(
    g=st.integers(1, 30),
    r=st.integers(1, 30),
    t=st.integers(1, 30),
    seed=st.integers(0, 99),
    kind=st.sampled_from(["tied", "plain"]),
)
def test_distances_and_the_test_equal_their_twins(g: int, r: int, t: int, seed: int, kind: str) -> None:
    made, real, train = clips(g, seed), clips(r, seed + 100), clips(t, seed + 200)
    if kind == "tied":
        made, real, train = ([np.rint(one[:2] / 2) for one in some] for some in (made, real, train))
    result = memorisation(made, real, train, L1)
    for some, found in ((made, result.generated_distance), (real, result.reference_distance)):
        rows = np.array([[pair_distance(one[:, 0], other[:, 0], L1) for other in train] for one in some])
        np.testing.assert_allclose(found, rows.min(axis=1), atol=1e-12)
    near, far = result.generated_distance, result.reference_distance
    test = mannwhitneyu(far, near, alternative="greater", method="asymptotic", use_continuity=False)
    assert result.nearer == pytest.approx(test.statistic / (g * r), abs=1e-12)
    if result.z:
        assert norm.sf(result.z) == pytest.approx(test.pvalue, rel=1e-6)


def test_copies_are_seen_named_and_beyond_chance() -> None:
    train, real = clips(60, 1), clips(40, 2)
    made = [*(one + 1e-6 for one in train[10:40]), *clips(10, 3)]
    result = memorisation(made, real, train, L1)
    assert result.generated_index[:30].tolist() == list(range(10, 40))
    assert set(range(30)) <= set(result.suspects.tolist())
    assert result.nearer > 0.8
    assert result.z > 5


def test_fresh_clips_of_the_same_source_are_no_nearer_than_the_reference() -> None:
    shares = [memorisation(clips(40, seed), clips(40, seed + 1), clips(80, seed + 2), L1) for seed in range(0, 90, 3)]
    assert np.mean([one.nearer for one in shares]) == pytest.approx(0.5, abs=0.05)
    assert np.std([one.z for one in shares]) == pytest.approx(1.0, abs=0.35)


def test_swapping_generated_and_reference_turns_the_result() -> None:
    made, real, train = clips(12, 1), clips(17, 2), clips(20, 3)
    one, other = memorisation(made, real, train, L1), memorisation(real, made, train, L1)
    assert one.nearer == pytest.approx(1 - other.nearer)
    assert one.z == pytest.approx(-other.z)


def test_where_all_is_equal_nothing_is_nearer_and_nobody_suspect() -> None:
    same = [np.ones((3, 1))] * 4
    result = memorisation(same, same, same, L1)
    assert (result.nearer, result.z, len(result.suspects)) == (0.5, 0.0, 0)


def test_suspects_come_nearest_first() -> None:
    train = [np.zeros((1, 1))]
    made, real = ([np.full((1, 1), value) for value in values] for values in ((0.3, 0.1, 0.9, 0.2), (0.5, 0.25)))
    assert memorisation(made, real, train, L1).suspects.tolist() == [1, 3]
