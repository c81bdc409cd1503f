"""Side distance, STSD and image class: known answers, and NumPy's quantile as the yardstick."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.side import image_class, short_time_side_distance, side_distance

Make = Callable[..., Excerpt]
RATES = [8_000, 11_025, 22_050, 44_100, 48_000, 96_000]


def test_a_side_that_jumps_between_two_values_is_as_far_as_they_are(excerpt: Make) -> None:
    left = np.tile([1.0, -1.0], 4000)
    clip = excerpt(left, -left, dtype=np.float32)
    assert side_distance(clip) == pytest.approx(2 * np.sqrt(2), abs=1e-15)
    np.testing.assert_allclose(short_time_side_distance(clip), 2 * np.sqrt(2), atol=1e-15)


def test_a_uniform_ramp_spans_nine_tenths_of_its_range(excerpt: Make) -> None:
    ramp = np.arange(1001) / 1000 * np.sqrt(2)
    clip = excerpt(ramp, np.zeros(1001), 100_000, dtype=np.float64)
    assert side_distance(clip) == pytest.approx(0.9, abs=1e-12)
    assert side_distance(clip, is_full=True) == pytest.approx(1.0, abs=1e-12)


def test_rare_peaks_count_in_the_full_range_only(excerpt: Make) -> None:
    left = np.zeros(1000)
    left[[3, 500]] = [1.0, -1.0]
    clip = excerpt(left, np.zeros(1000), dtype=np.float32)
    assert side_distance(clip) == 0.0
    assert side_distance(clip, is_full=True) == pytest.approx(np.sqrt(2), abs=1e-15)


@pytest.mark.parametrize("frames", [1, 10, 320, 5000])
def test_equal_channels_have_no_width(excerpt: Make, frames: int) -> None:
    same = np.random.default_rng(1).integers(-32768, 32767, frames)
    clip = excerpt(same, same, dtype=np.int16)
    assert side_distance(clip) == 0.0
    values = short_time_side_distance(clip)
    assert not values.any()
    assert len(values) == max(1, (frames - 320) // 80 + 1)


def test_a_constant_side_has_no_width(excerpt: Make) -> None:
    clip = excerpt(np.full(5000, 20_000), np.full(5000, -20_000), dtype=np.int16)
    assert side_distance(clip) == 0.0
    assert not short_time_side_distance(clip).any()


@pytest.mark.parametrize("extent", ["quantile", "full"])
@pytest.mark.parametrize("kind", ["int16", "float", "24 bit"])
@pytest.mark.parametrize("rate", RATES)
def test_width_equals_numpys_quantiles_at_every_rate_and_length(
    noise_clip: Make, twin: SimpleNamespace, rate: int, kind: str, extent: str
) -> None:
    window, hop = round(0.040 * rate), round(0.010 * rate)
    for frames in (1, 2, 3, 19, 20, 21, 22, window - 1, window, window + 1, window + hop, window + 7 * hop + 3):
        clip = noise_clip(frames, rate, kind)
        np.testing.assert_allclose(
            short_time_side_distance(clip, is_full=extent == "full"),
            twin.stsd(clip, extent),
            rtol=0,
            atol=1e-12,
            err_msg=str(frames),
        )
        assert side_distance(clip, is_full=extent == "full") == pytest.approx(
            twin.side_distance(clip, extent)[0], abs=1e-12
        )


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("seed", range(3))
def test_width_is_exact_where_the_difference_overflows_16_bits(
    excerpt: Make, twin: SimpleNamespace, rate: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    extremes = np.array([-32768, -32767, 0, 32767])
    left, right = random.choice(extremes, (2, rate // 5), p=[0.1, 0.3, 0.3, 0.3])
    clip = excerpt(left, right, rate, dtype=np.int16)
    assert clip.difference.dtype == np.int32
    np.testing.assert_allclose(short_time_side_distance(clip), twin.stsd(clip), rtol=0, atol=1e-12)
    assert side_distance(clip) == pytest.approx(twin.side_distance(clip)[0], abs=1e-12)


@pytest.mark.parametrize(("left", "right"), [(32767, 0), (0, 32767), (-32768, -1), (-1, -32768)])
def test_width_is_exact_at_the_last_difference_that_16_bits_hold(
    excerpt: Make, twin: SimpleNamespace, left: int, right: int
) -> None:
    is_high = np.random.default_rng(4).random(2000) < 0.5
    clip = excerpt(np.where(is_high, left, right), np.where(is_high, right, left), dtype=np.int16)
    np.testing.assert_allclose(short_time_side_distance(clip), twin.stsd(clip), rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from([1000, 1025, 1600, 2000, 8000]),
    values=st.lists(st.integers(-32768, 32767), min_size=1, max_size=6),
    frames=st.integers(1, 1500),
    seed=st.integers(0, 99),
)
def test_width_equals_numpys_quantiles_whatever_repeats(
    excerpt: Make, twin: SimpleNamespace, rate: int, values: list[int], *, frames: int, seed: int
) -> None:
    left, right = np.random.default_rng(seed).choice(values, (2, frames))
    clip = excerpt(left, right, rate, dtype=np.int16)
    np.testing.assert_allclose(short_time_side_distance(clip), twin.stsd(clip), rtol=0, atol=1e-12)
    assert side_distance(clip) == pytest.approx(twin.side_distance(clip)[0], abs=1e-12)


@pytest.mark.parametrize("gain", [0.5, 0.25, 2.0**-10])
def test_width_scales_with_the_gain(noise_clip: Make, excerpt: Make, gain: float) -> None:
    clip = noise_clip(2000, 8000, "float")
    quieter = excerpt(clip.left * gain, clip.right * gain, dtype=np.float32)
    np.testing.assert_allclose(short_time_side_distance(quieter), gain * short_time_side_distance(clip), rtol=1e-12)


def test_the_whole_clip_is_judged_as_one_window_when_it_is_one(noise_clip: Make) -> None:
    clip = noise_clip(320, 8000)
    assert short_time_side_distance(clip).tolist() == [side_distance(clip)]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("letters", ["NNN", "NNW", "NWN", "NWW", "WNN", "WNW", "WWN", "WWW"])
def test_image_class_reads_its_three_segments_at_every_rate(excerpt: Make, rate: int, letters: str) -> None:
    bounds = [round(bound * rate / 44_100) for bound in (0, 2940, 8820, 15872)]
    side = np.zeros(bounds[-1] + 50)
    for letter, start, stop in zip(letters, bounds[:-1], bounds[1:], strict=True):
        # A square wave of this height has this standard deviation.
        side[start:stop] = 0.13 if letter == "W" else 0.12
    side[1::2] *= -1
    half = side * np.sqrt(2) / 2
    assert image_class(excerpt(half, -half, rate, dtype=np.float32)) == letters


@pytest.mark.parametrize("frames", [1, 100, 2940, 2941, 9000, 15872, 20_000])
@pytest.mark.parametrize("kind", ["int16", "float"])
def test_image_class_equals_its_definition_whatever_the_length(
    noise_clip: Make, twin: SimpleNamespace, frames: int, kind: str
) -> None:
    clip = noise_clip(frames, 44_100, kind)
    assert image_class(clip) == twin.image_class(clip)


def test_a_constant_side_is_narrow(excerpt: Make) -> None:
    assert image_class(excerpt(np.full(20_000, 0.9), np.full(20_000, -0.9), 44_100, dtype=np.float32)) == "NNN"
