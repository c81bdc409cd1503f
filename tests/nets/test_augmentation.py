"""Small changes to training clips."""

import math

import pytest
import torch

from stereokit.nets.augmentation import varied

RATE = 44_100


def numbers(*values):
    """Stands for a draw: speed, delay, gain, decay, whether it decays, whether sides are exchanged."""
    return lambda *shape: torch.tensor([values])


def sine(hertz=1_000.0, samples=8_820):
    wave = torch.sin(2 * math.pi * hertz * torch.arange(samples, dtype=torch.float64) / RATE).float()
    return torch.stack([wave, 0.5 * wave])[None]


def test_the_middle_of_every_range_leaves_a_clip_alone():
    clip = sine()
    torch.testing.assert_close(varied(clip, RATE, numbers(0.5, 0.0, 0.0, 0.0, 1.0, 1.0)), clip, atol=1e-6, rtol=0)


def test_speed_moves_the_pitch_by_up_to_a_semitone():
    changed = varied(sine(), RATE, numbers(0.0, 0.0, 0.0, 0.0, 1.0, 1.0))
    found = torch.fft.rfft(changed[0, 0]).abs().argmax() * RATE / 8_820
    assert float(found) == pytest.approx(1_000 * 2 ** (-1 / 12), abs=5.0)


def test_a_delay_is_silence_first():
    changed = varied(sine(), RATE, numbers(0.5, 1.0, 0.0, 0.0, 1.0, 1.0))
    delay = round(0.003 * RATE)
    assert torch.all(changed[..., : delay - 2].abs() < 1e-6)
    torch.testing.assert_close(changed[..., delay + 200], sine()[..., 200], atol=0.1, rtol=0)


def test_gain_and_decay_only_lower():
    clip = sine()
    assert float(varied(clip, RATE, numbers(0.5, 0.0, 1.0, 0.0, 1.0, 1.0)).abs().max()) == pytest.approx(
        10 ** (-2 / 20), rel=1e-3
    )
    changed = varied(clip, RATE, numbers(0.5, 0.0, 0.0, 1.0, 0.0, 1.0))
    assert float(changed[..., -100:].abs().max()) == pytest.approx(10 ** (-30 / 20), rel=0.05)


def test_sides_are_exchanged_and_never_treated_apart():
    changed = varied(sine(), RATE, numbers(0.7, 0.3, 0.4, 0.5, 0.0, 0.0))
    torch.testing.assert_close(changed[:, 0], 0.5 * changed[:, 1])


def test_a_mono_clip_stays_mono():
    mono = sine()
    mono[:, 1] = mono[:, 0]
    left, right = varied(mono, RATE, numbers(0.9, 0.9, 0.9, 0.9, 0.1, 0.1)).unbind(1)
    assert torch.equal(left, right)
