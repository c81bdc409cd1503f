"""Figures of a collapse: known answers, and no alarm by chance for a perfect generator."""

import itertools
import math

import numpy as np
import pytest

from stereokit.metrics.collapse import (
    has_audible_side,
    is_mono_collapse,
    measured_limits,
    pairwise,
    tail,
    variety,
)
from stereokit.metrics.neighbours import Neighbours


def neighbours(own, generated):
    none = np.zeros(len(own))
    return Neighbours(generated, np.array(own), none, none.astype(int), none.astype(int))


def test_variety_is_one_clip_0_and_the_reference_1():
    assert variety(neighbours([0.0, 0.0, 2.0, 4.0], 2)) == 0.0
    assert variety(neighbours([2.0, 4.0, 2.0, 4.0], 2)) == 1.0
    assert variety(neighbours([1.0, 0.5, 2.0, 4.0], 2)) == 0.25
    assert variety(neighbours([1.0, 1.0, 0.0, 0.0], 2)) == math.inf


def test_a_side_counts_from_40_db_under_the_clip_on():
    mid = np.ones(100)
    # Side amplitude a against mid: its share of the energy is a^2 / (1 + a^2).
    for share, expected in ((2e-4, True), (0.5e-4, False), (0.0, False), (1.0, True)):
        side = math.sqrt(share / (1.0 - share)) if share < 1.0 else 1.0
        clip = np.stack([mid + side, mid - side]) if share < 1.0 else np.stack([mid, -mid])
        assert has_audible_side(clip) is expected, share
    assert not has_audible_side(np.zeros((2, 10)))


def test_the_tail_counts_all_ways_to_draw():
    clips = [1, 1, 1, 0, 0, 0, 0]
    ways = [sum(drawn) for drawn in itertools.combinations(clips, 3)]
    for hits in range(4):
        assert tail(3, hits, 7, 3) == pytest.approx(np.mean(np.array(ways) <= hits), abs=1e-15)


def test_mono_is_less_than_half_the_share_and_no_chance():
    assert is_mono_collapse(128, 0, 128, 87)
    assert is_mono_collapse(128, 0, 8, 8)
    # Half of the share, but not less than chance: one validation clip in eight has a side.
    assert not is_mono_collapse(128, 0, 8, 1)
    assert not is_mono_collapse(128, 60, 128, 87)
    assert not is_mono_collapse(128, 0, 128, 0)


def table(count, seed=0):
    points = np.random.default_rng(seed).normal(size=(count, 8))
    return pairwise(list(points), lambda a, b: float(np.linalg.norm(a - b)))


def test_all_pairs_have_their_distance():
    assert pairwise([np.array([0.0]), np.array([3.0]), np.array([1.0])], lambda a, b: abs(a[0] - b[0])).tolist() == [
        [0.0, 3.0, 1.0],
        [3.0, 0.0, 2.0],
        [1.0, 2.0, 0.0],
    ]


@pytest.mark.parametrize("count", [8, 16, 64])
def test_no_perfect_generator_of_200_falls_under_the_limits(count):
    distances = table(count)
    limits = measured_limits(distances, seed=0)
    assert 0.0 < limits.cov <= 1 / 8
    assert 0.0 < limits.variety <= 1 / 4
    assert limits.expected_variety == pytest.approx(1.0, abs=0.1)
    # 1-NNA of n against n fluctuates more than coins do, since neighbours are shared.
    assert 0.8 < limits.nna_noise / math.sqrt(0.25 / (2 * count)) < 2.5


def test_a_reference_of_one_clip_measures_no_variety():
    limits = measured_limits(np.zeros((8, 8)), seed=0)
    assert (limits.variety, limits.expected_variety) == (0.0, None)
