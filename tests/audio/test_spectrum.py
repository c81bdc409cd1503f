"""Spectra: sines and impulses with known answers, Parseval, SciPy as an independent twin."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from stereokit.audio.spectrum import hann, hz_to_mel, mel_filters, mel_to_hz, power_spectrogram, stft

MEL = {"sample_rate": 44_100, "n_fft": 1764, "bands": 32, "low_hz": 40.0, "high_hz": 16_000.0}


def noise(*shape: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(0, 1, shape)


class TestHann:
    @pytest.mark.parametrize("length", [1, 2, 7, 512, 1764])
    def test_it_is_the_periodic_window_of_scipy(self, length: int):
        if length == 1:
            assert hann(1).tolist() == [0.0]
        else:
            assert hann(length) == pytest.approx(signal.windows.hann(length, sym=False), abs=1e-15)

    def test_shifted_by_half_it_adds_up_to_one(self):
        assert hann(64)[:32] + hann(64)[32:] == pytest.approx(np.ones(32))


class TestStft:
    @pytest.mark.parametrize(("window", "hop", "frames"), [(512, 128, 4000), (441, 147, 4000), (100, 100, 1000)])
    def test_it_agrees_with_scipy(self, window: int, hop: int, frames: int):
        sound = noise(2, frames)
        theirs = signal.ShortTimeFFT(
            signal.windows.hann(window, sym=False), hop, 1.0, fft_mode="onesided", phase_shift=None
        )
        first = -(-(window // 2) // hop)
        ours = stft(sound[..., first * hop - window // 2 :], window=window, hop=hop)
        expected = np.moveaxis(theirs.stft(sound, p0=first, p1=first + ours.shape[-2]), -1, -2)
        assert np.abs(ours - expected).max() < 1e-9

    @pytest.mark.parametrize(("frames", "expected"), [(100, 1), (101, 1), (109, 1), (110, 2), (1000, 91)])
    def test_only_whole_windows_count(self, frames: int, expected: int):
        assert stft(noise(frames), window=100, hop=10).shape == (expected, 51)

    def test_a_sound_shorter_than_a_window_is_padded_to_one(self):
        short = noise(2, 30)
        padded = np.pad(short, ((0, 0), (0, 70)))
        assert np.array_equal(stft(short, window=100, hop=10), stft(padded, window=100, hop=10))

    def test_the_second_frame_starts_a_hop_later(self):
        sound = noise(150)
        assert np.array_equal(stft(sound, window=100, hop=50)[1], stft(sound[50:], window=100, hop=50)[0])

    def test_leading_axes_are_kept(self):
        assert stft(noise(3, 2, 500), window=100, hop=50).shape == (3, 2, 9, 51)

    def test_an_impulse_has_a_flat_spectrum_of_the_window_at_its_place(self):
        sound = np.zeros(100)
        sound[30] = 1.0
        assert np.abs(stft(sound, window=100, hop=100)[0]) == pytest.approx(np.full(51, hann(100)[30]))


class TestPower:
    @pytest.mark.parametrize("window", [100, 101, 512, 1764])
    def test_the_bins_of_a_frame_add_up_to_the_windowed_mean_square(self, window: int):
        sound = noise(2, 3 * window)
        power = power_spectrogram(sound, window=window, hop=window)
        frames = sound.reshape(2, 3, window)
        weights = hann(window) ** 2 / (hann(window) ** 2).sum()
        assert power.sum(axis=-1) == pytest.approx((frames**2 * weights).sum(axis=-1), rel=1e-12)

    @pytest.mark.parametrize("bin_", [3, 10, 49])
    def test_a_full_scale_sine_adds_up_to_a_half_around_its_bin(self, bin_: int):
        sine = np.sin(2 * np.pi * bin_ * np.arange(512) / 128)
        power = power_spectrogram(sine, window=128, hop=64)
        assert power.sum(axis=-1) == pytest.approx(0.5)
        assert power[:, bin_ - 1 : bin_ + 2].sum(axis=-1) == pytest.approx(0.5)
        assert (power.argmax(axis=-1) == bin_).all()

    def test_a_constant_has_its_square_in_the_lowest_two_bins(self):
        power = power_spectrogram(np.full(200, 0.5), window=100, hop=100)
        assert power[:, :2].sum(axis=-1) == pytest.approx(0.25)
        assert power[:, 2:].max() < 1e-25

    @pytest.mark.parametrize("window", [100, 101])
    def test_it_agrees_with_scipy(self, window: int):
        sound = noise(1000)
        settings = {"window": "hann", "nperseg": window, "noverlap": window // 2, "detrend": False}
        _, _, theirs = signal.spectrogram(sound, fs=1.0, scaling="density", **settings)
        ours = power_spectrogram(sound, window=window, hop=window - window // 2)
        assert np.abs(ours - theirs.T / window).max() < 1e-12

    def test_silence_has_none(self):
        assert not power_spectrogram(np.zeros(1000), window=100, hop=50).any()


class TestMel:
    def test_1000_hz_is_about_1000_mel_and_nothing_is_nothing(self):
        assert hz_to_mel(1000.0) == pytest.approx(1000.0, abs=0.1)
        assert hz_to_mel(0.0) == mel_to_hz(0.0) == 0.0

    def test_there_and_back_is_the_same_frequency(self):
        hz = np.linspace(0, 24_000, 100)
        assert mel_to_hz(hz_to_mel(hz)) == pytest.approx(hz, abs=1e-9)

    def test_filters_have_one_row_a_band_and_lie_between_zero_and_one(self):
        filters = mel_filters(**MEL)
        assert filters.shape == (32, 883)
        assert filters.min() == 0.0
        assert filters.max() <= 1.0
        assert filters.any(axis=1).all()

    def test_neighbours_share_every_bin_between_the_outer_centres(self):
        bins = np.arange(883) * 25.0
        centres = mel_to_hz(np.linspace(hz_to_mel(40.0), hz_to_mel(16_000.0), 34))[1:-1]
        covered = (bins >= centres[0]) & (bins <= centres[-1])
        total = mel_filters(**MEL).sum(axis=0)
        assert covered.sum() > 400
        assert total[covered] == pytest.approx(np.ones(covered.sum()))
        assert not total[(bins <= 40.0) | (bins >= 16_000.0)].any()

    def test_a_filter_is_highest_at_its_centre_and_centres_are_even_in_mel(self):
        filters = mel_filters(**MEL | {"n_fft": 44_100})
        peaks = hz_to_mel(filters.argmax(axis=1).astype(np.float64))
        assert filters.max(axis=1) == pytest.approx(np.ones(32), abs=0.02)
        assert np.diff(peaks) == pytest.approx(np.full(31, np.diff(peaks).mean()), abs=2.0)

    def test_bands_above_half_the_rate_are_zero_and_the_others_stand_where_they_stood(self):
        # 25 Hz a bin in both
        low, high = mel_filters(**MEL | {"sample_rate": 16_000, "n_fft": 640}), mel_filters(**MEL)
        assert low.shape == (32, 321)
        assert np.array_equal(low, high[:, :321])
        lower_edges = mel_to_hz(np.linspace(hz_to_mel(40.0), hz_to_mel(16_000.0), 34))[:-2]
        assert not low[lower_edges >= 8000].any()
        assert (lower_edges >= 8000).sum() > 3
        assert low[lower_edges < 7900].any(axis=1).all()
