"""Pictures and statistics that classifiers look at: known levels of tones, silence, and lengths that do not matter."""

import numpy as np
import pytest
import torch

from stereokit.representations._cepstra import CepstralStatistics
from stereokit.representations._level_pictures import LevelPictures

RATE = 44_100
SETTINGS = {"sample_rate": RATE, "window": 2_048, "hop": 441, "bands": 64}


def tone(hz, frames=RATE, level_db=0.0):
    return 10.0 ** (level_db / 20.0) * torch.sin(2.0 * torch.pi * hz * torch.arange(frames) / RATE)[None, None]


def burst(frames):
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 1, frames))).float()
    return noise * torch.exp(-torch.arange(frames) / 2_000.0)


@pytest.mark.parametrize("level_db", [0.0, -20.0, -60.0])
def test_a_tone_has_its_level_in_its_band_and_less_elsewhere(level_db):
    picture = LevelPictures(**SETTINGS)(tone(1_000.0, level_db=level_db))
    assert picture.shape == (1, 1, 64, RATE // 441 + 1)
    middle = picture[0, 0, :, 50]
    # a band's triangle is not everywhere 1, and takes in the neighbouring bins
    assert 80.0 * (float(middle.max()) - 1.0) == pytest.approx(level_db, abs=2.0)
    mel = 2_595.0 * torch.log10(torch.tensor(1.0 + 1_000.0 / 700.0))
    low, high = (2_595.0 * torch.log10(torch.tensor(1.0 + hz / 700.0)) for hz in (40.0, 16_000.0))
    assert int(middle.argmax()) == pytest.approx(float((mel - low) / (high - low)) * 65.0 - 1.0, abs=1.0)
    assert float(middle[-8:].max()) < 0.3


def test_silence_and_what_is_under_the_floor_are_zero():
    pictures = LevelPictures(**SETTINGS)
    assert not pictures(torch.zeros(1, 2, RATE)).any()
    assert not pictures(tone(1_000.0, level_db=-100.0)).any()


def test_clips_do_not_change_each_other():
    waves = torch.stack([tone(500.0)[0], burst(RATE)[0]])
    pictures = LevelPictures(**SETTINGS)
    assert torch.allclose(pictures(waves)[1], pictures(waves[1:])[0], atol=1e-6)


def test_statistics_count_the_frames_of_the_sound_and_not_the_silence_behind_it():
    statistics = CepstralStatistics(**SETTINGS)
    sound = burst(RATE // 2)
    padded = torch.nn.functional.pad(sound, (0, RATE // 2))
    own, same = statistics(sound), statistics(padded)
    assert own.shape == (1, statistics.width)
    # means, deviations and steps of the sound itself; then its highest and lowest
    assert torch.allclose(own[:, :120], same[:, :120], atol=1e-2)
    assert torch.allclose(own[:, -1], same[:, -1])


@pytest.mark.parametrize("frames", [1, 300, 2 * RATE])
def test_statistics_of_any_length_are_finite(frames):
    statistics = CepstralStatistics(**SETTINGS)
    assert statistics(torch.zeros(2, 1, frames)).isfinite().all()
    assert statistics(burst(frames)).isfinite().all()
