"""Levels: the known answers of BS.1770-4, and SciPy's filters as an independent twin."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from stereokit.audio import k_weighting, levels
from stereokit.audio.clip import Clip

RATES = [44_100, 48_000, 96_000]
# Filtered at once
SEGMENT = k_weighting._BLOCK * k_weighting._BLOCKS_AT_ONCE
# The coefficients that ITU-R BS.1770-4 prints for 48 kHz
PRINTED_SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
PRINTED_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])


def tone(hz: float, rate: int, *, seconds: float = 2.0, level_db: float = 0.0) -> NDArray[np.float64]:
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def stereo(left: NDArray[np.float64], right: NDArray[np.float64], rate: int) -> Clip:
    return Clip(np.stack([left, right]).astype(np.float32), rate)


def noise(frames: int, *, level: float = 0.1, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, level, frames)


def lfilter_loudness(clip: Clip) -> float:
    """Return the loudness at 48 kHz by the standard's own difference equations, block by block."""
    assert clip.sample_rate == 48_000
    weighted = clip.samples.astype(np.float64)
    for numerator, denominator in (PRINTED_SHELF, PRINTED_PASS):
        weighted = signal.lfilter(numerator, denominator, weighted)
    block, hop = 19_200, 4800
    starts = range(0, clip.frames - block + 1, hop)
    energy = np.array([np.mean(weighted[:, start : start + block] ** 2, axis=1).sum() for start in starts])
    energy = energy[energy > 10 ** ((-70 + 0.691) / 10)]
    energy = energy[energy > energy.mean() / 10]
    return float(-0.691 + 10 * np.log10(energy.mean()))


class TestPeakAndRms:
    def test_the_peak_is_the_largest_sample_of_both_channels_whatever_its_sign(self):
        assert levels.peak(Clip(np.array([[0.1, -0.25], [0.75, -1.5]], np.float32), 8000)) == 1.5

    def test_silence_has_neither_peak_nor_rms(self):
        silence = Clip(np.zeros((2, 100), np.float32), 8000)
        assert levels.peak(silence) == levels.rms(silence) == 0.0

    def test_a_clip_without_frames_has_no_peak(self):
        assert levels.peak(Clip(np.zeros((2, 0), np.float32), 8000)) == 0.0

    def test_the_rms_of_a_sine_is_its_peak_over_the_root_of_two(self):
        assert levels.rms(stereo(tone(100, 8000), tone(100, 8000), 8000)) == pytest.approx(np.sqrt(0.5))

    def test_the_rms_is_over_both_channels(self):
        assert levels.rms(Clip(np.array([[1.0, -1.0], [0.0, 0.0]], np.float32), 8000)) == pytest.approx(np.sqrt(0.5))

    def test_quiet_sounds_are_not_lost_in_single_precision(self):
        assert levels.rms(Clip(np.full((2, 10), 1e-25, np.float32), 8000)) == pytest.approx(1e-25)

    def test_gain_scales_both_channels_and_keeps_float32(self):
        clip = levels.with_gain(Clip(np.array([[0.5], [-0.25]], np.float32), 8000), 2.0)
        assert clip.samples.tolist() == [[1.0], [-0.5]]
        assert clip.samples.dtype == np.float32
        assert clip.sample_rate == 8000


