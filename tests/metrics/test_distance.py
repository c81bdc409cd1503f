"""Distances between two sequences, and the lower bounds that a search prunes by."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.distance import Distance, block_means, make_pool, pair_distance, quantile_grid

Vector = NDArray[np.float64]
NAMES = catalog.names("distance")
VALUES = st.floats(-100, 100, allow_subnormal=False) | st.sampled_from([0.0, 0.25, 0.5, 1.0])
SEQUENCE = st.lists(VALUES, min_size=1, max_size=30)


def between(name: str, a: Vector, b: Vector) -> float:
    distance: Distance = catalog.load("distance", name)
    pool = make_pool([a], [b], distance)
    return pair_distance(pool.sequence(0), pool.sequence(1), distance)


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [
        ("emd", [1, 2, 3], [3, 1, 2], 0.0),
        ("emd", [0, 0], [1, 3], 2.0),
        ("emd", [0, 1], [0.5], 0.5),
        ("emd", [0, 0, 3], [0, 3], 0.5),
        ("emd", [5], [2], 3.0),
        ("l1", [1, 2, 3], [3, 1, 2], 4 / 3),
        ("l1", [0, 0], [1, 3], 2.0),
        ("l1", [0, 1, 100], [0, 3], 1.0),
        ("l2", [0, 0], [1, 7], 5.0),
        ("l2", [0, 1, 100], [0, 3], 2**0.5),
    ],
)
def test_known_distances(name: str, a: list[float], b: list[float], expected: float) -> None:
    assert between(name, np.array(a, float), np.array(b, float)) == pytest.approx(expected, abs=1e-15)
    assert between(name, np.array(b, float), np.array(a, float)) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(a=SEQUENCE, b=SEQUENCE)
def test_a_distance_equals_its_definition(twin: SimpleNamespace, name: str, a: list[float], b: list[float]) -> None:
    first, second = np.array(a), np.array(b)
    assert between(name, first, second) == pytest.approx(twin.distance(name, first, second), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(a=SEQUENCE, b=SEQUENCE)
def test_the_earth_mover_forgets_the_order_in_time(a: list[float], b: list[float]) -> None:
    assert between("emd", np.array(a), np.array(b)) == between("emd", np.array(a[::-1]), np.array(sorted(b)))


@settings(deadline=None)
@given(a=SEQUENCE, b=SEQUENCE, times=st.integers(2, 4))
def test_the_earth_mover_weighs_shares_not_counts(a: list[float], b: list[float], times: int) -> None:
    once = between("emd", np.array(a), np.array(b))
    assert between("emd", np.array(a * times), np.array(b)) == pytest.approx(once, rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_the_steps_of_two_quantile_functions_fill_the_whole(first: int, second: int) -> None:
    grid = quantile_grid(first, second)
    assert grid.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert grid.weights.min() > 0
    for index, count in ((grid.first, first), (grid.second, second)):
        np.testing.assert_allclose(np.bincount(index, grid.weights, count), 1 / count, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=80, deadline=None)
@given(clips=st.lists(SEQUENCE, min_size=2, max_size=5), is_even=st.booleans())
def test_a_lower_bound_never_exceeds_the_distance(name: str, clips: list[list[float]], *, is_even: bool) -> None:
    shortest = min(len(clip) for clip in clips)
    arrays = [np.array(clip[:shortest] if is_even else clip) for clip in clips]
    distance: Distance = catalog.load("distance", name)
    pool = make_pool(arrays[:1], arrays[1:], distance)
    for blocks in (1, 8, 16):
        points = block_means(pool, blocks)
        for i in range(len(pool)):
            for j in range(len(pool)):
                bound = np.abs(points[i] - points[j]).sum()
                exact = pair_distance(pool.sequence(i), pool.sequence(j), distance)
                assert bound <= exact * (1 + 1e-12) + 1e-12


@pytest.mark.parametrize(("length", "count"), [(8, 1), (16, 2), (37, 37 / 8)])
def test_the_bound_is_the_distance_where_one_clip_lies_above_the_other(length: int, count: float) -> None:
    random = np.random.default_rng(length)
    low = np.sort(random.random((length, 1)), axis=0)
    pool = make_pool([low], [low + random.random((length, 1)) + 1], catalog.load("distance", "emd"))
    points = block_means(pool, 8)
    assert points.shape == (2, 8)
    np.testing.assert_allclose(points[0, 0], low[: int(count)].sum() / length + low[int(count)] * (count % 1) / length)
    exact = pair_distance(pool.sequence(0), pool.sequence(1), pool.distance)
    assert np.abs(points[0] - points[1]).sum() == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("lengths", [[5], [5, 3, 16, 40]])
def test_the_parts_of_many_clips_add_up_to_their_means(lengths: list[int]) -> None:
    random = np.random.default_rng(0)
    clips = [np.sort(random.normal(size=lengths[k % len(lengths)])) for k in range(700)]
    pool = make_pool(clips[:300], clips[300:], catalog.load("distance", "emd"))
    means = [clip.mean() for clip in clips]
    for blocks in (1, 3, 16):
        np.testing.assert_allclose(block_means(pool, blocks).sum(axis=1), means, atol=1e-14)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_sequences_cut_to_the_shorter_have_no_bound(name: str) -> None:
    pool = make_pool([np.ones(4)], [np.ones(5)], catalog.load("distance", name))
    assert not block_means(pool, 8).any()


def test_a_part_of_a_pool_holds_the_clips_that_were_asked_for(sequences: Callable[..., list[Vector]]) -> None:
    clips = sequences(9, "unequal")
    pool = make_pool(clips[:4], clips[4:], catalog.load("distance", "l1"))
    part = pool.part(np.array([7, 0, 3]), 1)
    assert (len(part), part.generated) == (3, 1)
    for place, index in enumerate((7, 0, 3)):
        np.testing.assert_array_equal(part.sequence(place), clips[index][:, 0])


def test_frames_of_many_values_are_laid_end_to_end() -> None:
    frames = np.arange(6.0).reshape(3, 2)
    pool = make_pool([frames], [frames + 1], catalog.load("distance", "l1"))
    assert pool.sequence(0).tolist() == [0, 1, 2, 3, 4, 5]
    assert pair_distance(pool.sequence(0), pool.sequence(1), pool.distance) == 1.0
