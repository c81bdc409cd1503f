"""The weighting filter: the coefficients that the standard prints, and SciPy's recursion as an independent twin."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from stereokit.audio import k_weighting
from stereokit.audio.k_weighting import high_pass, shelf

RATES = [44_100, 48_000, 96_000]
# The coefficients that ITU-R BS.1770-4 prints for 48 kHz
PRINTED_SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
PRINTED_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
SEGMENT = k_weighting._BLOCK * k_weighting._BLOCKS_AT_ONCE


def noise(frames: int) -> NDArray[np.float32]:
    offset = np.array([[0.0], [0.5]])
    return (np.random.default_rng(frames).normal(0, 0.1, (2, frames)) + offset).astype(np.float32)


def k_weighted(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    return np.concatenate(list(k_weighting.k_weighted(samples, rate)), axis=1)


def test_the_filters_at_48_khz_are_those_the_standard_prints() -> None:
    for ours, printed in ((shelf(48_000), PRINTED_SHELF), (high_pass(48_000), PRINTED_PASS)):
        np.testing.assert_allclose(ours, printed, rtol=0, atol=1e-11)


@pytest.mark.parametrize("hz", [20, 60, 200, 1000, 3000, 8000])
def test_other_rates_weigh_a_tone_as_48_khz_does(hz: float) -> None:
    weights = []
    for rate in (*RATES, 192_000):
        gain = [signal.freqz(*one(rate), [hz], fs=rate)[1][0] for one in (shelf, high_pass)]
        weights.append(20 * np.log10(np.abs(np.prod(gain))))
    assert np.ptp(weights) < 0.1


@pytest.mark.parametrize("frames", [1, 31, 32, 33, 512, 5000, SEGMENT - 1, SEGMENT, 2 * SEGMENT + 999])
def test_blocks_groups_and_segments_join_without_a_seam(frames: int) -> None:
    expected = noise(frames).astype(np.float64)
    for numerator, denominator in (PRINTED_SHELF, PRINTED_PASS):
        expected = signal.lfilter(numerator, denominator, expected)
    assert np.abs(k_weighted(noise(frames), 48_000) - expected).max() < 1e-9


@pytest.mark.parametrize("border", [32, 512, 8192, SEGMENT])
def test_an_impulse_at_a_border_rings_on(border: int) -> None:
    samples = np.zeros((2, border + 5000), np.float32)
    samples[0, border - 1] = samples[1, border] = 1.0
    left, right = k_weighted(samples, 48_000)
    assert np.abs(left[border - 1 : -1] - right[border:]).max() < 1e-12
    assert abs(left[border - 1] - 1.53512485958697) < 1e-12
    assert not left[: border - 1].any()


@pytest.mark.parametrize("rate", [1000, 2000, 3000, 3363])
def test_a_rate_whose_band_ends_below_the_shelf_hears_the_high_pass_alone(rate: int) -> None:
    samples = noise(4 * rate)
    pole = 2 * rate * np.tan(np.pi * 38.13547087602444 / rate)
    analogue = ([1.0, 0.0, 0.0], [1.0, pole / 0.5003270373238773, pole**2])
    _, denominator = signal.bilinear(*analogue, fs=rate)
    expected = signal.lfilter([1.0, -2.0, 1.0], denominator / denominator[0], samples.astype(np.float64))
    assert np.abs(k_weighted(samples, rate) - expected).max() < 1e-6
