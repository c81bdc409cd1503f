"""SNR and SI-SDR: known answers, loops, and what leaves them unchanged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stereokit.metrics.paired.levels import Levels, level_dbfs

FINITE = st.floats(-1, 1, width=32).filter(lambda value: value == 0 or abs(value) > 1e-6)
CLIPS = arrays(np.float64, (2, 2, 7), elements=FINITE)


def compared(estimate: np.ndarray, target: np.ndarray) -> Levels:
    levels = Levels(len(target))
    levels.look(estimate, target)
    levels.look_again(estimate, target)
    return levels


def signal_to_noise_db(estimate: np.ndarray, target: np.ndarray) -> np.ndarray:
    return compared(estimate, target).signal_to_noise_db()


def scale_invariant_db(estimate: np.ndarray, target: np.ndarray) -> np.ndarray:
    return compared(estimate, target).scale_invariant_db()


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(0, 0.1, shape)


@given(estimate=CLIPS, target=CLIPS)
def test_signal_to_noise_equals_sums_over_samples(estimate: np.ndarray, target: np.ndarray) -> None:
    for found, x, t in zip(signal_to_noise_db(estimate, target), estimate, target, strict=True):
        signal, error = (
            sum(float(v) ** 2 for v in t.flat),
            sum((float(v) - float(w)) ** 2 for v, w in zip(t.flat, x.flat, strict=True)),
        )
        if signal == error == 0:
            assert np.isnan(found)
        elif signal and error:
            assert found == pytest.approx(np.clip(10 * np.log10(signal / error), -200, 200), abs=1e-9)
        else:
            assert found == (200.0 if signal else -200.0)


def test_scale_invariant_ratio_equals_the_angle_between_the_clips() -> None:
    x, t = noise(5, 2, 100), noise(5, 2, 100, seed=1)
    cosine = np.array(
        [a.ravel() @ b.ravel() / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(x, t, strict=True)]
    )
    np.testing.assert_allclose(scale_invariant_db(x, t), 10 * np.log10(cosine**2 / (1 - cosine**2)), atol=1e-9)


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 20.0, 120.0])
def test_noise_of_a_known_level_at_right_angles_gives_its_ratio_in_both(snr_db: float) -> None:
    target, other = noise(1, 2, 400), noise(1, 2, 400, seed=2)
    other -= target * (other * target).sum() / (target * target).sum()
    other *= np.linalg.norm(target) / np.linalg.norm(other) * 10 ** (-snr_db / 20)
    assert signal_to_noise_db(target + other, target)[0] == pytest.approx(snr_db, abs=1e-6)
    assert scale_invariant_db(target + other, target)[0] == pytest.approx(snr_db, abs=1e-6)


def test_half_the_level_is_six_decibels_for_one_and_nothing_for_the_other() -> None:
    target = noise(1, 2, 50)
    assert signal_to_noise_db(target / 2, target)[0] == pytest.approx(20 * np.log10(2))
    assert scale_invariant_db(target / 2, target)[0] == 200.0


def test_a_copy_has_the_limit_and_nothing_at_all_minus_that() -> None:
    target = noise(1, 2, 50)
    assert signal_to_noise_db(target, target)[0] == 200.0
    assert signal_to_noise_db(0 * target, target)[0] == 0.0
    assert signal_to_noise_db(target, 0 * target)[0] == -200.0


def test_where_silence_meets_silence_there_is_no_ratio() -> None:
    silence, sound = np.zeros((1, 2, 9)), noise(1, 2, 9)
    assert np.isnan(signal_to_noise_db(silence, silence)[0])
    assert np.isnan(scale_invariant_db(sound, silence)[0])
    assert np.isnan(scale_invariant_db(silence, silence)[0])


def test_a_silent_estimate_is_not_let_off() -> None:
    silence, sound = np.zeros((1, 2, 9)), noise(1, 2, 9)
    assert scale_invariant_db(silence, sound)[0] == -200.0
    assert signal_to_noise_db(silence, sound)[0] == 0.0


@pytest.mark.parametrize("gain", [0.25, -1.0, 8.0])
def test_common_gain_polarity_and_swapped_channels_change_nothing(gain: float) -> None:
    x, t = noise(3, 2, 60), noise(3, 2, 60, seed=1)
    for figure in (signal_to_noise_db, scale_invariant_db):
        np.testing.assert_allclose(figure(gain * x, gain * t), figure(x, t), atol=1e-9)
        np.testing.assert_allclose(figure(x[:, ::-1], t[:, ::-1]), figure(x, t), atol=1e-9)
    np.testing.assert_allclose(scale_invariant_db(gain * x, t), scale_invariant_db(x, t), atol=1e-9)


def test_a_change_of_balance_is_an_error_that_one_gain_cannot_mend() -> None:
    target = noise(1, 2, 50)
    assert scale_invariant_db(target * [[[1.0], [0.5]]], target)[0] < 20.0


def test_levels_are_those_of_the_root_mean_square() -> None:
    sine = np.sin(2 * np.pi * np.arange(100) / 100)
    clips = np.stack([np.stack([sine, sine]), np.full((2, 100), 1e-3), np.zeros((2, 100))])
    np.testing.assert_allclose(level_dbfs(clips), [10 * np.log10(0.5), -60.0, -200.0], atol=1e-9)
    np.testing.assert_allclose(compared(clips, clips).target_dbfs(), level_dbfs(clips))


def test_samples_in_parts_give_what_they_give_together() -> None:
    x, t = noise(3, 2, 900), noise(3, 2, 900, seed=1)
    whole, parts = compared(x, t), Levels(3)
    for look in (parts.look, parts.look_again):
        for start in (0, 400, 800):
            look(x[..., start : start + 400], t[..., start : start + 400])
    np.testing.assert_allclose(parts.signal_to_noise_db(), whole.signal_to_noise_db(), rtol=1e-12)
    np.testing.assert_allclose(parts.scale_invariant_db(), whole.scale_invariant_db(), rtol=1e-12)
