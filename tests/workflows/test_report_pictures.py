"""Pictures of a report: what is in them, and that equal data give equal bytes."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from stereokit.audio.clip import Clip
from stereokit.workflows.report_pictures import clip_picture, width_distributions, widths_over_time

RATE, FRAMES = 44_100, 17_640


def tone(hz: float, *, right: float) -> Clip:
    left = 0.5 * np.sin(2 * np.pi * hz * np.arange(FRAMES) / RATE)
    return Clip(np.stack([left, right * left]).astype(np.float32), RATE)


def halves(png: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The panels of mid and side: the parts of the picture right of the axis, as brightness."""
    brightness = imread(io.BytesIO(png))[..., :3].mean(axis=2)
    height, width = brightness.shape
    inner = brightness[:, int(0.3 * width) : int(0.8 * width)]
    return inner[int(0.1 * height) : int(0.4 * height)], inner[int(0.55 * height) : int(0.8 * height)]


def test_a_mono_sound_has_a_line_in_the_middle_and_black_sides():
    middle, side = halves(clip_picture(tone(1_000, right=1.0)))
    assert middle.max() > 0.5
    assert side.max() == pytest.approx(0.0, abs=0.02)


def test_an_inverted_channel_has_all_of_it_at_the_sides():
    middle, side = halves(clip_picture(tone(1_000, right=-1.0)))
    assert middle.max() == pytest.approx(0.0, abs=0.02)
    assert side.max() > 0.5


def test_a_higher_tone_lies_higher():
    rows = [int(halves(clip_picture(tone(hz, right=1.0)))[0].mean(axis=1).argmax()) for hz in (300, 1_000, 3_000)]
    assert rows[0] > rows[1] > rows[2]


@pytest.mark.parametrize("frames", [10, 800])
def test_silence_and_clips_shorter_than_a_window_are_drawn_too(frames: int):
    assert clip_picture(Clip(np.zeros((2, frames), np.float32), 8_000)).startswith(b"\x89PNG")


def test_equal_data_give_equal_bytes():
    values = {"held-out": np.random.default_rng(0).random((9, 37)), "costs $5 & $6_a": np.zeros((3, 37))}
    assert widths_over_time(values) == widths_over_time(values)
    assert width_distributions(values) == width_distributions(values)
    assert clip_picture(tone(500, right=0.3)) == clip_picture(tone(500, right=0.3))


def test_sets_of_one_clip_with_one_window_are_drawn():
    values = {"one": np.array([[0.5]])}
    assert widths_over_time(values).startswith(b"\x89PNG")
    assert width_distributions(values).startswith(b"\x89PNG")
