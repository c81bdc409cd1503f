"""Compiled measuring: NumPy's own functions are the twins."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit.audio import levels
from stereokit.audio import true_peak as plain_peak
from stereokit.audio.clip import Clip, Recording
from stereokit.audio.files import encode
from stereokit.data import sound_kernels as compiled
from stereokit.data.source_audit import NUMPY, source_audit
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.ranks import ranked_differences

KINDS = ["noise", "decay", "low", "dual mono", "silence", "narrow", "loud"]
FRAMES = [1, 2, 31, 32, 33, 64, 700, 4801, 20_000]


def pair(kind: str, frames: int) -> NDArray[np.float32]:
    """Return two channels, shape (2, frames)."""
    samples = np.random.default_rng(frames).normal(0, 0.2, (2, frames)).clip(-1.0, 1.0)
    if kind == "decay":
        samples *= np.exp(-np.arange(frames) / 50)
    elif kind == "low":
        samples = np.cumsum(samples, axis=1) / 50
    elif kind == "dual mono":
        samples[1] = samples[0]
    elif kind == "silence":
        samples[:] = 0.0
    elif kind == "narrow":
        samples[1] = samples[0] + 1e-4 * samples[1]
    elif kind == "loud":
        samples *= 10.0
    return samples.astype(np.float32)


def recording(kind: str, frames: int, bits: int, rate: int = 48_000) -> Recording:
    samples = pair(kind, frames).T.copy()
    return Recording((samples.clip(-1, 1) * 32767).astype(np.int16) if bits == 16 else samples, rate, "")


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("kind", KINDS)
def test_a_source_has_the_same_figures(kind: str, bits: int) -> None:
    for frames in FRAMES:
        source = recording(kind, frames, bits)
        clip = source.to_clip()
        assert source_audit(source, clip, compiled.COMPILED) == source_audit(source, clip, NUMPY)


@pytest.mark.parametrize("bits", [16, 32])
def test_sums_are_those_of_the_files_own_numbers(bits: int) -> None:
    source = recording("noise", 10_001, bits)
    left, right = source.samples.T.astype(np.float64)
    excerpt = Excerpt(source.samples[:, 0], source.samples[:, 1], 48_000, source.full_scale)
    (left_square, right_square, product), totals = compiled.pair_sums(excerpt, source.to_clip())
    exact = 0.0 if bits == 16 else 1e-12
    assert (left_square, right_square) == pytest.approx((left @ left, right @ right), rel=exact)
    assert (product, *totals) == pytest.approx((left @ right, left.sum(), right.sum()), rel=exact, abs=exact * 1e3)


@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_order_statistics_of_the_difference_are_exact(kind: str, frames: int) -> None:
    left, right = pair(kind, frames)
    ranks = sorted({0, frames // 20, min(frames // 20 + 1, frames - 1), frames - 1 - frames // 20, frames - 1})
    found = compiled.ranked_differences(left, right, ranks)
    assert np.array_equal(found, np.sort(left.astype(np.float64) - right)[ranks])
    assert np.array_equal(found, ranked_differences(left, right, ranks))


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 96_000])
@pytest.mark.parametrize("frames", [1, 3000, 19_200, 60_000])
def test_loudness_is_that_of_the_filters_run_in_blocks(rate: int, frames: int) -> None:
    samples = pair("noise", frames) + np.float32(0.1)
    clip = Clip(samples, rate)
    assert compiled.loudness_lufs(clip) == pytest.approx(levels.loudness_lufs(clip), abs=1e-9)


def test_a_long_silence_after_a_sound_counts_as_the_plain_filters_hear_it() -> None:
    samples = np.zeros((2, 300_000), np.float32)
    samples[:, :5000] = pair("noise", 5000)
    clip = Clip(samples, 48_000)
    assert compiled.loudness_lufs(clip) == pytest.approx(levels.loudness_lufs(clip), abs=1e-9)


@pytest.mark.parametrize("rate", [44_100, 96_000, 192_000])
@pytest.mark.parametrize("kind", KINDS)
def test_the_true_peak_is_that_of_the_filter_in_numpy(kind: str, rate: int) -> None:
    for frames in FRAMES:
        clip = Clip(pair(kind, frames), rate)
        assert compiled.true_peak(clip) == pytest.approx(plain_peak.true_peak(clip), rel=1e-9)


@pytest.mark.parametrize("place", [0, 1, 31, 98])
def test_a_peak_between_the_last_sample_and_the_silence_around_counts(place: int) -> None:
    samples = np.zeros((2, 100), np.float32)
    samples[1, place : place + 2] = 0.5
    assert compiled.true_peak(Clip(samples, 48_000)) == pytest.approx(2 / np.pi, rel=0.01)


@pytest.mark.parametrize("level", [1e-40, 1e-30, 3e38])
def test_levels_at_the_ends_of_the_range_of_floats_are_met_as_others_are(level: float) -> None:
    ones = Clip(np.ones((2, 50), np.float32), 48_000)
    found = compiled.true_peak(Clip(np.full((2, 50), level, np.float32), 48_000))
    assert found == pytest.approx(level * compiled.true_peak(ones), rel=1e-4)


@pytest.mark.parametrize("container", ["wav", "flac"])
@pytest.mark.parametrize("kind", ["noise", "decay", "silence"])
def test_files_have_the_same_bytes(kind: str, container: Any) -> None:
    for scale in (1.0, 0.77):
        samples = np.rint(pair(kind, 40_000) * 32767) / np.float32(32768) * np.float32(scale)
        clip = Clip(samples.astype(np.float32), 44_100)
        for encoding in ("16", "24"):
            plain, ours = (
                encode(clip, encoding=encoding, dither_seed=3, container=container, rounded=rounded)
                for rounded in (None, compiled.rounded)
            )
            assert plain == ours
