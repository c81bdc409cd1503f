"""Resampling: tones stay, aliases do not come, channels stay together."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import signal

from stereokit.audio import resample as module
from stereokit.audio.clip import Clip
from stereokit.audio.resample import resample, resample_blocks


def tone(hz: float, rate: int, *, seconds: float = 1.0) -> Clip:
    sine = np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return Clip(np.stack([sine, 0.5 * sine]).astype(np.float32), rate)


def inner_level_db(clip: Clip, channel: int = 0) -> float:
    """Return the RMS level without the ends, 0 dB for a sine of full scale."""
    cut = clip.frames // 8
    return float(10 * np.log10(2 * np.mean(clip.samples[channel, cut:-cut].astype(np.float64) ** 2) + 1e-30))


def test_what_would_alias_is_gone():
    # 23 kHz at 48 kHz would come out at 21.1 kHz.
    assert inner_level_db(resample(tone(23_000, 48_000), 44_100)) < -100


@pytest.mark.parametrize("hz", [30_000, 45_000])
def test_what_would_alias_from_a_high_rate_is_gone(hz: float):
    assert inner_level_db(resample(tone(hz, 96_000), 44_100)) < -100


@pytest.mark.parametrize(
    ("old", "new"), [(48_000, 44_100), (44_100, 48_000), (96_000, 44_100), (44_100, 22_050), (8000, 44_100)]
)
def test_a_tone_keeps_its_level_and_its_place(old: int, new: int):
    out = resample(tone(1000, old), new)
    assert inner_level_db(out) == pytest.approx(0.0, abs=0.01)
    assert inner_level_db(out, 1) == pytest.approx(20 * np.log10(0.5), abs=0.01)
    cut = new // 8
    assert np.abs(out.samples - tone(1000, new).samples)[:, cut:-cut].max() < 1e-4


def test_the_band_up_to_20_khz_keeps_its_level():
    assert inner_level_db(resample(tone(20_000, 48_000), 44_100)) == pytest.approx(0.0, abs=0.1)


def test_it_agrees_with_another_resampler_on_a_band_limited_sound():
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 48_000))
    band = signal.sosfiltfilt(signal.butter(8, 8000, fs=48_000, output="sos"), noise)
    band *= signal.windows.tukey(48_000, 0.2)
    ours = resample(Clip(band.astype(np.float32), 48_000), 44_100).samples
    theirs = signal.resample(band, 44_100, axis=1)
    assert np.abs(ours - theirs).max() < 1e-4


@pytest.mark.parametrize(("old", "new"), [(48_000, 44_100), (44_100, 48_000), (44_100, 8000), (96_000, 11_025)])
@pytest.mark.parametrize("frames", [1, 2, 3, 147, 160, 999, 44_101])
def test_the_length_is_the_nearest_whole_number_of_samples_and_never_none(old: int, new: int, frames: int):
    out = resample(Clip(np.ones((2, frames), np.float32), old), new)
    assert out.frames == max(1, round(Fraction(frames * new, old)))
    assert out.sample_rate == new
    assert out.samples.dtype == np.float32
    assert np.isfinite(out.samples).all()


def test_dual_mono_stays_dual_mono_bit_for_bit():
    noise = np.random.default_rng(1).normal(0, 0.3, 20_000).astype(np.float32)
    out = resample(Clip(np.stack([noise, noise]), 48_000), 44_100)
    assert np.array_equal(out.samples[0], out.samples[1])


def test_an_inverted_channel_stays_inverted():
    noise = np.random.default_rng(1).normal(0, 0.3, 20_000).astype(np.float32)
    out = resample(Clip(np.stack([noise, -noise]), 48_000), 44_100)
    assert np.array_equal(out.samples[0], -out.samples[1])


def test_channels_do_not_leak_into_each_other():
    noise = np.random.default_rng(1).normal(0, 0.3, 20_000).astype(np.float32)
    out = resample(Clip(np.stack([noise, np.zeros_like(noise)]), 48_000), 44_100)
    assert out.samples[0].any()
    assert not out.samples[1].any()


def test_the_same_rate_gives_the_clip_itself():
    clip = tone(1000, 48_000, seconds=0.1)
    assert resample(clip, 48_000) is clip


def test_the_clip_that_came_in_is_unchanged():
    clip = tone(1000, 48_000, seconds=0.1)
    before = clip.samples.copy()
    resample(clip, 44_100)
    assert np.array_equal(clip.samples, before)


@pytest.mark.parametrize(("old", "new"), [(48_000, 44_100), (44_100, 48_000), (8000, 44_100), (44_100, 1000), (7, 7)])
@pytest.mark.parametrize("frames", [1, 50, 5000])
@pytest.mark.parametrize("length", [1, 49, 777, 5000])
def test_a_sound_in_parts_becomes_the_same_to_the_bit(old: int, new: int, frames: int, length: int):
    sound = np.random.default_rng(frames).normal(0, 0.1, (frames, 2)).astype(np.float32)
    parts = (sound[start : start + length] for start in range(0, frames, length))
    made = np.concatenate(list(resample_blocks(parts, frames, old, new)))
    assert np.array_equal(made.T, resample(Clip(sound.T, old), new).samples)


@pytest.mark.parametrize("frames", [1000, 1001, 1_600])
def test_a_long_sound_is_resampled_in_parts_to_the_bit(monkeypatch: pytest.MonkeyPatch, frames: int):
    clip = Clip(np.random.default_rng(0).normal(0, 0.1, (2, frames)).astype(np.float32), 48_000)
    whole = resample(clip, 44_100).samples
    monkeypatch.setattr(module, "_LONG_FRAMES", 999)
    monkeypatch.setattr(module, "_FRAMES_AT_ONCE", 100)
    assert np.array_equal(resample(clip, 44_100).samples, whole)


@pytest.mark.parametrize("frames", [9, 11])
def test_parts_of_another_length_than_said_are_an_error(frames: int):
    with pytest.raises(ValueError, match="10 frames came"):
        list(resample_blocks([np.zeros((10, 2), np.float32)], frames, 8000, 4000))
