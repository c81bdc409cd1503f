"""Hidden frames to waves."""

import math

import pytest
import torch

from stereokit.nets.wave_coder import CoderForm
from stereokit.nets.wave_endings import SpectralEnding, TransposedEnding

WINDOW, HOP = 64, 16


def form(samples=1_000):
    return CoderForm(samples=samples, window=WINDOW, hop=HOP, widths=(6, 8), strides=(4,), kernel=5, is_normed=True)


def spectral(samples=1_000, *, has_noise=False, bands=4):
    torch.manual_seed(0)
    return SpectralEnding(form(samples), bands, has_noise=has_noise).double()


def noise_of(ending, items=1, seed=0):
    return torch.rand(items, *ending.noise_shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def silent(ending, items=1):
    """Return numbers without tones, and noise far down."""
    rows = 2 * ending.bins + 2 * ending.bands if ending.has_noise else 2 * ending.bins + ending.bands
    numbers = torch.zeros(items, ending.form.frames, 2, rows, dtype=torch.float64)
    numbers[..., 2 * ending.bins :] = -100.0
    return numbers


def line_share(wave, period):
    """Return the share of a wave's power that lies at multiples of 1 / period, without 0."""
    power = torch.fft.rfft(wave * torch.hann_window(len(wave), dtype=wave.dtype)).abs().square()
    step = len(wave) / period
    places = torch.arange(1, period // 2 + 1) * step
    lines = sum(power[int(place) - 2 : int(place) + 3].sum() for place in places)
    return float(lines / power[3:].sum())


@pytest.mark.parametrize("samples", [2, 100, 1_000, 1_024, 1_025])
def test_waves_are_as_long_as_asked_for(samples):
    hidden = torch.randn(3, 6, form(samples).frames)
    plain, noisy = TransposedEnding(form(samples)), spectral(samples, has_noise=True).float()
    assert plain.waves(plain(hidden), None).shape == (3, 2, samples)
    assert noisy.waves(noisy(hidden), noise_of(noisy, 3).float()).shape == (3, 2, samples)


def test_a_transposed_ending_repeats_at_its_stride_where_frames_stay_the_same():
    torch.manual_seed(0)
    ending = TransposedEnding(form(1_024)).double()
    hidden = torch.randn(1, 6, 1, dtype=torch.float64).expand(-1, -1, 65)
    wave = ending.waves(ending(hidden), None)[0, 0].detach()
    inside = wave[64:960]
    torch.testing.assert_close(inside[HOP:], inside[:-HOP])
    assert line_share(inside - inside.mean(), HOP) > 0.99


def test_a_spectral_ending_goes_on_as_a_steady_sine_where_frames_stay_the_same():
    ending = spectral(1_024)
    numbers = silent(ending)
    numbers[..., 2 * ending.bins :] = 0.0
    # bin 5 of 64: no multiple of the stride's rate, which every fourth bin is
    numbers[..., 2 * 5] = 1.0
    wave = ending.waves(numbers, None)[0, 0]
    time = torch.arange(1_024, dtype=torch.float64)
    level = wave.abs().max().item()
    wanted = torch.cos(2.0 * math.pi * 5.0 / WINDOW * time)
    inside = slice(64, 960)
    sign = 1.0 if wave[64] * wanted[64] > 0.0 else -1.0
    torch.testing.assert_close(wave[inside], sign * level * wanted[inside], atol=1e-6 * level, rtol=0.02)
    assert line_share(wave[inside], HOP) < 1e-3


def test_noise_has_no_lines_and_is_as_loud_as_its_band_levels_say():
    ending = spectral(4_096, has_noise=True)
    numbers = silent(ending)
    ending.mean.zero_()
    numbers[..., -ending.bands :] = math.log(0.1 * math.sqrt(2.0))
    wave = ending.waves(numbers, noise_of(ending))[0, 0]
    # the power of a sine of amplitude 0.1 in each bin, of which 0 Hz and the highest count half: 1.5 bins wide
    wanted = 0.1**2 / 2.0 * (WINDOW / 2.0) / 1.5
    assert wave.square().mean().item() == pytest.approx(wanted, rel=0.1)
    assert line_share(wave, HOP) < 0.1
    other = ending.waves(numbers, noise_of(ending, seed=1))[0, 0]
    assert abs(float(torch.corrcoef(torch.stack([wave, other]))[0, 1])) < 0.1


def test_a_band_of_noise_stays_in_its_band():
    ending = spectral(4_096, has_noise=True, bands=5)
    numbers = silent(ending)
    numbers[..., -1] = 0.0
    power = torch.fft.rfft(ending.waves(numbers, noise_of(ending))[0, 0]).abs().square()
    assert power[: len(power) // 4].sum() < 1e-3 * power.sum()


def test_it_starts_as_loud_as_the_sounds_it_was_shown():
    ending = spectral(4_096, has_noise=True, bands=8)
    shown = 0.1 * torch.randn(40, 2, 4_096, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    shown[:, 1] *= 0.01
    ending.fit(shown)
    with torch.no_grad():
        hidden = torch.zeros(4, 6, ending.form.frames, dtype=torch.float64)
        made = ending.waves(ending(hidden), noise_of(ending, 4))
    levels = made.square().mean((0, 2)).sqrt().tolist()
    assert levels == pytest.approx([0.1, 0.001], rel=0.3)


def test_silence_and_very_loud_numbers_stay_finite():
    ending = spectral(has_noise=True)
    ending.fit(torch.zeros(2, 2, 1_000, dtype=torch.float64))
    assert ending.mean.isfinite().all()
    numbers = silent(ending)
    numbers[..., 2 * ending.bins :] = 1e4
    assert ending.waves(numbers, noise_of(ending)).isfinite().all()
