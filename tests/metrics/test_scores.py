"""COV, MMD and 1-NNA: known answers, and all distances as the yardstick."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.distance import make_pool
from stereokit.metrics.neighbours import Neighbours
from stereokit.metrics.scores.nna import null_accuracy

Vector = NDArray[np.float64]
SCORES = catalog.names("score")
SEARCHES = catalog.names("search")
CLIP = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.7, 1.0]), min_size=1, max_size=4)
SET = st.lists(CLIP, min_size=1, max_size=9)


def scored(generated: list[Vector], reference: list[Vector], *, distance: str, search: str) -> dict[str, float]:
    pool = make_pool(generated, reference, catalog.load("distance", distance))
    neighbours: Neighbours = catalog.load("search", search)(pool)
    return {name: catalog.load("score", name).compute(neighbours) for name in SCORES}


def points(*values: float) -> list[Vector]:
    return [np.array([[value]]) for value in values]


def test_these_scores_have_twins() -> None:
    assert SCORES == ["cov", "mmd", "nna"]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(
    ("generated", "reference", "expected"),
    [
        # each generated clip copies a reference clip: covered, no distance, and its copy is always nearest
        ((0, 10, 20), (0, 10, 20), {"cov": 1.0, "mmd": 0.0, "nna": 0.0}),
        # far apart: all fall on one reference clip, and the sets are told apart
        ((0, 1, 2), (100, 101, 102), {"cov": 1 / 3, "mmd": 99.0, "nna": 1.0}),
        # mode collapse: one place of many
        ((5, 5, 5), (0, 5, 10, 15), {"cov": 1 / 4, "mmd": 5.0, "nna": (3 * 0.5 + 0.5 + 0 + 0.5 + 1) / 7}),
        # a tie for the nearest reference clip: the first wins
        ((1,), (0, 2), {"cov": 1 / 2, "mmd": 1.0, "nna": 0.0}),
        # one clip each: no other clip of their own
        ((3,), (3,), {"cov": 1.0, "mmd": 0.0, "nna": 0.0}),
        # interleaved: the other set is always nearer
        ((0, 2), (1, 3), {"cov": 1 / 2, "mmd": 1.0, "nna": 0.0}),
        # own and other set equally near: halves
        ((0, 1, 5, 6), (2, 4), {"cov": 1.0, "mmd": 1.0, "nna": (1 + 0.5 + 0.5 + 1 + 0 + 0) / 6}),
    ],
)
def test_scores_of_sets_on_a_line(
    search: str, generated: tuple[float, ...], reference: tuple[float, ...], expected: dict[str, float]
) -> None:
    found = scored(points(*generated), points(*reference), distance="emd", search=search)
    assert found == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("distance", catalog.names("distance"))
@settings(max_examples=25, deadline=None)
@given(generated=SET, reference=SET)
def test_scores_equal_their_definitions_on_ties_duplicates_and_sets_of_any_size(
    twin: SimpleNamespace, search: str, distance: str, generated: list[list[float]], reference: list[list[float]]
) -> None:
    gen, ref = [np.array(clip) for clip in generated], [np.array(clip) for clip in reference]
    found = scored(gen, ref, distance=distance, search=search)
    assert found == pytest.approx(twin.scores(gen, ref, distance), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("kind", ["random", "tied", "duplicated", "unequal"])
@pytest.mark.parametrize(("n_gen", "n_ref"), [(25, 25), (1, 20), (20, 1), (12, 30)])
def test_scores_equal_their_definitions_on_larger_sets(
    twin: SimpleNamespace, sequences: Callable[..., list[Vector]], search: str, kind: str, *, n_gen: int, n_ref: int
) -> None:
    gen, ref = sequences(n_gen, kind, seed=3), sequences(n_ref, kind, seed=4)
    found = scored(gen, ref, distance="emd", search=search)
    assert found == pytest.approx(twin.scores(gen, ref), rel=1e-9)


@pytest.mark.parametrize("search", SEARCHES)
@settings(max_examples=30, deadline=None)
@given(generated=SET, reference=SET)
def test_swapping_the_sets_leaves_1_nna_unchanged(
    search: str, generated: list[list[float]], reference: list[list[float]]
) -> None:
    gen, ref = [np.array(clip) for clip in generated], [np.array(clip) for clip in reference]
    forth, back = (scored(*sets, distance="emd", search=search)["nna"] for sets in ((gen, ref), (ref, gen)))
    assert forth == pytest.approx(back, abs=1e-12)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("kind", ["random", "unequal"])
def test_the_order_of_the_clips_is_irrelevant(sequences: Callable[..., list[Vector]], search: str, kind: str) -> None:
    gen, ref = sequences(40, kind, seed=3), sequences(30, kind, seed=4)
    random = np.random.default_rng(0)
    shuffled = [[clips[k] for k in random.permutation(len(clips))] for clips in (gen, ref)]
    before = scored(gen, ref, distance="emd", search=search)
    assert scored(*shuffled, distance="emd", search=search) == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("search", SEARCHES)
def test_identical_sets_are_at_no_distance_and_cannot_be_told_apart(
    sequences: Callable[..., list[Vector]], search: str
) -> None:
    clips = sequences(50, "unequal")
    found = scored(clips, [clip.copy() for clip in clips], distance="emd", search=search)
    assert found == {"cov": 1.0, "mmd": 0.0, "nna": 0.0}


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("distinct", [1, 7, 20])
def test_of_duplicates_in_the_reference_only_the_first_is_covered(search: str, distinct: int) -> None:
    clips = points(*(k % distinct for k in range(40)))
    found = scored(clips, clips, distance="emd", search=search)
    # Every clip has an equal one in both sets: all ties, so halves.
    assert found == {"cov": distinct / 40, "mmd": 0.0, "nna": 0.5}


def test_a_tie_up_to_rounding_counts_one_half() -> None:
    neighbours = Neighbours(1, np.array([0.3, 0.2]), np.array([0.1 + 0.2, 0.2]), np.zeros(2, int), np.full(2, -1))
    assert neighbours.own_distance[0] != neighbours.other_distance[0]
    assert catalog.load("score", "nna").compute(neighbours) == 0.5


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_the_null_of_1_nna_is_a_draw_from_all_other_clips(generated: int, reference: int) -> None:
    total = generated + reference
    by_clip = [(generated - 1) / (total - 1)] * generated + [(reference - 1) / (total - 1)] * reference
    assert null_accuracy(generated, reference) == pytest.approx(np.mean(by_clip), abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 60, 1152])
def test_the_null_at_equal_sizes_lies_just_below_one_half(count: int) -> None:
    assert null_accuracy(count, count) == pytest.approx((count - 1) / (2 * count - 1), abs=1e-15)
