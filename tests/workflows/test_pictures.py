"""Spectrograms of mid and side as PNG."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from stereokit.workflows.pictures import spectrogram_grid

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
