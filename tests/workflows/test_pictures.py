"""Spectrograms of mid and side as PNG."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from stereokit.audio.clip import Clip
from stereokit.workflows.pictures import spectrogram_grid, thumbnail

RATE_HZ = 8000


def sine(frequency_hz: float, *, is_side: bool = False) -> np.ndarray:
    signal = np.sin(2 * np.pi * frequency_hz * np.arange(RATE_HZ // 4) / RATE_HZ).astype(np.float32)
    return np.stack([signal, -signal if is_side else signal])


def brightness(png: bytes) -> np.ndarray:
    return imread(io.BytesIO(png))[..., :3].sum(2)


def test_equal_clips_give_equal_bytes_of_a_png() -> None:
    first, second = (spectrogram_grid([sine(500.0)], ["a $ b"], sample_rate=RATE_HZ) for _ in range(2))
    assert first == second
    assert first.startswith(b"\x89PNG")
    assert b"Software" not in first


@pytest.mark.parametrize("half", [0, 1])
def test_a_sine_is_a_line_at_its_height_in_mid_or_in_side(half: int) -> None:
    picture = brightness(spectrogram_grid([sine(3000.0, is_side=half == 1)], ["clip"], sample_rate=RATE_HZ))
    # A column through the middle; colours from black to bright yellow, paper is white.
    column = picture[:, picture.shape[1] // 2]
    halves = np.array_split(column, 2)
    dark = [np.flatnonzero(part < 0.2) for part in halves]
    top, bottom = dark[half].min(), dark[half].max()
    inside = halves[half][top : bottom + 1]
    line = np.flatnonzero(inside > 1.5).mean() / len(inside)
    assert line == pytest.approx(1.0 - 3000.0 / 4000.0, abs=0.04)
    other = halves[1 - half]
    assert (other[dark[1 - half].min() : dark[1 - half].max() + 1] < 0.2).all()


def test_nine_clips_take_three_rows() -> None:
    one = brightness(spectrogram_grid([sine(500.0)] * 4, list("abcd"), sample_rate=RATE_HZ))
    nine = brightness(spectrogram_grid([sine(500.0)] * 9, list("abcdefghi"), sample_rate=RATE_HZ))
    assert nine.shape == (3 * one.shape[0], one.shape[1])


@pytest.mark.parametrize("half", [0, 1])
def test_a_thumbnail_has_a_sine_where_it_sounds(half: int) -> None:
    low, high = (
        brightness(thumbnail(Clip(sine(frequency_hz, is_side=half == 1), RATE_HZ))) for frequency_hz in (250.0, 2_500.0)
    )
    assert low.shape == high.shape
    # without the line between the halves
    rows = len(low) // 2 - 1
    lines = []
    for picture in (low, high):
        halves = picture[:rows], picture[-rows:]
        assert halves[1 - half].max() < 0.1
        lines.append(int(halves[half].mean(1).argmax()))
    assert lines[1] < lines[0] - 10


def test_equal_thumbnails_have_equal_bytes_and_a_clip_of_one_sample_has_one() -> None:
    first, second = (thumbnail(Clip(sine(500.0), RATE_HZ)) for _ in range(2))
    assert first == second
    assert b"Software" not in first
    assert thumbnail(Clip(np.ones((2, 1), np.float32), RATE_HZ)).startswith(b"\x89PNG")