class TestLoudness:
    @pytest.mark.parametrize("rate", RATES)
    def test_a_full_scale_sine_of_997_hz_in_one_channel_has_minus_3_01_lufs(self, rate: int):
        sine = tone(997, rate)
        for pair in ((sine, 0 * sine), (0 * sine, sine)):
            assert levels.loudness_lufs(stereo(*pair, rate)) == pytest.approx(-3.01, abs=0.05)

    @pytest.mark.parametrize("rate", RATES)
    def test_in_both_channels_it_has_zero_lufs(self, rate: int):
        sine = tone(997, rate)
        assert levels.loudness_lufs(stereo(sine, sine, rate)) == pytest.approx(0.0, abs=0.05)

    def test_an_inverted_channel_is_as_loud(self):
        sine = tone(997, 48_000)
        same = levels.loudness_lufs(stereo(sine, sine, 48_000))
        assert levels.loudness_lufs(stereo(sine, -sine, 48_000)) == pytest.approx(same, abs=1e-9)

    # A high pass of the second order with Q = 1/2 at 38.1 Hz has the gain r / (1 + r), r = (f / 38.1)^2.
    @pytest.mark.parametrize(("hz", "weight_db"), [(25, -10.43), (38.135, -6.02), (100, -1.18), (10_000, 4.0)])
    def test_low_tones_weigh_less_and_high_tones_more(self, hz: float, weight_db: float):
        sine = tone(hz, 48_000, seconds=4, level_db=-20)
        clip = stereo(sine, 0 * sine, 48_000)
        assert levels.loudness_lufs(clip) == pytest.approx(-20 - 3.01 - 0.691 + weight_db, abs=0.1)

    @pytest.mark.parametrize("gain_db", [-30.0, -6.0, 12.0])
    def test_a_gain_moves_the_loudness_by_itself(self, gain_db: float):
        clip = stereo(noise(96_000), noise(96_000, seed=1), 48_000)
        louder = levels.with_gain(clip, 10 ** (gain_db / 20))
        assert levels.loudness_lufs(louder) - levels.loudness_lufs(clip) == pytest.approx(gain_db, abs=1e-4)

    def test_silence_has_none(self):
        for frames in (1, 100, 48_000):
            assert levels.loudness_lufs(Clip(np.zeros((2, frames), np.float32), 48_000)) == -np.inf

    def test_what_lies_wholly_under_the_absolute_gate_has_none(self):
        under, over = (tone(997, 48_000, level_db=level) for level in (-70.1, -69.9))
        assert levels.loudness_lufs(stereo(under, under, 48_000)) == -np.inf
        assert levels.loudness_lufs(stereo(over, over, 48_000)) == pytest.approx(-69.9, abs=0.05)

    def test_silence_behind_a_sound_does_not_count(self):
        sine = tone(997, 48_000, seconds=10, level_db=-20)
        alone = levels.loudness_lufs(stereo(sine, sine, 48_000))
        long = np.concatenate([sine, np.zeros(30 * 48_000)])
        # Only the blocks that lie across the end are quieter than the sound.
        assert levels.loudness_lufs(stereo(long, long, 48_000)) == pytest.approx(alone, abs=0.1)

    def test_a_part_that_is_11_lu_quieter_does_not_count_and_one_that_is_5_lu_quieter_does(self):
        loud = tone(997, 48_000, seconds=10, level_db=-20)
        faint = tone(997, 48_000, seconds=10, level_db=-40)
        soft = tone(997, 48_000, seconds=10, level_db=-25)
        with_faint, with_soft = np.concatenate([loud, faint]), np.concatenate([loud, soft])
        assert levels.loudness_lufs(stereo(with_faint, with_faint, 48_000)) == pytest.approx(-20, abs=0.1)
        mean = 10 * np.log10((10**-2 + 10**-2.5) / 2)
        assert levels.loudness_lufs(stereo(with_soft, with_soft, 48_000)) == pytest.approx(mean, abs=0.1)

    @pytest.mark.parametrize("frames", [1, 480, 19_199, 19_200])
    def test_up_to_400_ms_a_clip_is_one_block(self, frames: int):
        clip = stereo(noise(frames), noise(frames, seed=1), 48_000)
        weighted = clip.samples.astype(np.float64)
        for numerator, denominator in (PRINTED_SHELF, PRINTED_PASS):
            weighted = signal.lfilter(numerator, denominator, weighted)
        expected = -0.691 + 10 * np.log10(np.mean(weighted**2, axis=1).sum())
        assert levels.loudness_lufs(clip) == pytest.approx(expected, abs=1e-6)

    def test_a_rest_shorter_than_a_hop_is_left_out(self):
        clip = stereo(noise(19_200 + 4799), noise(19_200 + 4799, seed=1), 48_000)
        first = Clip(clip.samples[:, :19_200], 48_000)
        assert levels.loudness_lufs(clip) == pytest.approx(levels.loudness_lufs(first), abs=1e-9)

    @pytest.mark.parametrize("frames", [30_000, 2 * SEGMENT, 3 * SEGMENT + 12_345])
    def test_it_agrees_with_the_printed_difference_equations(self, frames: int):
        swell = 1.1 + np.sin(np.arange(frames) / 50_000)
        clip = stereo(swell * noise(frames), 0.3 * swell * noise(frames, seed=1) + 0.2, 48_000)
        assert levels.loudness_lufs(clip) == pytest.approx(lfilter_loudness(clip), abs=1e-6)
