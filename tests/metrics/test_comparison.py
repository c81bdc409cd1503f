"""Two sets compared: draws of equal size, and what chance alone would give."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics import comparison
from stereokit.metrics.comparison import compare_sets
from stereokit.metrics.distance import Distance
from stereokit.metrics.scores.nna import null_accuracy

Vector = NDArray[np.float64]
EMD: Distance = catalog.load("distance", "emd")


def uniform(count: int, *, seed: int, width: int = 1) -> list[Vector]:
    return list(np.random.default_rng(seed).random((count, width, 1)))


def test_sets_of_equal_size_are_compared_once_and_whole(twin: SimpleNamespace) -> None:
    gen, ref = uniform(20, seed=1, width=5), uniform(20, seed=2, width=5)
    result = compare_sets(gen, ref, EMD)
    assert (result.draws, result.generated, result.reference) == (1, 20, 20)
    assert result.scores == pytest.approx(twin.scores(gen, ref), rel=1e-9)
    assert result == compare_sets(gen, ref, EMD, sizes="all")


@pytest.mark.parametrize(("n_gen", "n_ref"), [(30, 12), (12, 30), (3, 1), (1, 3)])
def test_unequal_sets_are_drawn_twenty_times_at_the_smaller_size(n_gen: int, n_ref: int) -> None:
    result = compare_sets(uniform(n_gen, seed=1), uniform(n_ref, seed=2), EMD)
    assert (result.draws, result.generated, result.reference) == (20, min(n_gen, n_ref), min(n_gen, n_ref))


@pytest.mark.parametrize(("n_gen", "n_ref"), [(25, 10), (10, 25)])
def test_the_average_is_that_of_twenty_subsets_of_the_larger_set(
    twin: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, n_gen: int, n_ref: int
) -> None:
    gen, ref = uniform(n_gen, seed=1, width=3), uniform(n_ref, seed=2, width=3)
    drawn = []
    original = comparison.choose_search

    def watched(*words: Any, **options: Any) -> object:
        search = original(*words, **options)

        def one(pool):
            drawn.append([pool.sequence(k).copy() for k in range(len(pool))])
            return search(pool)

        return one

    monkeypatch.setattr(comparison, "choose_search", watched)
    result = compare_sets(gen, ref, EMD)
    parts = [(clips[:10], clips[10:]) for clips in drawn[:20]]
    sets = [{tuple(np.sort(clip.ravel())) for clip in one} for one in (gen, ref)]
    for part in parts:
        assert [len({tuple(clip) for clip in one} & whole) for one, whole in zip(part, sets, strict=True)] == [10, 10]
    assert len({tuple(map(tuple, part[0] if n_gen > n_ref else part[1])) for part in parts}) == 20
    averages = {name: np.mean([twin.scores(*part)[name] for part in parts]) for name in ("cov", "mmd", "nna")}
    assert result.scores == pytest.approx(averages, rel=1e-9)


def test_one_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    gen, ref = uniform(60, seed=1, width=4), uniform(25, seed=2, width=4)
    assert compare_sets(gen, ref, EMD, seed=7) == compare_sets(gen, ref, EMD, seed=7)
    seven, eight = (compare_sets(gen, ref, EMD, seed=seed) for seed in (7, 8))
    assert seven.scores["mmd"] != eight.scores["mmd"]
    assert seven.expected["cov"] != eight.expected["cov"]
    assert seven.expected["nna"] == eight.expected["nna"]


def test_sizes_all_takes_every_clip(twin: SimpleNamespace) -> None:
    gen, ref = uniform(24, seed=1, width=3), uniform(9, seed=2, width=3)
    result = compare_sets(gen, ref, EMD, sizes="all")
    assert (result.draws, result.generated, result.reference) == (1, 24, 9)
    assert result.scores == pytest.approx(twin.scores(gen, ref), rel=1e-9)


@pytest.mark.parametrize("sizes", ["equal", "all"])
@pytest.mark.parametrize(("n_gen", "n_ref"), [(20, 20), (20, 8), (8, 20), (2, 2), (1, 5)])
def test_every_score_has_its_null_beside_it(sizes: comparison.Sizes, n_gen: int, n_ref: int) -> None:
    result = compare_sets(uniform(n_gen, seed=1), uniform(n_ref, seed=2), EMD, sizes=sizes)
    assert set(result.expected) == set(result.scores) == {"cov", "mmd", "nna"}
    assert 0 < result.expected["cov"] <= 1
    assert result.expected["nna"] == null_accuracy(result.generated, result.reference)


def test_a_null_that_depends_on_the_sizes_is_measured_at_these_sizes_or_not_at_all() -> None:
    # What a perfect generator gets with 20 clips against 20 is another sample's score, not that of 500 against 500.
    gen, ref = uniform(20, seed=1, width=5), uniform(1000, seed=2, width=5)
    result = compare_sets(gen, ref, EMD)
    assert result.expected["mmd"] == pytest.approx(result.scores["mmd"], rel=0.15)
    assert compare_sets(gen, ref[:39], EMD).expected["mmd"] is None
    assert compare_sets(gen, ref[:40], EMD).expected["mmd"] is not None


def test_one_reference_clip_cannot_be_split_into_a_null() -> None:
    result = compare_sets(uniform(3, seed=1), uniform(1, seed=2), EMD, sizes="all")
    assert result.expected == {"cov": None, "mmd": None, "nna": null_accuracy(3, 1)}


def test_on_a_line_the_expected_coverage_is_five_ninths() -> None:
    # A reference clip's share v of the line is half the sum of two exponential gaps; none of as many generated
    # clips falls there with probability E exp(-v) = (1 / 1.5)^2 = 4/9.
    result = compare_sets(uniform(400, seed=1), uniform(400, seed=2), EMD)
    assert result.expected["cov"] == pytest.approx(5 / 9, abs=0.03)
    assert result.scores["cov"] == pytest.approx(5 / 9, abs=0.06)


def test_in_many_dimensions_the_expected_coverage_is_below_that_of_a_copy() -> None:
    result = compare_sets(uniform(200, seed=1, width=3), uniform(200, seed=2, width=3), EMD)
    assert 0.5 < result.expected["cov"] < 0.65


@pytest.mark.parametrize(("n_gen", "n_ref", "sizes"), [(200, 200, "equal"), (300, 200, "equal"), (60, 300, "all")])
def test_another_sample_of_the_same_distribution_lies_near_its_null(
    n_gen: int, n_ref: int, sizes: comparison.Sizes
) -> None:
    result = compare_sets(uniform(n_gen, seed=3, width=3), uniform(n_ref, seed=4, width=3), EMD, sizes=sizes)
    assert result.scores["nna"] == pytest.approx(result.expected["nna"], abs=0.1)
    assert result.scores["cov"] == pytest.approx(result.expected["cov"], abs=0.1)


def test_a_wider_set_lies_far_from_its_null() -> None:
    wider = [2 * clip for clip in uniform(200, seed=3, width=3)]
    result = compare_sets(wider, uniform(200, seed=4, width=3), EMD)
    assert result.scores["nna"] > result.expected["nna"] + 0.2
    assert result.scores["cov"] < result.expected["cov"] - 0.1


def test_unequal_sets_move_scores_and_nulls_alike() -> None:
    gen, ref = uniform(60, seed=1, width=3), uniform(300, seed=2, width=3)
    everything, equal = (compare_sets(gen, ref, EMD, sizes=sizes) for sizes in ("all", "equal"))
    assert everything.scores["cov"] < equal.scores["cov"] - 0.2
    assert everything.expected["cov"] < equal.expected["cov"] - 0.2
    assert everything.scores["nna"] > equal.scores["nna"] + 0.1


def test_clips_of_unequal_length_are_compared_too(twin: SimpleNamespace) -> None:
    random = np.random.default_rng(9)
    gen, ref = ([random.random((n, 1)) for n in random.integers(1, 9, 15)] for _ in range(2))
    assert compare_sets(gen, ref, EMD).scores == pytest.approx(twin.scores(gen, ref), rel=1e-9)


@pytest.mark.parametrize("words", [{"device": "cpu"}, {"threads": 2}])
def test_neither_device_nor_threads_change_a_score(words: dict) -> None:
    sets = uniform(60, seed=1, width=5), uniform(90, seed=2, width=5)
    assert compare_sets(*sets, EMD, **words).scores == pytest.approx(compare_sets(*sets, EMD).scores, rel=1e-9)
