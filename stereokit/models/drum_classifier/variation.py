"""Changes that leave a drum what it is: other pitch, decay, tone colour, sides and noise; and mixtures of two."""

import torch

from stereokit.nets.augmentation import at_speed
from stereokit.training.draw import Draw

_SEMITONES, _DELAY_S, _DECAY_DB = 2.0, 0.01, 24.0
# Tone colour: levels at so many places from low to high, straight lines between them.
_PLACES, _COLOUR_DB = 6, 6.0
_LOWEST_HZ = 40.0
_NOISE_DB = (-70.0, -35.0)
_PART = 0.5
# A clip is raised to a peak of 1, but what is under this is noise of the recorder.
_LEAST_PEAK = 1e-4


def levelled(clips: torch.Tensor) -> torch.Tensor:
    """Return clips (B, 2, T) with a peak of 1, both channels alike; silence stays silence."""
    return clips / clips.abs().amax((1, 2), keepdim=True).clamp(min=_LEAST_PEAK)


def varied(clips: torch.Tensor, sample_rate: int, draw: Draw, *, reach: float) -> torch.Tensor:
    """Return clips (B, 2, T), each changed in its own way, left and right alike.

    Tape speed up to two semitones up or down, a delay up to 10 ms, in half of them a decay that reaches up to 24 dB at
    the end, levels up to 6 dB at six places between 40 Hz and half the rate, in half of them left and right exchanged,
    in half white noise from 35 to 70 dB under full scale, in half the sign.

    Parameters
    ----------
    clips
        Float (B, 2, T), full scale ±1.
    sample_rate
        Hz.
    draw
        Of its random numbers.
    reach
        Factor on all of these spans.
    """
    speed, delay, decay, decays, swaps, signs, level, noisy = draw.uniform(8).unbind(1)
    clips = torch.where((swaps < _PART)[:, None, None], clips.flip(1), clips)
    clips = torch.where((signs < _PART)[:, None, None], -clips, clips)
    ratio = 2.0 ** ((2.0 * speed - 1.0) * reach * _SEMITONES / 12.0)
    clips = at_speed(clips, ratio, delay * min(reach, 1.0) * _DELAY_S * sample_rate)
    depth_db = torch.where(decays < _PART, decay**2 * reach * _DECAY_DB, 0.0)
    ramp = torch.linspace(0.0, 1.0, clips.shape[-1], device=clips.device, dtype=clips.dtype)
    clips = clips * (10.0 ** (-depth_db[:, None] * ramp / 20.0))[:, None]
    clips = coloured(clips, sample_rate, (2.0 * draw.uniform(_PLACES) - 1.0) * reach * _COLOUR_DB)
    quiet, loud = _NOISE_DB
    noise_db = torch.where(noisy < _PART, quiet + (loud - quiet) * level, -torch.inf)
    return clips + (10.0 ** (noise_db / 20.0))[:, None, None] * draw.normal(*clips.shape[1:])


def coloured(clips: torch.Tensor, sample_rate: int, levels_db: torch.Tensor) -> torch.Tensor:
    """Return clips (B, 2, T) filtered: levels (B, places) in dB, spaced evenly in pitch from 40 Hz to half the rate."""
    spectra = torch.fft.rfft(clips, 2 * clips.shape[-1])
    bins = spectra.shape[-1]
    hz = torch.linspace(0.0, sample_rate / 2.0, bins, device=clips.device, dtype=clips.dtype)
    octaves = (hz.clamp(min=_LOWEST_HZ) / _LOWEST_HZ).log2()
    place = octaves / octaves[-1] * (levels_db.shape[1] - 1)
    below = place.floor().long().clamp(max=levels_db.shape[1] - 2)
    share = place - below
    level_db = levels_db[:, below] * (1.0 - share) + levels_db[:, below + 1] * share
    filtered: torch.Tensor = torch.fft.irfft(spectra * (10.0 ** (level_db / 20.0))[:, None], 2 * clips.shape[-1])
    return filtered[..., : clips.shape[-1]]


def mixed(clips: torch.Tensor, truth: torch.Tensor, draw: Draw, *, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix some clips with the next one of the batch, and their labels (B, labels) in the same parts (mixup)."""
    mixes, amount = draw.uniform(2).unbind(1)
    part = torch.where(mixes < share, 0.5 * amount, 0.0)
    waves = (1.0 - part)[:, None, None] * clips + part[:, None, None] * clips.roll(1, 0)
    return waves, (1.0 - part)[:, None] * truth + part[:, None] * truth.roll(1, 0)
