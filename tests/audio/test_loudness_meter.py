"""The loudness of a sound that comes in parts."""

import numpy as np
import pytest

from stereokit.audio.clip import Clip
from stereokit.audio.levels import loudness_lufs
from stereokit.audio.loudness_meter import LoudnessMeter


def metered(samples: np.ndarray, rate: int, part: int) -> float:
    meter = LoudnessMeter(rate)
    for start in range(0, samples.shape[1], part):
        meter.add(samples[:, start : start + part].T)
    return meter.loudness_lufs()


def noise(frames: int) -> np.ndarray:
    samples = 0.1 * np.random.default_rng(0).standard_normal((2, frames))
    # quiet in the middle, so that the gate has something to do
    samples[:, frames // 3 : frames // 2] *= 1e-3
    return samples.astype(np.float32)


@pytest.mark.parametrize("frames", [1, 100, 3_200, 3_201, 9_000, 100_001])
@pytest.mark.parametrize("part", [1_000, 70_000])
def test_it_is_that_of_the_whole_clip_however_it_comes(frames: int, part: int):
    samples = noise(frames)
    assert metered(samples, 8_000, part) == pytest.approx(loudness_lufs(Clip(samples, 8_000)), abs=1e-9)


def test_at_a_rate_without_whole_stretches_it_is_within_a_hundredth():
    samples = noise(60_000)
    assert metered(samples, 11_025, 999) == pytest.approx(loudness_lufs(Clip(samples, 11_025)), abs=0.01)


def test_silence_has_none():
    assert metered(np.zeros((2, 20_000), np.float32), 8_000, 7_000) == -np.inf
