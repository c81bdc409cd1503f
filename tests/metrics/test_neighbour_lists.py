"""Lists of nearest clips: what is looked up in them is what a search of the subset finds."""

import numpy as np
import pytest

from stereokit import catalog
from stereokit.metrics.distance import make_pool
from stereokit.metrics.neighbour_lists import neighbour_lists

KINDS = ["random", "tied", "duplicated", "unequal", "unequal tied"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", catalog.names("distance"))
@pytest.mark.parametrize("share", [0.9, 0.03])
def test_the_nearest_of_a_subset_is_that_of_all_distances(sequences, twin, kind: str, distance: str, share: float):
    gen, ref = sequences(30, kind, seed=1), sequences(50, kind, seed=2)
    pool = make_pool(gen, ref, catalog.load("distance", distance))
    queries, candidates = np.arange(30), np.arange(30, 80)
    lists = neighbour_lists(pool, queries, candidates, share=share)
    # With so long a share lists are short, so that few members of a small subset are in them.
    is_allowed = np.zeros(80, bool)
    is_allowed[np.random.default_rng(3).permutation(candidates)[:3]] = True
    rows = np.array([0, 4, 29])
    found, numbers = lists.nearest(is_allowed, rows)
    for row, value, number in zip(rows, found, numbers, strict=True):
        gaps = {k: twin.distance(distance, gen[row], ref[k - 30]) for k in np.flatnonzero(is_allowed)}
        assert value == pytest.approx(min(gaps.values()), rel=1e-9, abs=1e-15)
        assert gaps[number] == pytest.approx(min(gaps.values()), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("count", [2, 5, 90])
def test_a_clip_is_never_its_own_neighbour(sequences, count: int):
    pool = make_pool(sequences(count, "random"), sequences(count, "random", seed=1), catalog.load("distance", "emd"))
    everything = np.arange(2 * count)
    lists = neighbour_lists(pool, everything, everything, share=0.5)
    distances, numbers = lists.nearest(np.ones(2 * count, bool), everything)
    assert np.isfinite(distances).all()
    assert (numbers != everything).all()
    assert lists.numbers.shape[1] == min(2 * count, 34)
