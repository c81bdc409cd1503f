"""Noise beside real clips: as loud, as wide and as long as they are, and nothing more."""

import numpy as np
import pytest

from stereokit.audio.clip import Clip
from stereokit.data.noise import Likeness, burst, decay_of, likeness_of
from stereokit.errors import BadInputError

RATE, FRAMES = 8_000, 3_200


def bursts(likeness: Likeness, count: int = 300) -> list[Clip]:
    random = np.random.default_rng(0)
    return [burst(random, likeness, frames=FRAMES, sample_rate=RATE) for _ in range(count)]


@pytest.mark.parametrize("width", [0.0, 0.1, 0.5])
def test_bursts_have_the_level_the_width_and_the_decay_that_is_asked_for_in_the_mean(width: float):
    likeness = Likeness(level=0.05, width=width, decay=0.05)
    found = likeness_of(bursts(likeness))
    assert found.level == pytest.approx(0.05, rel=0.05)
    assert found.width == pytest.approx(width, rel=0.05)
    assert found.decay == pytest.approx(0.05, rel=0.05)


def test_no_two_bursts_are_alike():
    levels = [float(np.sqrt(np.mean(clip.samples**2))) for clip in bursts(Likeness(0.1, 0.1, 0.05), 20)]
    assert len(set(levels)) == 20
    assert 0.05 <= min(levels) < 0.08
    assert 0.12 < max(levels) <= 0.15


def test_a_burst_that_would_pass_full_scale_is_turned_down_as_a_whole():
    for clip in bursts(Likeness(level=2.0, width=0.0, decay=0.05), 10):
        assert np.abs(clip.samples).max() == pytest.approx(1.0)
        # clipping would leave many samples there
        assert (np.abs(clip.samples) > 0.999).sum() <= 4


def test_without_width_a_burst_is_mono_and_with_all_of_it_nothing_is_in_the_middle():
    for clip in bursts(Likeness(0.1, 0.0, 0.05), 5):
        assert np.array_equal(clip.samples[0], clip.samples[1])
    for clip in bursts(Likeness(0.1, 2.0, 0.05), 5):
        assert np.abs(clip.samples.sum(axis=0)).max() < 1e-6


def test_the_noise_is_white():
    power = sum(np.abs(np.fft.rfft(clip.samples[0])) ** 2 for clip in bursts(Likeness(0.1, 0.3, 0.05)))
    half = len(power) // 2
    assert power[:half].sum() / power[half:].sum() == pytest.approx(1.0, abs=0.03)


def test_a_sine_that_decays_has_its_own_level_width_and_decay():
    time = np.arange(FRAMES) / RATE
    left = (np.sin(2 * np.pi * 500 * time) * np.exp(-time / 0.04)).astype(np.float32)
    found = likeness_of([Clip(np.stack([left, np.zeros_like(left)]), RATE)])
    # half of a one-sided sound's energy is side
    assert found.width == pytest.approx(0.5)
    assert found.decay == pytest.approx(0.04, rel=0.01)
    assert found.level == pytest.approx(np.sqrt(np.mean(left**2) / 2))


def test_a_steady_sound_has_the_longest_decay_and_silence_none():
    assert decay_of(0.2, 0.4) == pytest.approx(40.0)
    steady = likeness_of([Clip(np.full((2, FRAMES), 0.5, np.float32), RATE)])
    assert steady.decay > 1.0
    silent = Clip(np.zeros((2, FRAMES), np.float32), RATE)
    assert likeness_of([silent, Clip(np.full((2, FRAMES), 0.5, np.float32), RATE)]) == steady
    with pytest.raises(BadInputError, match="silent"):
        likeness_of([silent])
