"""Onsets: attacks at known places, and steady sounds without any."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit.audio.onsets import onset_frames

RATE = 44_100
MILLISECOND = RATE // 1000


def plucks(places: list[int], *, frames: int, channel: int | None = None) -> NDArray[np.float32]:
    """Return decaying tones of different pitch at the places, shape (frames, 2), in one channel or both."""
    sound = np.zeros((frames, 2), np.float32)
    for number, place in enumerate(places):
        time = np.arange(frames - place) / RATE
        pluck = 0.5 * np.exp(-time / 0.1) * np.cos(2 * np.pi * 200 * (1 + number) * time)
        sound[place:, slice(None) if channel is None else channel] += pluck[:, None] if channel is None else pluck
    return sound


@pytest.mark.parametrize("channel", [None, 0, 1])
def test_each_attack_is_found_one_to_two_milliseconds_early(channel: int | None) -> None:
    places = [5000, 15_000, 29_999, 40_001]
    found = onset_frames([plucks(places, frames=50_000, channel=channel)], RATE)
    assert len(found) == len(places)
    assert all(MILLISECOND <= place - one <= 2 * MILLISECOND + 1 for place, one in zip(places, found, strict=True))


def test_a_sound_that_starts_at_once_has_an_onset_at_its_start() -> None:
    assert onset_frames([plucks([0], frames=20_000)], RATE) == [0]


def test_an_attack_in_the_last_milliseconds_is_found() -> None:
    (found,) = onset_frames([plucks([19_900], frames=20_000)], RATE)
    assert 19_900 - 2 * MILLISECOND - 1 <= found <= 19_900 - MILLISECOND


@pytest.mark.parametrize("level", [0.001, 0.2])
def test_steady_noise_starts_once(level: float) -> None:
    noise = np.random.default_rng(0).normal(0, level, (4 * RATE, 2)).astype(np.float32)
    assert onset_frames([noise], RATE) == [0]


def test_a_sound_that_is_cut_off_has_no_onset_there() -> None:
    time = np.arange(RATE) / RATE
    gated = (np.sin(2 * np.pi * 220 * time) * (time % 0.5 > 0.1) * 0.3).astype(np.float32)
    found = onset_frames([np.stack([gated, gated], axis=1)], RATE)
    assert np.array(found) / RATE == pytest.approx([0.1, 0.6], abs=0.0021)


def test_silence_has_none() -> None:
    assert onset_frames([np.zeros((RATE, 2), np.float32)], RATE) == []
    assert onset_frames([], RATE) == []


@pytest.mark.parametrize("length", [1, 100, 881, 4096])
def test_the_parts_that_a_sound_comes_in_change_nothing(length: int) -> None:
    sound = plucks([500, 5000], frames=9000)
    parts = [sound[start : start + length] for start in range(0, len(sound), length)]
    assert onset_frames(parts, RATE) == onset_frames([sound], RATE)


@pytest.mark.parametrize("rate", [1000, 8000, 192_000])
def test_other_rates_find_it_too(rate: int) -> None:
    sound = np.zeros((rate, 2), np.float32)
    sound[rate // 2 :] = 0.5 * np.exp(-np.arange(rate - rate // 2)[:, None] / rate * 10)
    (found,) = onset_frames([sound], rate)
    assert 0 < rate // 2 - found <= max(2, rate * 0.0021)
