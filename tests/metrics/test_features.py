"""Every feature of the catalogue against its slow twin, and what leaves it unchanged."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.excerpt import Excerpt

Make = Callable[..., Excerpt]
RATES = [8_000, 11_025, 22_050, 44_100, 48_000, 96_000]
FEATURES = catalog.names("feature")
SYMMETRIC = ["correlation", "logmel", "mfcc", "side-distance", "std", "stsd"]


def sequence(name: str, clip: Excerpt, *, is_full: bool = False) -> NDArray[np.float64]:
    feature = catalog.load("feature", name)
    values = (feature.full_range if is_full else feature.sequence)(clip)
    assert values.dtype == np.float64
    assert values.shape[1:] == (feature.width,)
    return values if feature.width > 1 else values[:, 0]


def same_angle(found: NDArray[np.float64], expected: NDArray[np.float64], tolerance: float = 1e-7) -> None:
    """Directions of a line: 90 degrees less nothing and -90 are neighbours."""
    assert found.shape == expected.shape
    assert np.abs(np.sin(np.radians(found - expected))).max() < tolerance


def tone(frames: int = 480) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * 5 * np.arange(frames) / 320)


@pytest.mark.parametrize("kind", ["int16", "float", "24 bit"])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_equals_its_definition_at_every_rate_and_length(
    noise_clip: Make, twin: SimpleNamespace, name: str, rate: int, kind: str
) -> None:
    window, hop = round(0.040 * rate), round(0.010 * rate)
    definition = getattr(twin, name.replace("-", "_"))
    for frames in (21, window, window + 5 * hop - 1):
        clip = noise_clip(frames, rate, kind)
        found, expected = sequence(name, clip), definition(clip)
        if name.endswith("angle"):
            same_angle(found, expected)
        else:
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=f"{frames} samples")


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_one_sample_gives_one_finite_frame(excerpt: Make, name: str, dtype: Any) -> None:
    assert np.isfinite(sequence(name, excerpt([1], [0], dtype=dtype))).all()
    assert len(sequence(name, excerpt([1], [0], dtype=dtype))) == 1


@pytest.mark.parametrize("name", [name for name in FEATURES if name != "logmel"])
@pytest.mark.parametrize("frames", [1, 320, 1000])
def test_silence_is_zero_in_every_feature(excerpt: Make, name: str, frames: int) -> None:
    assert not sequence(name, excerpt(np.zeros(frames), np.zeros(frames), dtype=np.int16)).any()


@pytest.mark.parametrize("name", FEATURES)
@settings(max_examples=20, deadline=None)
@given(
    frames=st.integers(1, 900),
    choices=st.lists(st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
def test_a_feature_is_finite_whatever_the_clip(
    excerpt: Make, name: str, frames: int, choices: list[tuple[int, int]], seed: int
) -> None:
    left, right = np.random.default_rng(seed).choice(choices, frames).T
    values = sequence(name, excerpt(left, right, dtype=np.int16))
    assert np.isfinite(values).all()
    limit = catalog.load("feature", name).limit
    assert limit is None or np.abs(values).max() <= limit


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize("kind", ["int16", "float"])
def test_swapping_left_and_right_changes_no_width_correlation_or_timbre(
    noise_clip: Make, excerpt: Make, name: str, kind: str
) -> None:
    clip = noise_clip(1500, 8000, kind)
    swapped = excerpt(clip.right, clip.left)
    np.testing.assert_allclose(sequence(name, swapped), sequence(name, clip), rtol=1e-12, atol=1e-15)


def test_swapping_left_and_right_mirrors_the_principal_axis(noise_clip: Make, excerpt: Make) -> None:
    clip = noise_clip(1500, 8000)
    swapped = excerpt(clip.right, clip.left)
    same_angle(sequence("pca-angle", swapped), -sequence("pca-angle", clip))
    np.testing.assert_allclose(sequence("pca-ratio", swapped), sequence("pca-ratio", clip), rtol=1e-9)


@pytest.mark.parametrize("gain", [0.25, 0.5, 2.0])
@pytest.mark.parametrize("name", ["pca-angle", "regression-angle"])
def test_swapping_left_and_right_mirrors_the_angle_of_a_panned_source(excerpt: Make, name: str, gain: float) -> None:
    clip = excerpt(tone(), gain * tone(), dtype=np.float32)
    swapped = excerpt(clip.right, clip.left)
    expected = np.degrees(np.arctan(gain)) - 45.0
    same_angle(sequence(name, clip), np.full(3, expected))
    same_angle(sequence(name, swapped), np.full(3, -expected))


@pytest.mark.parametrize("name", FEATURES)
def test_turning_both_channels_over_changes_nothing(noise_clip: Make, excerpt: Make, name: str) -> None:
    clip = noise_clip(1500, 8000)
    values = sequence(name, excerpt(-clip.left, -clip.right))
    np.testing.assert_allclose(values, sequence(name, clip), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("gain", [0.5, 2.0**-8, 2.0])
@pytest.mark.parametrize("name", [name for name in FEATURES if name not in ("logmel", "mfcc")])
def test_gain_scales_widths_and_leaves_directions(noise_clip: Make, excerpt: Make, name: str, gain: float) -> None:
    clip = noise_clip(1500, 8000, "float")
    factor = gain if name in ("stsd", "std", "side-distance") else 1.0
    louder = sequence(name, excerpt(clip.left * np.float32(gain), clip.right * np.float32(gain)))
    np.testing.assert_allclose(louder, factor * sequence(name, clip), rtol=1e-9)


def test_gain_shifts_loud_mel_bands_by_its_decibels(noise_clip: Make, excerpt: Make) -> None:
    clip = noise_clip(1500, 8000, "float")
    before, after = (sequence("logmel", excerpt(clip.left * g, clip.right * g)) for g in np.float32([1.0, 0.5]))
    is_loud = after > -79.0
    assert is_loud.any()
    np.testing.assert_allclose((before - after)[is_loud], 20 * np.log10(2.0), atol=1e-6)


def test_the_standard_deviation_of_a_square_side_is_its_height(excerpt: Make) -> None:
    left = np.tile([0.5, -0.5], 400)
    np.testing.assert_allclose(sequence("std", excerpt(left, -left, dtype=np.float32)), 1 / np.sqrt(2), rtol=1e-12)


@pytest.mark.parametrize("name", ["std", "stsd"])
@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_constant_side_is_exactly_no_width(excerpt: Make, name: str, rate: int, dtype: Any) -> None:
    full = 32768 if dtype is np.int16 else 1
    clip = excerpt(np.full(rate // 5, 0.3 * full), np.full(rate // 5, -0.1 * full), rate, dtype=dtype)
    assert not sequence(name, clip).any()


# Left and right as multiples of one tone.
PANNED = [(1.0, 1.0), (1.0, 0.5), (0.5, 1.0), (1.0, 0.0), (0.0, 1.0), (-0.5, 1.0), (1.0, -1.0), (-1.0, 1.0)]


@pytest.mark.parametrize(("left", "right"), PANNED)
def test_one_source_gives_a_ratio_at_its_limit_on_the_side_where_it_lies(
    excerpt: Make, left: float, right: float
) -> None:
    values = sequence("pca-ratio", excerpt(left * tone(), right * tone(), dtype=np.float32))
    np.testing.assert_array_equal(values, 40.0 if left * right >= 0 else -40.0)


@pytest.mark.parametrize("offset", [1, -1, 7, 300])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_an_offset_in_the_silent_channel_does_not_turn_a_hard_panned_ratio_over(
    excerpt: Make, rate: int, offset: int
) -> None:
    sound = np.random.default_rng(abs(offset)).integers(-9000, 9000, rate)
    still = np.full(rate, offset)
    for channels in ((sound, still), (still, sound)):
        np.testing.assert_array_equal(sequence("pca-ratio", excerpt(*channels, rate, dtype=np.int16)), 40.0)


def test_the_ratio_of_mid_and_side_noise_is_the_log_of_their_variances(excerpt: Make) -> None:
    random = np.random.default_rng(5)
    mid, side = random.normal(0, 0.1, (2, 48_000))
    ratio = [
        sequence("pca-ratio", excerpt(m + s, m - s, dtype=np.float32)).mean()
        for m, s in ((mid, side / 4), (mid / 4, side))
    ]
    assert ratio == pytest.approx([np.log(16), -np.log(16)], abs=0.05)


@pytest.mark.parametrize(("left", "right"), PANNED)
@pytest.mark.parametrize("name", ["pca-angle", "regression-angle"])
def test_one_source_lies_at_its_angle_from_the_middle(excerpt: Make, name: str, left: float, right: float) -> None:
    values = sequence(name, excerpt(left * tone(), right * tone(), dtype=np.float32))
    line = np.degrees(np.arctan2(right, left)) - 45.0
    expected = line + 180 * (line <= -90) - 180 * (line > 90)
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_the_line_of_right_on_left_goes_through_the_origin(excerpt: Make) -> None:
    clip = excerpt(tone() + 0.5, np.full(480, 0.5), dtype=np.float32)
    left = (tone() + 0.5).astype(np.float32).astype(float)[:320]
    slope = (left * 0.5).sum() / (left * left).sum()
    assert sequence("regression-angle", clip)[0] == pytest.approx(np.degrees(np.arctan(slope)) - 45.0, abs=1e-9)


FLAT, SILENT, SOUND = np.full(480, 0.25), np.zeros(480), tone()


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (SOUND, SOUND, 1.0),
        (SOUND, -SOUND, -1.0),
        (SOUND, 0.5 * SOUND + 0.25, 1.0),
        (SOUND, np.cos(2 * np.pi * 5 * np.arange(480) / 320), 0.0),
        (SOUND, FLAT, 0.0),
        (FLAT, SOUND, 0.0),
        (SOUND, SILENT, 0.0),
        (FLAT, -FLAT, 1.0),
        (FLAT, SILENT, 1.0),
        (SILENT, FLAT, 1.0),
        (SILENT, SILENT, 0.0),
    ],
    ids=range(11),
)
def test_correlation_of_known_pairs(excerpt: Make, left: Any, right: Any, expected: float) -> None:
    values = sequence("correlation", excerpt(left, right, dtype=np.float32))
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_correlation_recognises_a_constant_channel_whose_mean_is_rounded(excerpt: Make) -> None:
    clip = excerpt(np.full(17_640, 0.3), np.random.default_rng(2).normal(0, 0.1, 17_640), 44_100, dtype=np.float64)
    assert not sequence("correlation", clip).any()


def test_a_full_scale_sine_in_mid_has_three_decibels_less_in_its_band_and_no_side(excerpt: Make) -> None:
    edges_mel = np.linspace(2595 * np.log10(1 + 40 / 700), 2595 * np.log10(1 + 16_000 / 700), 34)
    centre_hz = 700 * (10 ** (edges_mel[20] / 2595) - 1)
    wave = np.sin(2 * np.pi * centre_hz * np.arange(48_000) / 48_000) / np.sqrt(2)
    values = sequence("logmel", excerpt(wave, wave, 48_000, dtype=np.float32))
    assert len(values) == (48_000 - 1920) // 960 + 1
    assert (values.argmax(axis=1) == 19).all()
    np.testing.assert_allclose(values[:, 19], 10 * np.log10(0.5), atol=0.5)
    np.testing.assert_array_equal(values[:, 32:], -80.0)


def test_silence_lies_on_the_floor_of_logmel(excerpt: Make) -> None:
    assert (sequence("logmel", excerpt(np.zeros(900), np.zeros(900), dtype=np.int16)) == -80.0).all()


def test_bands_above_half_the_rate_lie_on_the_floor_of_logmel(noise_clip: Make) -> None:
    values = sequence("logmel", noise_clip(4000, 8000))
    assert (values[:, [31, 63]] == -80.0).all()
    assert (values[:, [5, 37]] > -79.0).all()


def test_only_the_full_range_sees_a_single_peak(excerpt: Make) -> None:
    left = np.zeros(400)
    left[10] = 1.0
    for name in ("stsd", "side-distance"):
        clip = excerpt(left, np.zeros(400), dtype=np.float32)
        assert not sequence(name, clip).any()
        assert sequence(name, clip, is_full=True)[0] == pytest.approx(1 / np.sqrt(2))
