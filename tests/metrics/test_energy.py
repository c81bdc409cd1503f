"""The energy distance of two sets of clips."""

import numpy as np
import pytest

from stereokit import catalog
from stereokit.metrics.energy import energy_distance

L1 = catalog.load("distance", "l1")


def clips(count, *, mean=0.0, deviation=1.0, seed=0):
    generator = np.random.default_rng(seed)
    return list(mean + deviation * generator.standard_normal((count, 1, 6)))


def test_it_is_its_formula():
    made, real = [np.array([[0.0]]), np.array([[1.0]])], [np.array([[3.0]]), np.array([[5.0]])]
    assert energy_distance(made, real, L1) == pytest.approx(2 * 3.5 - 1 - 2)


def test_equal_sets_are_near_0_and_blur_costs_as_shift_does():
    real = clips(100)
    assert abs(energy_distance(clips(100, seed=1), real, L1)) < 0.05
    assert energy_distance(clips(100, deviation=0.1, seed=1), real, L1) > 0.2
    assert energy_distance(clips(100, mean=1.0, seed=1), real, L1) > 0.2
