"""The part of a recording that is judged."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stereokit.audio.clip import Recording
from stereokit.errors import BadInputError
from stereokit.metrics.excerpt import Excerpt, excerpt_of

INT16 = st.integers(-32768, 32767)


def recording(samples: object, rate: int = 8000, dtype: type = np.int16) -> Recording:
    return Recording(np.array(samples, dtype), rate, "PCM_16" if dtype is np.int16 else "FLOAT")


def test_a_mono_recording_is_the_same_left_and_right_and_has_no_side() -> None:
    clip = excerpt_of(recording([[1], [2], [3]]))
    assert clip.left.tolist() == clip.right.tolist() == [1, 2, 3]
    assert not clip.has_side
    assert not clip.is_silent


def test_left_comes_first() -> None:
    clip = excerpt_of(recording([[1, 10], [2, 20]]))
    assert (clip.left.tolist(), clip.right.tolist()) == ([1, 2], [10, 20])
    assert clip.frames == 2


def test_more_than_two_channels_are_refused_with_their_number() -> None:
    with pytest.raises(BadInputError, match="3 channels"):
        excerpt_of(recording([[1, 2, 3]]))


@pytest.mark.parametrize(("frames", "kept"), [(2, [1, 2]), (3, [1, 2, 3]), (5, [1, 2, 3, 0, 0])])
def test_a_length_cuts_or_pads_with_zeros(frames: int, kept: list[int]) -> None:
    clip = excerpt_of(recording([[1, -1], [2, -2], [3, -3]]), frames=frames)
    assert clip.left.tolist() == kept
    assert clip.right.tolist() == [-value for value in kept]
    assert clip.left.dtype == np.int16


def test_silence_has_neither_side_nor_sound() -> None:
    clip = excerpt_of(recording(np.zeros((5, 2))))
    assert clip.is_silent
    assert not clip.has_side


def test_one_differing_sample_is_a_side() -> None:
    samples = np.zeros((50, 2))
    samples[49, 1] = 1
    assert excerpt_of(recording(samples)).has_side


@settings(deadline=None)
@given(st.lists(st.tuples(INT16, INT16), min_size=1, max_size=20))
def test_the_difference_of_16_bit_samples_is_exact_over_the_whole_range(
    excerpt: Callable[..., Excerpt], frames: list[tuple[int, int]]
) -> None:
    left, right = zip(*frames, strict=True)
    clip = excerpt(left, right, dtype=np.int16)
    assert clip.difference.tolist() == [a - b for a, b in frames]


@pytest.mark.parametrize(("left", "right"), [(32767, -32768), (-32768, 32767), (32767, -1), (-1, 32767)])
def test_a_difference_that_16_bits_cannot_hold_gets_32(excerpt: Callable[..., Excerpt], left: int, right: int) -> None:
    assert excerpt([left], [right], dtype=np.int16).difference.tolist() == [left - right]


def test_the_difference_of_float_samples_is_taken_in_double_precision(excerpt: Callable[..., Excerpt]) -> None:
    clip = excerpt([1.0], [2.0**-30], dtype=np.float32)
    assert clip.difference[0] == 1.0 - 2.0**-30


def test_the_side_scale_brings_the_difference_to_the_side_signal(excerpt: Callable[..., Excerpt]) -> None:
    clip = excerpt([32767, -32768], [-32768, 32767], dtype=np.int16)
    expected = (np.array([32767, -32768]) - [-32768, 32767]) / 32768 / np.sqrt(2)
    np.testing.assert_allclose(clip.difference * clip.side_scale, expected, rtol=1e-15)
