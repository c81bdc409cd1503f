"""True peak: levels between the samples that are known beforehand, and a filter run everywhere as a twin."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stereokit.audio import true_peak as module
from stereokit.audio.clip import Clip
from stereokit.audio.true_peak import true_peak


def stereo(left: NDArray[np.floating], right: NDArray[np.floating] | None = None, rate: int = 48_000) -> Clip:
    return Clip(np.stack([left, left * 0 if right is None else right]).astype(np.float32), rate)


def tone(cycles_a_sample: float, *, frames: int = 4800, phase: float = 0.0) -> NDArray[np.float64]:
    """Return a sine of amplitude 1 that rises and falls slowly enough to have no peak at its ends."""
    swell = np.sin(np.pi * np.arange(frames) / frames) ** 2
    return swell * np.sin(2 * np.pi * cycles_a_sample * np.arange(frames) + phase)


def everywhere(clip: Clip, factor: int) -> float:
    """Interpolate between all samples, silence around them."""
    highest = float(np.abs(clip.samples).max())
    for place in np.arange(1, factor) / factor:
        distances = np.arange(-15, 17) - place
        window = np.kaiser(129, 5.0)[np.rint((distances + 16) * 4).astype(int)]
        taps = np.sinc(distances) * window
        taps /= taps.sum()
        for channel in clip.samples.astype(np.float64):
            highest = max(highest, np.abs(np.convolve(channel, taps[::-1])).max())
    return highest


def test_a_sine_at_a_quarter_of_the_rate_peaks_3_db_over_its_samples() -> None:
    clip = stereo(tone(0.25, phase=np.pi / 4))
    assert np.abs(clip.samples).max() == pytest.approx(np.sqrt(0.5), rel=1e-3)
    assert 20 * np.log10(true_peak(clip)) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize("channel", [0, 1])
def test_samples_at_full_scale_may_have_a_peak_above_it_in_either_channel(rate: int, channel: int) -> None:
    over = np.sign(tone(0.25, phase=np.pi / 4)) * 0.9
    pair = (over, 0 * over) if channel == 0 else (0 * over, over)
    # The fundamental of this square wave, whose other partials fold onto it, has 0.9 sqrt 2.
    assert true_peak(stereo(*pair, rate=rate)) >= 0.9 * np.sqrt(2) * 0.999


# Between two of four places a cosine of f falls to cos(pi f / 4) at worst.
@pytest.mark.parametrize("cycles", [0.01, 0.1, 0.2, 0.3, 0.4, 0.45])
def test_a_tone_is_met_within_what_four_places_a_sample_can_miss(cycles: float) -> None:
    for phase in (0.0, 0.4, 0.8, 1.2):
        found = true_peak(stereo(tone(cycles, phase=phase)))
        assert 0.995 * np.cos(np.pi * cycles / 4) <= found <= 1.005


def test_an_impulse_of_one_sample_is_its_own_peak() -> None:
    for place in (0, 31, 32, 99):
        samples = np.zeros(100)
        samples[place] = -0.5
        assert true_peak(stereo(samples)) == 0.5


def test_two_equal_samples_at_an_end_have_a_peak_between_them() -> None:
    # Half way between, the sinc of each is 2 / pi, the window a little under 1.
    for start in (0, 98):
        samples = np.zeros(100)
        samples[start : start + 2] = 0.5
        assert true_peak(stereo(samples)) == pytest.approx(2 / np.pi, rel=0.01)


def test_silence_and_a_clip_without_frames_have_no_peak() -> None:
    assert true_peak(stereo(np.zeros(500))) == 0.0
    assert true_peak(stereo(np.zeros(0))) == 0.0


@pytest.mark.parametrize(("rate", "factor"), [(44_100, 4), (64_000, 4), (95_999, 4), (96_000, 2), (191_999, 2)])
@pytest.mark.parametrize("frames", [1, 2, 31, 33, 700])
@pytest.mark.parametrize("kind", ["noise", "decay", "low"])
def test_leaving_the_filter_out_where_nothing_can_be_changes_nothing(
    rate: int, factor: int, frames: int, kind: str
) -> None:
    samples = np.random.default_rng(frames).normal(0, 0.3, (2, frames))
    if kind == "decay":
        samples *= np.exp(-np.arange(frames) / 50)
    if kind == "low":
        samples = np.cumsum(samples, axis=1) / 10
    clip = stereo(samples[0], samples[1], rate)
    assert true_peak(clip) == pytest.approx(everywhere(clip, factor), rel=1e-6)


def test_from_192_khz_upwards_the_samples_are_the_peak() -> None:
    clip = stereo(tone(0.25, phase=np.pi / 4), rate=192_000)
    assert true_peak(clip) == np.abs(clip.samples).max()


@pytest.mark.parametrize("level", [1e-40, 1e-30, 3e38])
def test_levels_at_the_ends_of_the_range_of_floats_are_met_as_others_are(level: float) -> None:
    assert true_peak(stereo(np.full(50, level))) == pytest.approx(level * true_peak(stereo(np.ones(50))), rel=1e-4)


def test_of_a_decaying_sound_little_is_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = tone(0.02, frames=48_000) * np.exp(-np.arange(48_000) / 3000)
    bounds = module._bounds
    kept: list[int] = []

    def spy(padded: NDArray[np.float64], interpolator: module.Interpolator) -> NDArray[np.float64]:
        found = bounds(padded, interpolator)
        kept.append(int((found > 1.0).sum()))
        return found

    monkeypatch.setattr(module, "_bounds", spy)
    true_peak(stereo(samples))
    assert 0 < sum(kept) < 0.02 * 2 * 48_000 / module.BLOCK
