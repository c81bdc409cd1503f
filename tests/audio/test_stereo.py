"""Left/right and mid/side: known answers, and back without loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stereokit.audio.clip import Clip
from stereokit.audio.stereo import has_side, left_right, mid_side

FINITE = st.floats(-8, 8, width=32)


def back_and_forth(samples: np.ndarray) -> np.ndarray:
    return left_right(mid_side(Clip(samples, 8000)), 8000).samples


def test_equal_channels_are_all_mid():
    tone = np.linspace(-1, 1, 9, dtype=np.float32)
    mid, side = mid_side(Clip(np.stack([tone, tone]), 8000))
    assert np.array_equal(mid, tone)
    assert not side.any()


def test_an_inverted_channel_is_all_side():
    tone = np.linspace(-1, 1, 9, dtype=np.float32)
    mid, side = mid_side(Clip(np.stack([tone, -tone]), 8000))
    assert not mid.any()
    assert np.array_equal(side, tone)


def test_one_channel_alone_is_half_mid_and_half_side_with_the_sign_of_left():
    left_only = mid_side(Clip(np.array([[1.0], [0.0]], np.float32), 8000))
    right_only = mid_side(Clip(np.array([[0.0], [1.0]], np.float32), 8000))
    assert left_only.tolist() == [[0.5], [0.5]]
    assert right_only.tolist() == [[0.5], [-0.5]]


def test_the_way_back_keeps_the_rate_and_gives_float32():
    clip = left_right(np.zeros((2, 3)), 12_345)
    assert clip.sample_rate == 12_345
    assert clip.samples.dtype == np.float32
    assert clip.samples.shape == (2, 3)


@pytest.mark.parametrize("partner", [0, 1, -1, 32767, -32768, 12345])
def test_every_sixteen_bit_value_comes_back_bit_for_bit(partner: int):
    values = np.arange(-32768, 32768)
    samples = (np.stack([values, np.full_like(values, partner)]) / 32768).astype(np.float32)
    assert np.array_equal(back_and_forth(samples), samples)
    assert np.array_equal(back_and_forth(samples[::-1]), samples[::-1])


def test_twenty_four_bit_values_come_back_bit_for_bit():
    integers = np.random.default_rng(0).integers(-(1 << 23), 1 << 23, (2, 500_000))
    integers[:, :3] = [[-(1 << 23), (1 << 23) - 1, 1], [(1 << 23) - 1, -(1 << 23), -1]]
    samples = (integers / 2.0**23).astype(np.float32)
    assert np.array_equal(samples.astype(np.float64) * 2**23, integers)
    assert np.array_equal(back_and_forth(samples), samples)


def test_floats_of_any_usual_size_come_back_bit_for_bit():
    generator = np.random.default_rng(0)
    samples = (generator.uniform(-1, 1, (2, 100_000)) * 10 ** generator.uniform(-6, 0, (2, 100_000))).astype(np.float32)
    samples = samples[:, (np.abs(samples) > 1e-7).all(axis=0)]
    assert np.array_equal(back_and_forth(samples), samples)


@given(samples=arrays.arrays(np.float32, (2, 6), elements=FINITE))
@settings(deadline=None, database=None)
def test_any_float_comes_back_to_one_unit_in_the_last_place_of_the_louder_channel(samples: np.ndarray):
    step = np.spacing(np.abs(samples).max(axis=0))
    assert (np.abs(back_and_forth(samples).astype(np.float64) - samples) <= step).all()


@given(samples=arrays.arrays(np.float32, (2, 6), elements=FINITE))
@settings(deadline=None, database=None)
def test_swapping_the_channels_turns_the_side_around_and_keeps_the_mid(samples: np.ndarray):
    mid, side = mid_side(Clip(samples, 8000))
    swapped_mid, swapped_side = mid_side(Clip(samples[::-1], 8000))
    assert np.array_equal(swapped_mid, mid)
    assert np.array_equal(swapped_side, -side)


def test_a_clip_has_a_side_when_one_sample_differs():
    samples = np.zeros((2, 100), np.float32)
    assert not has_side(Clip(samples, 8000))
    samples[1, 57] = np.float32(1e-30)
    assert has_side(Clip(samples, 8000))


def test_an_inverted_channel_has_a_side():
    assert has_side(Clip(np.array([[1.0], [-1.0]], np.float32), 8000))
