"""Starts, ends and fades: impulses, steps and silence with known places."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.envelope import fade, fit_length, start_frame, trim_silence

RATE = 1000


def clip_of(*rows: list[float] | NDArray[np.floating], rate: int = RATE) -> Clip:
    return Clip(np.array(rows if len(rows) == 2 else rows * 2, np.float32), rate)


def impulse(frames: int, place: int, *, channel: int = 0, height: float = 1.0, rate: int = RATE) -> Clip:
    samples = np.zeros((2, frames), np.float32)
    samples[channel, place] = height
    return Clip(samples, rate)


class TestStart:
    @pytest.mark.parametrize("channel", [0, 1])
    @pytest.mark.parametrize("height", [1.0, -1.0, 1e-6])
    def test_it_is_the_impulse_in_either_channel_less_what_is_kept_in_front(self, channel: int, height: float):
        sound = impulse(100, 60, channel=channel, height=height)
        assert start_frame(sound, before=0.0) == 60
        assert start_frame(sound) == 59
        assert start_frame(sound, before=0.02) == 40

    def test_it_is_never_before_the_first_frame(self):
        assert start_frame(impulse(100, 5), before=1.0) == 0

    def test_silence_starts_at_once(self):
        assert start_frame(Clip(np.zeros((2, 50), np.float32), RATE)) == 0

    def test_what_lies_40_db_under_the_peak_is_not_the_start_yet(self):
        samples = [0.0, 0.0099, 0.0, 0.0101, 1.0]
        assert start_frame(clip_of(samples), before=0.0) == 3
        assert start_frame(clip_of(samples), before=0.0, below_peak_db=41.0) == 1
        assert start_frame(clip_of(samples), before=0.0, below_peak_db=20.0) == 4

    def test_the_peak_of_one_channel_decides_for_both(self):
        assert start_frame(clip_of([0.005, 0.0, 0.0], [0.0, 0.0, 1.0]), before=0.0) == 2


class TestTrim:
    def test_what_is_loud_in_either_channel_stays_and_nothing_around_it(self):
        trimmed = trim_silence(clip_of([0, 0, 0.5, 0, 0, 0], [0, 0, 0, 0, -0.5, 0]))
        assert trimmed.samples.tolist() == [[0.5, 0, 0], [0, 0, -0.5]]
        assert trimmed.sample_rate == RATE

    def test_the_threshold_is_in_db_of_full_scale(self):
        faint = clip_of([0.0, 0.00099, 0.5, 0.00101, 0.0])
        assert trim_silence(faint).frames == 2
        assert trim_silence(faint, threshold_db=-80.0).frames == 3
        assert trim_silence(faint, threshold_db=-20.0).frames == 1

    def test_a_clip_that_is_loud_throughout_stays_whole(self):
        loud = clip_of([0.1, -0.2, 0.3])
        assert np.array_equal(trim_silence(loud).samples, loud.samples)

    def test_a_silent_clip_keeps_one_frame(self):
        assert trim_silence(Clip(np.zeros((2, 50), np.float32), RATE)).samples.tolist() == [[0.0], [0.0]]


class TestFade:
    def test_a_fade_in_is_a_quarter_of_a_sine_from_zero_to_one(self):
        faded = fade(clip_of(np.ones(20)), fade_in=0.011).samples
        assert faded[0, 0] == 0.0
        assert faded[0, 5] == pytest.approx(np.sqrt(0.5))
        assert faded[0, 10] == 1.0
        assert (faded[:, 10:] == 1.0).all()
        assert (np.diff(faded[0, :11]) > 0).all()

    def test_a_fade_out_is_a_fade_in_turned_around(self):
        rising = fade(clip_of(np.ones(20)), fade_in=0.011).samples
        falling = fade(clip_of(np.ones(20)), fade_out=0.011).samples
        assert np.array_equal(falling, rising[:, ::-1])
        assert falling[0, -1] == 0.0

    def test_both_channels_fade_alike(self):
        faded = fade(clip_of(np.ones(20), -0.5 * np.ones(20)), fade_in=0.01, fade_out=0.01).samples
        assert np.array_equal(faded[1], -0.5 * faded[0])

    def test_fades_longer_than_the_clip_are_as_long_as_the_clip(self):
        faded = fade(clip_of(np.ones(5)), fade_in=9.0, fade_out=9.0).samples
        assert faded[0, 0] == faded[0, -1] == 0.0
        assert faded[0, 2] == pytest.approx(0.5)

    def test_no_fade_changes_nothing_and_gives_a_copy(self):
        clip = clip_of(np.ones(5))
        same = fade(clip)
        assert np.array_equal(same.samples, clip.samples)
        assert not np.shares_memory(same.samples, clip.samples)

    def test_the_clip_that_came_in_is_unchanged(self):
        clip = clip_of(np.ones(50))
        fade(clip, fade_in=0.02, fade_out=0.02)
        assert (clip.samples == 1.0).all()

    def test_samples_stay_float32(self):
        assert fade(clip_of(np.ones(50)), fade_in=0.02).samples.dtype == np.float32


class TestFit:
    def test_a_clip_of_that_length_is_itself(self):
        clip = clip_of(np.ones(5))
        assert fit_length(clip, 5, fade_out=0.01) is clip

    def test_a_longer_clip_is_cut_and_fades_out(self):
        cut = fit_length(clip_of(np.ones(100)), 40, fade_out=0.01)
        assert cut.samples.shape == (2, 40)
        assert (cut.samples[:, :30] == 1.0).all()
        assert (cut.samples[:, -1] == 0.0).all()

    def test_a_cut_that_happens_to_fall_on_a_zero_fades_out_nevertheless(self):
        samples = np.ones(100)
        samples[39] = 0.0
        cut = fit_length(clip_of(samples), 40, fade_out=0.01).samples
        assert 0.0 < cut[0, 38] < 0.5

    def test_a_shorter_clip_is_padded_with_zeros(self):
        padded = fit_length(clip_of([1.0, 1.0, 0.0]), 6)
        assert padded.samples.tolist() == [[1, 1, 0, 0, 0, 0]] * 2
        assert padded.samples.dtype == np.float32

    def test_a_padded_clip_that_ends_in_silence_keeps_its_end(self):
        ends_silent = clip_of(np.append(np.ones(50), 0.0))
        assert np.array_equal(fit_length(ends_silent, 80, fade_out=0.02).samples[:, :51], ends_silent.samples)

    @pytest.mark.parametrize("channel", [0, 1])
    def test_a_padded_clip_that_ends_with_a_step_fades_into_the_padding(self, channel: int):
        samples = np.zeros((2, 50), np.float32)
        samples[channel] = 1.0
        fitted = fit_length(Clip(samples, RATE), 80, fade_out=0.02).samples
        assert (fitted[channel, :30] == 1.0).all()
        assert fitted[channel, 49] == 0.0
        assert np.abs(np.diff(fitted[channel])).max() < 0.1

    def test_one_frame_can_become_many_and_many_one(self):
        assert fit_length(clip_of([1.0]), 4).samples.tolist() == [[1, 0, 0, 0]] * 2
        assert fit_length(clip_of([1.0, 2.0]), 1).samples.tolist() == [[1.0]] * 2
