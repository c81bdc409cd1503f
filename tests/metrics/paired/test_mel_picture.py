"""Errors of mel pictures: known answers, loops, and librosa's own pictures."""

import warnings

import numpy as np
import pytest

from stereokit.metrics.paired.mel_picture import (
    PictureErrors,
    mel_powers,
    mel_triangles,
    mel_view_powers,
    mel_window,
    white_power,
)

RATE = 22_050


def picture_errors(x: np.ndarray, t: np.ndarray, rate: int, *, white: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    errors = PictureErrors(white, rate)
    for view, estimate, target in mel_view_powers(np.stack([x, t]), rate):
        if view == "left_right":
            errors.add(estimate, target)
    return errors.errors()


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(0, 0.1, shape)


def picture(signal: np.ndarray, rate: int, white: float) -> np.ndarray:
    """One channel's picture, frame by frame and bin by bin."""
    size, hop = round(2048 / 22_050 * rate), round(512 / 22_050 * rate)
    signal = np.concatenate([signal, np.zeros(max(0, size - len(signal)))])

    def mel(hz: float) -> float:
        return 3 * hz / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)

    def hertz(value: float) -> float:
        return 200 * value / 3 if value < 15 else 1000 * 6.4 ** ((value - 15) / 27)

    edges = [hertz(value) for value in np.linspace(0, mel(rate / 2), 258)]
    bins = np.arange(size // 2 + 1) * rate / size
    rows = []
    for start in range(0, len(signal) - size + 1, hop):
        power = np.abs(np.fft.rfft(signal[start : start + size] * np.hanning(size + 1)[:-1])) ** 2
        bands = [
            np.interp(bins, edges[k : k + 3], [0, 2 / (edges[k + 2] - edges[k]), 0], left=0, right=0) @ power
            for k in range(256)
        ]
        rows.append([max(0.0, min(1.0, 1 + np.log10(band / white) / 8)) if band > 0 else 0.0 for band in bands])
    return np.array(rows)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_the_errors_equal_those_of_pictures_made_bin_by_bin(rate: int, seconds: float) -> None:
    x, t = noise(2, 2, round(seconds * rate)), noise(2, 2, round(seconds * rate), seed=1) * 0.01
    white = white_power(t, rate)
    squared, absolute = picture_errors(x, t, rate, white=white)
    for k in range(2):
        gaps = np.array(
            [picture(a, rate, white[k]) - picture(b, rate, white[k]) for a, b in zip(x[k], t[k], strict=True)]
        )
        assert squared[k] == pytest.approx((gaps**2).mean(), abs=1e-9)
        assert absolute[k] == pytest.approx(np.abs(gaps).mean(), abs=1e-9)


def test_the_filters_are_those_of_the_library_the_paper_used() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from librosa.filters import mel  # noqa: PLC0415 - heavy, for one test
    expected = mel(sr=RATE, n_fft=2048, n_mels=256)
    np.testing.assert_allclose(mel_triangles(RATE, 2048), expected, atol=1e-6)


@pytest.mark.parametrize("rate", [1_000, 3_000, 44_100])
def test_bands_summed_a_few_at_a_time_are_products_with_all_filters(rate: int) -> None:
    powers = noise(2, 5, mel_window(rate) // 2 + 1) ** 2
    np.testing.assert_allclose(mel_powers(powers, rate), powers @ mel_triangles(rate, mel_window(rate)).T, rtol=1e-12)


@pytest.mark.parametrize("rate", [3_000, 8_000, 11_025, 16_000, 44_100, 48_000, 96_000, 192_000])
def test_no_band_is_empty(rate: int) -> None:
    assert (mel_triangles(rate, round(2048 / 22_050 * rate)).max(axis=1) > 0).all()


def test_the_target_itself_is_white_at_its_loudest_and_has_no_error() -> None:
    target = noise(1, 2, RATE // 2)
    white = white_power(target, RATE)
    loudest = max(picture(channel, RATE, white[0]).max() for channel in target[0])
    assert loudest == pytest.approx(1.0, abs=1e-9)
    assert [float(error[0]) for error in picture_errors(target, target, RATE, white=white)] == [0.0, 0.0]


def test_twenty_decibels_are_a_quarter_of_the_picture() -> None:
    target = noise(1, 2, RATE // 2)
    squared, absolute = picture_errors(target / 10, target, RATE, white=white_power(target, RATE))
    assert absolute[0] == pytest.approx(0.25, abs=1e-9)
    assert squared[0] == pytest.approx(0.0625, abs=1e-9)


def test_silence_is_black_and_sound_beside_a_silent_target_white() -> None:
    silence, sound = np.zeros((1, 2, 4000)), noise(1, 2, 4000)
    assert [float(error[0]) for error in picture_errors(silence, silence, RATE, white=np.zeros(1))] == [0.0, 0.0]
    assert [float(error[0]) for error in picture_errors(sound, silence, RATE, white=np.zeros(1))] == [1.0, 1.0]


def test_common_gain_polarity_and_swapped_channels_change_nothing() -> None:
    x, t = noise(2, 2, 6000), noise(2, 2, 6000, seed=1)

    def errors(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.array(picture_errors(one, other, RATE, white=white_power(other, RATE)))

    for changed in (errors(-8 * x, 8 * t), errors(x[:, ::-1], t[:, ::-1])):
        np.testing.assert_allclose(changed, errors(x, t), atol=1e-12)
