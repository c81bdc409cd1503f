"""Cepstral coefficients: known answers. Equality with the definition is tested with all features."""

from collections.abc import Callable

import numpy as np
import pytest

from stereokit import catalog
from stereokit.metrics.excerpt import Excerpt

Make = Callable[..., Excerpt]


def values(clip: Excerpt, name: str = "mfcc") -> np.ndarray:
    return catalog.load("feature", name).sequence(clip)


def test_gain_moves_the_level_coefficients_only_where_no_band_lies_on_the_floor(noise_clip: Make) -> None:
    # At 44.1 kHz each band holds a bin or lies between two that leak into it.
    clip = noise_clip(8000, 44_100, "float")
    quiet = Excerpt(clip.left / 2, clip.right / 2, clip.sample_rate, 1.0)
    assert (values(quiet, "logmel") > -80).all()
    change = values(clip) - values(quiet)
    np.testing.assert_allclose(change[:, [0, 13]], 20 * np.log10(2) * np.sqrt(32), atol=1e-9)
    np.testing.assert_allclose(np.delete(change, [0, 13], axis=1), 0.0, atol=1e-9)


def test_a_mono_clip_has_no_coefficients_of_side(excerpt: Make) -> None:
    wave = np.random.default_rng(1).normal(0, 0.1, 2000)
    assert not values(excerpt(wave, wave))[:, 13:].any()
    assert values(excerpt(wave, wave))[:, :13].any()


def test_distances_are_at_most_those_of_the_whole_envelope(noise_clip: Make) -> None:
    one, other = (noise_clip(8000, 44_100, seed=seed) for seed in (1, 2))
    cepstral = np.linalg.norm(values(one) - values(other), axis=1)
    whole = np.linalg.norm(values(one, "logmel") - values(other, "logmel"), axis=1)
    assert (cepstral <= whole + 1e-9).all()
    assert cepstral.min() > 0


@pytest.mark.parametrize("band", [3, 17])
def test_a_ripple_over_the_bands_is_one_coefficient(band: int) -> None:
    from stereokit.metrics.features.mfcc import _cosines  # noqa: PLC0415 - the matrix alone is under test

    matrix = _cosines()
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(13), atol=1e-12)
    ripple = np.cos(np.pi * (band % 13) * (np.arange(32) + 0.5) / 32)
    assert np.flatnonzero(np.abs(matrix @ ripple) > 1e-9).tolist() == [band % 13]
