"""The permutation test of 1-NNA: the graph without labels, labels dealt fairly, p-values that hold their promise."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.distance import make_pool
from stereokit.metrics.neighbours import Neighbours
from stereokit.metrics.permutation import (
    accuracies,
    nearest_graph,
    p_value,
    permutations_for,
    permuted_accuracies,
    random_labels,
)
from stereokit.metrics.scores.nna import nearest_neighbour_accuracy, null_accuracy

Vector = NDArray[np.float64]
CLIP = st.lists(st.sampled_from([0.0, 0.125, 0.5, 1.0, 3.0]), min_size=1, max_size=3)
SET = st.lists(CLIP, min_size=1, max_size=9)


def neighbours_of(generated: Any, reference: Any, distance: str = "emd") -> Neighbours:
    pool = make_pool(generated, reference, catalog.load("distance", distance))
    found: Neighbours = catalog.load("search", "brute")(pool)
    return found


def first_ones(count: int, generated: int) -> NDArray[np.uint8]:
    return (np.arange(count) < generated).astype(np.uint8)[:, None]


def uniform(count: int, *, seed: int, width: int = 3) -> list[Vector]:
    return list(np.random.default_rng(seed).random((count, width, 1)))


@settings(max_examples=200, deadline=None)
@given(generated=SET, reference=SET)
def test_the_true_labels_give_the_score_itself_ties_and_copies_and_all(generated: Any, reference: Any) -> None:
    found = neighbours_of([np.array(one) for one in generated], [np.array(one) for one in reference])
    count = len(generated) + len(reference)
    (value,) = accuracies(nearest_graph(found), first_ones(count, len(generated)))
    assert value == pytest.approx(nearest_neighbour_accuracy(found), abs=1e-12)


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_other_labels_give_the_score_that_sets_so_labelled_have(copies: int) -> None:
    clips = uniform(9, seed=copies)
    clips[1:copies] = [clips[0]] * (copies - 1)
    graph = nearest_graph(neighbours_of(clips[:4], clips[4:]))
    for chosen in combinations(range(9), 4):
        labels = np.zeros((9, 1), np.uint8)
        labels[list(chosen)] = 1
        rest = [clips[k] for k in range(9) if k not in chosen]
        scored = nearest_neighbour_accuracy(neighbours_of([clips[k] for k in chosen], rest))
        assert accuracies(graph, labels)[0] == pytest.approx(scored, abs=1e-12)


@pytest.mark.parametrize(("clips", "generated"), [(2, 1), (7, 0), (7, 7), (40, 20), (300, 10), (300, 290), (1000, 400)])
def test_every_labelling_has_as_many_ones_as_asked_for(clips: int, generated: int) -> None:
    labels = random_labels(np.random.default_rng(0), clips=clips, generated=generated, permutations=500)
    assert labels.shape == (clips, 500)
    assert set(np.unique(labels)) <= {0, 1}
    assert (labels.sum(axis=0, dtype=int) == generated).all()


@pytest.mark.parametrize(("clips", "generated"), [(5, 2), (6, 3), (12, 1), (7, 6)])
def test_all_labellings_are_equally_likely(clips: int, generated: int) -> None:
    labels = random_labels(np.random.default_rng(1), clips=clips, generated=generated, permutations=60_000)
    seen = np.unique(labels.T @ (1 << np.arange(clips)), return_counts=True)[1]
    possible = len(list(combinations(range(clips), generated)))
    assert len(seen) == possible
    # Counts are Poisson-like; five standard deviations.
    assert np.abs(seen - 60_000 / possible).max() < 5 * (60_000 / possible) ** 0.5


def test_permuted_scores_lie_around_the_formula() -> None:
    found = neighbours_of(uniform(60, seed=1), uniform(30, seed=2))
    permuted = permuted_accuracies(found, np.random.default_rng(0), permutations=4000)
    assert permuted.mean() == pytest.approx(null_accuracy(60, 30), abs=0.003)


def test_the_spread_is_wider_than_that_of_independent_guesses() -> None:
    found = neighbours_of(uniform(200, seed=1), uniform(200, seed=2))
    permuted = permuted_accuracies(found, np.random.default_rng(0), permutations=4000)
    assert permuted.std() / (0.25 / 400) ** 0.5 == pytest.approx(1.25, abs=0.08)


def test_sets_of_one_distribution_have_small_p_values_as_seldom_as_promised() -> None:
    values = []
    for seed in range(200):
        found = neighbours_of(uniform(25, seed=2 * seed), uniform(25, seed=2 * seed + 1))
        permuted = permuted_accuracies(found, np.random.default_rng(seed), permutations=300)
        values.append(p_value(nearest_neighbour_accuracy(found), permuted))
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(values) <= level) < level + 3 * (level * (1 - level) / 200) ** 0.5


def test_sets_that_differ_have_the_smallest_p_value_there_is() -> None:
    found = neighbours_of(uniform(30, seed=1), [one + 5.0 for one in uniform(30, seed=2)])
    permuted = permuted_accuracies(found, np.random.default_rng(0), permutations=999)
    assert p_value(nearest_neighbour_accuracy(found), permuted) == 1 / 1000


@pytest.mark.parametrize(
    ("observed", "permuted", "p"),
    [(1.0, [0.0, 0.5], 1 / 3), (0.5, [0.0, 0.5], 2 / 3), (0.0, [0.0, 0.5], 1.0), (0.3, [0.1 + 0.2], 1.0)],
)
def test_a_p_value_counts_what_is_as_high_and_itself(observed: float, permuted: list[float], p: float) -> None:
    assert p_value(observed, np.array(permuted)) == p


def test_large_sets_and_many_draws_get_fewer_permutations() -> None:
    assert [permutations_for(count) for count in (2, 2304, 10_000, 1_000_000)] == [10_000, 10_000, 2_500, 1_000]
    assert permutations_for(100, draws=20) == 1000


def test_blocks_of_labels_do_not_depend_on_chance_alone() -> None:
    found = neighbours_of(uniform(40, seed=1), uniform(40, seed=2))
    one, two = (permuted_accuracies(found, np.random.default_rng(5), permutations=100) for _ in range(2))
    np.testing.assert_array_equal(one, two)
