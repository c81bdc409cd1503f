"""Nearest neighbours: every search against all distances, and the searches against each other."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.errors import MissingError
from stereokit.metrics.distance import make_pool
from stereokit.metrics.neighbours import Neighbours, choose_search
from stereokit.metrics.searches import tree

Vector = NDArray[np.float64]
DISTANCES = catalog.names("distance")
SEARCHES = catalog.names("search")
KINDS = ["random", "tied", "duplicated", "tied duplicated", "unequal", "unequal tied", "unequal duplicated"]
CLIP = st.lists(st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0, 1.5]), min_size=1, max_size=5)
SET = st.lists(CLIP, min_size=1, max_size=12)


def found(search: str, generated: Any, reference: Any, distance: str) -> Neighbours:
    pool = make_pool(generated, reference, catalog.load("distance", distance))
    neighbours: Neighbours = catalog.load("search", search)(pool)
    return neighbours


def same(a: Neighbours, b: Neighbours) -> None:
    assert a.generated == b.generated
    np.testing.assert_allclose(a.own_distance, b.own_distance, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(a.other_distance, b.other_distance, rtol=1e-11, atol=1e-15)
    np.testing.assert_array_equal(a.other_index, b.other_index)
    np.testing.assert_array_equal(a.own_index, b.own_index)


def all_distances(twin: SimpleNamespace, generated: Any, reference: Any, distance: str) -> Neighbours:
    clips = [*generated, *reference]
    matrix = np.array([[twin.distance(distance, a, b) for b in clips] for a in clips])
    np.fill_diagonal(matrix, np.inf)
    split = len(generated)
    own, other, index, own_index = [], [], [], []
    for k, row in enumerate(matrix):
        mine, theirs = (row[:split], row[split:]) if k < split else (row[split:], row[:split])
        own.append(mine.min())
        other.append(theirs.min())
        index.append(np.flatnonzero(theirs <= theirs.min() * (1 + 1e-10) + 1e-15)[0])
        nearest = np.flatnonzero(mine <= mine.min() * (1 + 1e-10) + 1e-15)
        own_index.append(nearest[0] if len(mine) > 1 else -1)
    return Neighbours(split, np.array(own), np.array(other), np.array(index), np.array(own_index))


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("distance", DISTANCES)
@settings(max_examples=25, deadline=None)
@given(generated=SET, reference=SET)
def test_a_search_finds_what_all_distances_show(
    twin: SimpleNamespace, search: str, distance: str, generated: list[list[float]], reference: list[list[float]]
) -> None:
    gen, ref = [np.array(clip) for clip in generated], [np.array(clip) for clip in reference]
    same(found(search, gen, ref, distance), all_distances(twin, gen, ref, distance))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_gen", "n_ref"), [(250, 250), (1, 120), (120, 1), (60, 200), (1, 1), (25, 24)])
def test_the_searches_agree(
    sequences: Callable[..., list[Vector]], distance: str, kind: str, n_gen: int, n_ref: int
) -> None:
    if kind.startswith("unequal"):
        n_gen, n_ref = -(-n_gen // 4), -(-n_ref // 4)
    gen, ref = sequences(n_gen, kind, seed=1), sequences(n_ref, kind, seed=2)
    if "duplicated" in kind:
        ref[::2] = [gen[k % n_gen].copy() for k in range(len(ref[::2]))]
    brute = found("brute", gen, ref, distance)
    same(brute, found("tree", gen, ref, distance))
    same(brute, found("device", gen, ref, distance))


@pytest.mark.parametrize("distance", DISTANCES)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), is_even=st.booleans())
def test_the_searches_agree_on_ties_among_large_values(data: st.DataObject, distance: str, *, is_even: bool) -> None:
    # Steps of 1/100 around 1000: distances are tiny against the values whose sums bound them.
    value = st.integers(-2, 2).map(lambda step: 1000.0 + step / 100)
    size = data.draw(st.integers(1, 12))
    clip = st.lists(value, min_size=size if is_even else 1, max_size=size).map(np.array)
    gen = data.draw(st.lists(clip, min_size=1, max_size=30))
    ref = data.draw(st.lists(clip, min_size=1, max_size=30))
    same(found("brute", gen, ref, distance), found("tree", gen, ref, distance))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("seed", range(3))
def test_the_searches_agree_on_clips_that_lie_evenly_spaced(distance: str, seed: int) -> None:
    # Each clip is one curve lifted by a step: bounds equal distances, and left and right neighbours tie.
    random = np.random.default_rng(seed)
    curve = np.sort(random.integers(0, 100_000, 37)) / 1024
    clips = [curve + step / 1024 for step in random.permutation(400)]
    same(found("brute", clips[:200], clips[200:], distance), found("tree", clips[:200], clips[200:], distance))


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("seed", range(2))
def test_clips_that_only_repeat_their_values_are_ties_at_nothing(search: str, seed: int) -> None:
    # Their values have one distribution, but the sums behind their bounds are rounded differently.
    random = np.random.default_rng(seed)
    bases = random.gamma(2.0, 0.02, (4, 5))
    variants = [(k, times) for k in range(4) for times in range(1, 41)]
    order = random.permutation(len(variants))
    reference = [np.repeat(bases[variants[place][0]], variants[place][1]) for place in order]
    first = [next(i for i, place in enumerate(order) if variants[place][0] == k) for k in range(4)]
    neighbours = found(search, list(bases), reference, "emd")
    assert not neighbours.other_distance[:4].any()
    assert neighbours.other_index[:4].tolist() == first


@pytest.mark.parametrize("search", SEARCHES)
def test_a_clip_alone_in_its_set_has_no_own_neighbour(search: str) -> None:
    neighbours = found(search, [np.zeros(3)], [np.ones(3), np.full(3, 2.0)], "emd")
    assert neighbours.own_distance.tolist() == [np.inf, 1.0, 1.0]
    assert neighbours.other_distance.tolist() == [1.0, 1.0, 2.0]
    assert neighbours.other_index.tolist() == [0, 0, 0]


@pytest.mark.parametrize("search", SEARCHES)
def test_of_tied_neighbours_the_first_is_named(search: str) -> None:
    reference = [np.array([value]) for value in (9.0, 1.0, -1.0, 1.0)]
    assert found(search, [np.array([0.0])], reference, "l1").other_index[0] == 1


@pytest.mark.parametrize("search", SEARCHES)
def test_a_tie_up_to_rounding_is_a_tie(search: str) -> None:
    # 0.1 + 0.2 is a hair above 0.3
    neighbours = found(search, [np.array([0.0])], [np.array([0.1 + 0.2]), np.array([0.3])], "l1")
    assert neighbours.other_index[0] == 0
    assert neighbours.other_distance[0] == 0.3


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_searches_agree_on_small_differences_beside_large_ones(distance: str) -> None:
    # Single precision, scaled to the far clips, cannot tell the near ones apart.
    random = np.random.default_rng(5)
    clips = [1000.0 + random.random(20) * 1e-6 for _ in range(150)] + [random.random(20) * 1e6 for _ in range(50)]
    clips = [clips[place] for place in random.permutation(200)]
    same(found("brute", clips[:90], clips[90:], distance), found("tree", clips[:90], clips[90:], distance))


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_set_may_fill_several_groups_of_leaves_and_its_last_leaf_in_part(distance: str) -> None:
    random = np.random.default_rng(6)
    values = random.random((2500, 6)) * random.random((2500, 1))
    values[::50] = values[1]
    same(found("brute", values[:2467], values[2467:], distance), found("tree", values[:2467], values[2467:], distance))


def test_twenty_thousand_equal_clips_are_no_burden_for_the_tree() -> None:
    # Were equal clips compared with each other, this were 4e8 comparisons: minutes, not a second.
    clips = [np.array([0.25, 0.5, 1.0])] * 10_000
    neighbours = found("tree", clips, clips, "emd")
    assert not np.any([neighbours.own_distance, neighbours.other_distance, neighbours.other_index])


@pytest.mark.parametrize("kind", ["like sound", "independent"])
def test_threads_change_nothing_about_thousands_of_clips(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(7)
    values = random.random((9000, 12)) * (random.random((9000, 1)) if kind == "like sound" else 1.0)
    pool = make_pool([*values[:4500]], [*values[4500:]], catalog.load("distance", "l1"))
    once = tree.search(pool)
    monkeypatch.setattr(tree, "_THREADED_CLIPS", 0)
    twice = tree.search(pool, threads=2)
    assert once.own_distance.tolist() == twice.own_distance.tolist()
    assert once.other_distance.tolist() == twice.other_distance.tolist()
    assert once.own_index.tolist() == twice.own_index.tolist()
    assert once.other_index.tolist() == twice.other_index.tolist()


def test_a_tree_that_prunes_nothing_is_left_for_a_comparison_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = tree.compare_all_pairs
    monkeypatch.setattr(tree, "compare_all_pairs", lambda *words: (compared.append(len(words[0])), compare(*words))[1])
    independent = np.random.default_rng(3).random((8400, 48))
    made = make_pool([*independent[:4200]], [*independent[4200:]], catalog.load("distance", "l1"))
    tree.search(made)
    assert compared == [8400]
    alike = independent * np.linspace(0, 1, 8400)[:, None] * 1e-3 + np.linspace(0, 1, 8400)[:, None]
    tree.search(make_pool([*alike[:4200]], [*alike[4200:]], catalog.load("distance", "l1")))
    assert compared == [8400]


def test_frames_of_many_values_are_searched_like_others(twin: SimpleNamespace) -> None:
    clips = list(np.random.default_rng(3).normal(-40, 10, (40, 4, 16)))
    expected = all_distances(twin, clips[:15], clips[15:], "l1")
    for search in SEARCHES:
        same(found(search, clips[:15], clips[15:], "l1"), expected)


def test_little_work_is_done_by_brute_force_and_much_by_the_tree() -> None:
    pool = make_pool([np.zeros(37)], [np.zeros(37)], catalog.load("distance", "emd"))
    assert choose_search(pool, [200]) is catalog.load("search", "brute")
    assert choose_search(pool, [20_000]).func is catalog.load("search", "tree")
    assert choose_search(pool, [1500] * 40).func is catalog.load("search", "tree")
    uneven = make_pool([np.zeros(37)], [np.zeros(36)], catalog.load("distance", "emd"))
    assert choose_search(uneven, [200]) is catalog.load("search", "brute")
    assert choose_search(uneven, [100_000]).func is catalog.load("search", "tree")


def test_a_device_is_used_where_one_is_asked_for() -> None:
    pool = make_pool([np.zeros(37)], [np.ones(37)], catalog.load("distance", "emd"))
    assert choose_search(pool, [2], device="cpu")(pool).other_distance.tolist() == [1.0, 1.0]


def test_a_device_without_torch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingError, match="needs torch"):
        found("device", [np.zeros(2)], [np.ones(2)], "emd")
