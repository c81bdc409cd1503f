"""Log-spectral and multi-resolution distance against loops over frames and SciPy's transform."""

import numpy as np
import pytest
from scipy.fft import rfft
from scipy.signal.windows import hann

from stereokit.metrics.paired import spectra as module
from stereokit.metrics.paired.spectra import LogSpectral, SpectralGap, spectra
from stereokit.metrics.paired.views import power

RESOLUTIONS = [(1024, 600, 120), (2048, 1200, 240), (512, 240, 50)]


def gap(x: np.ndarray, t: np.ndarray, sums: LogSpectral | SpectralGap, **frames: int) -> np.ndarray:
    for block in spectra(np.stack([x, t]), **frames):
        sums.add(*power(block))
    return sums.distance()


def log_spectral_distance(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    return gap(x, t, LogSpectral(len(t)), window=512, hop=128)


def multi_resolution_distance(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    gaps = [
        gap(x, t, SpectralGap(len(t)), window=window, hop=hop, size=size) for size, window, hop in module.RESOLUTIONS
    ]
    return np.mean(gaps, axis=0)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(0, 0.1, shape)


def magnitudes(signal: np.ndarray, size: int, window: int, hop: int) -> np.ndarray:
    signal = np.concatenate([signal, np.zeros(max(0, window - len(signal)))])
    taper = hann(window, sym=False)
    starts = range(0, len(signal) - window + 1, hop)
    return np.abs([rfft(signal[start : start + window] * taper, size) for start in starts])


def lsd_twin(x: np.ndarray, t: np.ndarray) -> float:
    frames = []
    for one, other in zip(x, t, strict=True):
        powers = [magnitudes(channel, 512, 512, 128) ** 2 + 1e-10 for channel in (one, other)]
        frames += [np.sqrt(np.mean(np.log10(a / b) ** 2)) for a, b in zip(*powers, strict=True)]
    return float(np.mean(frames))


def multi_twin(x: np.ndarray, t: np.ndarray) -> float:
    total = 0.0
    for size, window, hop in RESOLUTIONS:
        x_all, t_all = (
            np.sqrt(np.maximum(np.stack([magnitudes(one, size, window, hop) for one in both]) ** 2, 1e-7))
            for both in (x, t)
        )
        total += np.linalg.norm((t_all - x_all).ravel()) / np.linalg.norm(t_all.ravel())
        total += np.mean(np.abs(np.log(t_all) - np.log(x_all)))
    return total / 3


@pytest.mark.parametrize("frames", [1, 511, 512, 1201, 5000])
@pytest.mark.parametrize("channels", [1, 2])
def test_both_equal_loops_over_frames(frames: int, channels: int) -> None:
    x, t = noise(3, channels, frames), noise(3, channels, frames, seed=1)
    t[1] *= 1e-4
    for figure, twin in ((log_spectral_distance, lsd_twin), (multi_resolution_distance, multi_twin)):
        expected = [twin(a, b) for a, b in zip(x, t, strict=True)]
        np.testing.assert_allclose(figure(x, t), expected, rtol=1e-9)


def test_blocks_of_frames_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, t = noise(2, 2, 9000), noise(2, 2, 9000, seed=1)
    whole = log_spectral_distance(x, t), multi_resolution_distance(x, t)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 1 << 13)
    np.testing.assert_allclose(log_spectral_distance(x, t), whole[0], rtol=1e-12)
    np.testing.assert_allclose(multi_resolution_distance(x, t), whole[1], rtol=1e-12)


def test_a_copy_has_no_distance_silent_or_not() -> None:
    for clip in (noise(1, 2, 3000), np.zeros((1, 2, 3000))):
        assert log_spectral_distance(clip, clip)[0] == 0.0
        assert multi_resolution_distance(clip, clip)[0] == 0.0


@pytest.mark.parametrize("factor", [10.0, 0.01])
def test_a_gain_far_above_the_floor_is_its_decades_of_power_and_its_share(factor: float) -> None:
    target = noise(1, 2, 4000)
    assert log_spectral_distance(factor * target, target)[0] == pytest.approx(abs(2 * np.log10(factor)), abs=1e-4)
    expected = abs(factor - 1) + abs(np.log(factor))
    assert multi_resolution_distance(factor * target, target)[0] == pytest.approx(expected, rel=0.01)


def test_the_floor_decides_what_silence_counts() -> None:
    constant = np.full((1, 1, 512), 1.0)
    silence = np.zeros_like(constant)
    power = magnitudes(constant[0, 0], 512, 512, 128)[0] ** 2
    expected = np.sqrt(np.mean(np.log10((power + 1e-10) / 1e-10) ** 2))
    assert log_spectral_distance(silence, constant)[0] == pytest.approx(expected)
    assert np.isfinite(multi_resolution_distance(constant, silence)[0])


def test_swapped_channels_and_polarity_change_nothing_and_one_of_them_is_symmetric() -> None:
    x, t = noise(2, 2, 3000), noise(2, 2, 3000, seed=1) * 0.3
    for figure in (log_spectral_distance, multi_resolution_distance):
        np.testing.assert_allclose(figure(x[:, ::-1], t[:, ::-1]), figure(x, t), rtol=1e-12)
        np.testing.assert_allclose(figure(-x, t), figure(x, t), rtol=1e-12)
    np.testing.assert_allclose(log_spectral_distance(t, x), log_spectral_distance(x, t), rtol=1e-12)
    assert (np.abs(multi_resolution_distance(t, x) - multi_resolution_distance(x, t)) > 0.1).all()


@pytest.mark.parametrize("own", [97, 128, 1000])
@pytest.mark.parametrize(("window", "hop"), [(100, 30), (128, 128), (90, 1)])
def test_frames_of_sections_are_the_frames_of_the_clip(own: int, window: int, hop: int) -> None:
    clip = noise(2, 3, 1234)
    parts = [
        block
        for start in range(0, 1234, own)
        for block in spectra(clip[..., start : start + own + window], window=window, hop=hop, start=start, own=own)
    ]
    np.testing.assert_allclose(
        np.concatenate(parts, axis=-2), np.concatenate(list(spectra(clip, window=window, hop=hop)), axis=-2), atol=1e-12
    )


def test_a_clip_under_a_window_is_padded_and_a_rest_of_one_is_not() -> None:
    (frame,) = spectra(np.ones((1, 10)), window=20, hop=5)
    assert frame.shape == (1, 1, 11)
    assert list(spectra(np.ones((1, 10)), window=20, hop=5, start=40)) == []
