"""Clips and recordings: what a file held becomes a stereo clip of full scale ±1."""

import numpy as np
import pytest

from stereokit.audio.clip import Clip, Recording
from stereokit.errors import BadInputError


def test_a_clip_knows_its_length():
    assert Clip(np.zeros((2, 7), np.float32), 8000).frames == 7


def test_a_recording_knows_its_length_and_channels():
    recording = Recording(np.zeros((5, 3), np.int16), 8000, "PCM_16")
    assert (recording.frames, recording.channels) == (5, 3)


def test_sixteen_bit_samples_are_divided_by_32768_and_channels_become_rows():
    recording = Recording(np.array([[-32768, 16384], [1, 32767]], np.int16), 44100, "PCM_16")
    clip = recording.to_clip()
    assert clip.sample_rate == 44100
    assert clip.samples.dtype == np.float32
    assert clip.samples.tolist() == [[-1.0, 1 / 32768], [0.5, 32767 / 32768]]


def test_float_samples_are_taken_as_they_are_even_beyond_full_scale():
    samples = np.array([[0.1, -3.5], [1.0, 0.0]], np.float32)
    assert np.array_equal(Recording(samples, 8000, "FLOAT").to_clip().samples, samples.T)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_mono_recording_is_doubled(dtype: type):
    clip = Recording(np.array([[1], [-1]], dtype), 8000, "any").to_clip()
    assert clip.samples.shape == (2, 2)
    assert np.array_equal(clip.samples[0], clip.samples[1])
    assert clip.samples[0, 0] == -clip.samples[0, 1] > 0


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_clip_owns_its_samples(dtype: type):
    recording = Recording(np.ones((3, 2), dtype), 8000, "any")
    recording.to_clip().samples[:] = 0
    assert (recording.samples == 1).all()


@pytest.mark.parametrize("channels", [3, 6, 8])
def test_more_than_two_channels_are_refused_with_their_count(channels: int):
    recording = Recording(np.zeros((1, channels), np.int16), 8000, "PCM_16")
    with pytest.raises(BadInputError, match=f"has {channels} channels"):
        recording.to_clip()
    with pytest.raises(BadInputError, match=f"has {channels} channels"):
        recording.require_stereo()


@pytest.mark.parametrize("channels", [1, 2])
def test_one_and_two_channels_pass(channels: int):
    Recording(np.zeros((1, channels), np.int16), 8000, "PCM_16").require_stereo()
