"""Figures of the stereo image: known answers, a slow twin, and what leaves them unchanged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stereokit.audio.files import read
from stereokit.metrics.excerpt import Excerpt, excerpt_of
from stereokit.metrics.image import IMAGE_CLASSES, class_histogram, stereo_image

Make = Callable[..., Excerpt]
TONE = np.sin(2 * np.pi * 5 * np.arange(320) / 320)
OTHER = np.cos(2 * np.pi * 5 * np.arange(320) / 320)
SILENCE, STILL = np.zeros(320), np.full(320, 0.25)
HALF_DB = 20 * np.log10(2.0)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (TONE, TONE, (-200.0, 1.0, 0.0, 0.0)),
        (TONE, -TONE, (200.0, -1.0, 0.0, 200.0)),
        (TONE, OTHER, (0.0, 0.0, 0.0, 10 * np.log10(2))),
        (TONE, SILENCE, (0.0, 0.0, -200.0, 10 * np.log10(2))),
        (SILENCE, TONE, (0.0, 0.0, 200.0, 10 * np.log10(2))),
        (TONE, 0.5 * TONE, (20 * np.log10(1 / 3), 1.0, -HALF_DB, 10 * np.log10(10 / 9))),
        (0.5 * TONE, TONE, (20 * np.log10(1 / 3), 1.0, HALF_DB, 10 * np.log10(10 / 9))),
        (STILL, STILL, (-200.0, 1.0, 0.0, 0.0)),
        (TONE, STILL, (0.0, 0.0, 10 * np.log10(0.0625 / 0.5), 10 * np.log10(2))),
        (SILENCE, SILENCE, (None, 0.0, None, None)),
    ],
    ids=range(10),
)
def test_figures_of_known_clips(excerpt: Make, left: Any, right: Any, expected: tuple[float | None, ...]) -> None:
    image = stereo_image(excerpt(left, right, dtype=np.float64))
    found = [image.side_mid_db, image.correlation, image.balance_db, image.mono_loss_db]
    for value, known in zip(found, expected, strict=True):
        assert value == (None if known is None else pytest.approx(known, abs=1e-9))


@pytest.mark.parametrize("kind", ["int16", "24 bit", "float"])
@pytest.mark.parametrize("frames", [1, 2, 3, 1000])
def test_figures_equal_their_definitions(noise_clip: Make, kind: str, frames: int) -> None:
    clip = noise_clip(frames, 8000, kind)
    left, right = (channel.astype(float) / clip.full_scale for channel in (clip.left, clip.right))
    mid, side = (left + right) / np.sqrt(2), (left - right) / np.sqrt(2)
    image = stereo_image(clip)
    assert image.side_mid_db == pytest.approx(10 * np.log10(sum(side**2) / sum(mid**2)), abs=1e-9)
    assert image.balance_db == pytest.approx(20 * np.log10(np.sqrt(sum(right**2)) / np.sqrt(sum(left**2))), abs=1e-9)
    before, after = np.mean(left**2 + right**2) / 2, np.mean(((left + right) / 2) ** 2)
    assert image.mono_loss_db == pytest.approx(10 * np.log10(before / after), abs=1e-9)
    expected = 1.0 if frames == 1 else np.corrcoef(left, right)[0, 1]
    assert image.correlation == pytest.approx(expected, abs=1e-9)


@given(
    samples=st.lists(st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)), min_size=1, max_size=30),
    gain=st.sampled_from([0.25, -1.0, -2.0]),
)
def test_gain_and_polarity_change_nothing_and_swapping_turns_the_balance(
    excerpt: Make, samples: list[tuple[int, int]], gain: float
) -> None:
    left, right = np.array(samples, float).T / 32768
    image = stereo_image(excerpt(left, right))
    louder = stereo_image(excerpt(gain * left, gain * right))
    swapped = stereo_image(excerpt(right, left))
    for name in ("side_mid_db", "correlation", "balance_db", "mono_loss_db"):
        value = getattr(image, name)
        if value is None:
            assert getattr(louder, name) is getattr(swapped, name) is None
            continue
        assert getattr(louder, name) == pytest.approx(value, abs=1e-9)
        sign = -1 if name == "balance_db" else 1
        assert getattr(swapped, name) == pytest.approx(sign * value, abs=1e-9)
    assert image.mono_loss_db is None or image.mono_loss_db >= 0
    assert -1 <= image.correlation <= 1


def test_turning_one_channel_over_turns_correlation_and_ratio(noise_clip: Make, excerpt: Make) -> None:
    clip = noise_clip(1000, 8000, "float")
    image, turned = stereo_image(clip), stereo_image(excerpt(clip.left, -clip.right))
    assert turned.correlation == pytest.approx(-image.correlation)
    assert turned.side_mid_db == pytest.approx(-image.side_mid_db)


def test_a_clip_is_inverted_where_left_and_right_cancel(excerpt: Make) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, 320)
    assert stereo_image(excerpt(TONE, -TONE + 0.1 * noise)).is_inverted
    assert not stereo_image(excerpt(TONE, OTHER)).is_inverted
    assert not stereo_image(excerpt(TONE, -0.4 * TONE + OTHER)).is_inverted
    assert not stereo_image(excerpt(SILENCE, SILENCE)).is_inverted


@pytest.mark.parametrize("gain", [0.0, 0.0099, 0.011, 1.0])
def test_a_clip_is_one_sided_where_a_channel_lies_forty_decibels_under_the_other(excerpt: Make, gain: float) -> None:
    for channels in ((TONE, gain * OTHER), (gain * OTHER, TONE)):
        assert stereo_image(excerpt(*channels)).is_one_sided is (gain <= 0.01)


def test_silence_is_neither_inverted_nor_one_sided(excerpt: Make) -> None:
    image = stereo_image(excerpt(SILENCE, SILENCE, dtype=np.int16))
    assert not image.is_inverted
    assert not image.is_one_sided


def test_the_histogram_has_all_eight_classes_in_order() -> None:
    histogram = class_histogram(["WWW", "NNN", "WWW"])
    assert list(histogram) == list(IMAGE_CLASSES) == sorted(IMAGE_CLASSES)
    assert len(histogram) == 8
    assert (histogram["WWW"], histogram["NNN"], histogram["NWN"]) == (2, 1, 0)


@pytest.mark.data
def test_a_recording_with_its_right_channel_turned_over_is_seen(test_data: Path) -> None:
    def image(name: str) -> Any:
        return stereo_image(excerpt_of(read(test_data / "broken" / name)))

    assert image("inverted_right.wav").is_inverted
    assert not image("ok_stereo.wav").is_inverted
    assert image("dual_mono.wav").side_mid_db == -200.0
