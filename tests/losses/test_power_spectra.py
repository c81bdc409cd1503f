"""The distance of power spectra."""

import math

import pytest
import torch

from stereokit.losses.power_spectra import PowerDistance


def sine(amplitude: float) -> torch.Tensor:
    # eight periods in each window, whatever the window
    return amplitude * torch.sin(2.0 * math.pi * torch.arange(4_096, dtype=torch.float64) / 64.0)[None, None]


def test_a_full_sine_has_the_power_of_its_window():
    distance = PowerDistance().double()
    powers = distance.powers(sine(1.0))
    # |X| = sum(w) / 2 at its own bin, where Hann's sum is half its length and the sum of squares three eighths
    expected = (512 / 4) ** 2 / (512 * 3 / 8)
    assert powers.shape == (1, 257, 33)
    assert float(powers[0, 8, 16]) == pytest.approx(expected, rel=1e-6)


def test_equal_waves_are_at_distance_0_and_it_grows_with_the_square_of_the_power():
    distance = PowerDistance().double()
    silence = torch.zeros(1, 1, 4_096, dtype=torch.float64)
    assert float(distance(sine(0.5), sine(0.5))) == 0.0
    near, far = float(distance(sine(0.5), silence)), float(distance(sine(1.0), silence))
    assert far == pytest.approx(16.0 * near, rel=1e-9)


def test_polarity_does_not_matter():
    distance = PowerDistance().double()
    assert float(distance(sine(0.5), sine(-0.5))) == pytest.approx(0.0, abs=1e-18)
