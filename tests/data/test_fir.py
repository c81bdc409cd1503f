"""Filters from a drawn response: the response that was asked for, the delay that was promised."""

import numpy as np
import pytest

from stereokit.data.fir import convolved, decibels_at, minimum_phase, zero_phase

RATE = 44_100
CURVE = [[62.5, -6.0], [250.0, 3.0], [1000.0, 0.0], [4000.0, 6.0], [16_000.0, -9.0]]


def gain_db(impulse, hertz, rate=RATE):
    phase = np.exp(-2j * np.pi * hertz / rate * np.arange(impulse.size))
    return 20 * np.log10(abs((impulse * phase).sum()))


@pytest.mark.parametrize("design", [zero_phase, minimum_phase])
@pytest.mark.parametrize("hertz", [100.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 18_000.0])
def test_a_filter_has_the_response_that_was_drawn(design, hertz: float):
    wanted = decibels_at(CURVE, np.array([hertz]))[0]
    assert gain_db(design(CURVE, RATE), hertz) == pytest.approx(wanted, abs=0.15)


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_the_response_is_the_same_at_other_rates(rate: int):
    assert gain_db(minimum_phase(CURVE, rate), 1000.0, rate) == pytest.approx(0.0, abs=0.15)
    assert gain_db(zero_phase(CURVE, rate), 500.0, rate) == pytest.approx(1.5, abs=0.15)


def test_between_points_decibels_run_straight_over_octaves_and_stay_beyond_the_ends():
    found = decibels_at([[100.0, 0.0], [400.0, 6.0]], np.array([0.0, 50.0, 200.0, 400.0, 9000.0]))
    np.testing.assert_allclose(found, [0.0, 0.0, 3.0, 6.0, 6.0])


def test_zero_phase_is_symmetric_and_a_flat_one_is_an_impulse_now():
    impulse = zero_phase(CURVE, RATE)
    assert impulse.size % 2 == 1
    np.testing.assert_allclose(impulse, impulse[::-1], atol=1e-15)
    flat = zero_phase([[1000.0, 0.0]], RATE)
    assert flat.argmax() == flat.size // 2
    np.testing.assert_allclose(np.delete(flat, flat.size // 2), 0.0, atol=1e-15)


def test_minimum_phase_is_early_and_a_flat_one_is_an_impulse_at_once():
    impulse = minimum_phase(CURVE, RATE)
    assert (impulse[:64] ** 2).sum() / (impulse**2).sum() > 0.9
    # its zeros lie inside the unit circle: no energy comes earlier in any filter of this response
    flat = minimum_phase([[1000.0, 0.0]], RATE)
    assert flat[0] == pytest.approx(1.0)
    assert abs(flat[1:]).max() < 1e-12


@pytest.mark.parametrize("frames", [1, 5, 100, 70_000, 140_001])
@pytest.mark.parametrize("now", [0, 3])
def test_convolution_in_blocks_equals_the_plain_sum(frames: int, now: int):
    random = np.random.default_rng(0)
    samples, impulse = random.standard_normal((2, frames)), random.standard_normal(7)
    plain = np.stack([np.convolve(channel, impulse)[now : now + frames] for channel in samples])
    np.testing.assert_allclose(convolved(samples, impulse, now=now), plain, atol=1e-12)


def test_an_impulse_response_longer_than_the_sound_and_than_a_block_is_cut_to_the_sound():
    random = np.random.default_rng(0)
    impulse = random.standard_normal(80_000)
    made = convolved(np.array([[0.0, 1.0, 0.0, 0.0, 2.0]]), impulse)
    np.testing.assert_allclose(made[0], [0, impulse[0], impulse[1], impulse[2], impulse[3] + 2 * impulse[0]], atol=1e-9)
