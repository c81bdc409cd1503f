"""Principal axes of the (L, R) points of a window."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.principal import fold_degrees, principal_axes

Make = Callable[..., Excerpt]
FRAMES = 480


def tone(frames: int = FRAMES) -> np.ndarray:
    return np.sin(2 * np.pi * 5 * np.arange(frames) / 320)


@pytest.mark.parametrize(
    ("left", "right", "degrees"),
    [(1.0, 1.0, 0.0), (1.0, 0.0, -45.0), (0.0, 1.0, 45.0), (1.0, -1.0, 90.0), (-1.0, 1.0, 90.0), (0.5, 0.5, 0.0)],
)
def test_a_panned_source_lies_at_its_angle_and_nothing_lies_across(
    excerpt: Make, left: float, right: float, degrees: float
) -> None:
    axes = principal_axes(excerpt(left * tone(), right * tone(), dtype=np.float32))
    np.testing.assert_allclose(axes.angle_degrees, degrees, atol=1e-9)
    np.testing.assert_allclose(axes.larger, (left**2 + right**2) / 2, atol=1e-7)
    assert not axes.smaller.any()


@settings(deadline=None)
@given(left=st.integers(-40, 40), right=st.integers(-40, 40))
def test_a_source_panned_in_whole_steps_has_exactly_nothing_across(excerpt: Make, left: int, right: int) -> None:
    wave = np.rint(700 * tone())
    axes = principal_axes(excerpt(left * wave, right * wave, dtype=np.int16))
    assert not axes.smaller.any()
    if left or right:
        expected = fold_degrees(np.array([np.degrees(np.arctan2(right, left)) - 45.0]))
        assert np.abs(np.sin(np.radians(axes.angle_degrees - expected))).max() < 1e-9


def test_silence_points_nowhere(excerpt: Make) -> None:
    axes = principal_axes(excerpt(np.zeros(FRAMES), np.zeros(FRAMES), dtype=np.int16))
    assert not np.any([axes.angle_degrees, axes.larger, axes.smaller])


@pytest.mark.parametrize(("left", "right"), [(1000, 3000), (1, -1), (12345, 0), (-32768, 32767), (7, 11)])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_an_offset_without_sound_has_no_axes(excerpt: Make, rate: int, left: int, right: int) -> None:
    clip = excerpt(np.full(rate // 10, left), np.full(rate // 10, right), rate, dtype=np.int16)
    axes = principal_axes(clip)
    assert not np.any([axes.angle_degrees, axes.larger, axes.smaller])


def test_an_offset_does_not_move_the_axes(excerpt: Make, noise_clip: Make) -> None:
    clip = noise_clip(FRAMES, 8000, "float")
    moved = excerpt(clip.left.astype(float) + 0.3, clip.right.astype(float) - 0.2, dtype=np.float64)
    np.testing.assert_allclose(principal_axes(moved).angle_degrees, principal_axes(clip).angle_degrees, atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_axes_equal_the_eigenvectors_of_the_covariance(excerpt: Make, twin: SimpleNamespace, seed: int) -> None:
    random = np.random.default_rng(seed)
    left, right = random.normal(0, 0.3, (2, 2)) @ random.normal(0, 0.3, (2, 2000))
    clip = excerpt(left, right, dtype=np.float32)
    pairs = zip(*(twin.windows(channel.astype(float), 8000) for channel in (clip.left, clip.right)), strict=True)
    angles, larger, smaller = np.array([twin.principal(*pair) for pair in pairs]).T
    axes = principal_axes(clip)
    assert np.abs(np.sin(np.radians(axes.angle_degrees - angles))).max() < 1e-9
    np.testing.assert_allclose(axes.larger, larger, rtol=1e-9)
    np.testing.assert_allclose(axes.smaller, smaller, rtol=1e-9)


@settings(deadline=None)
@given(st.floats(-1000, 1000))
def test_folding_keeps_the_line_and_lands_in_its_half_turn(degrees: float) -> None:
    folded = float(fold_degrees(np.array([degrees]))[0])
    assert -90.0 < folded <= 90.0
    assert abs(np.sin(np.radians(folded - degrees))) < 1e-9
