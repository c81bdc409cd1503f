"""Small changes that leave a sound what it is: more of a small data set than it holds."""

from collections.abc import Callable

import torch

Random = Callable[..., torch.Tensor]

_SEMITONES = 1.0
_DELAY_S = 0.003
_GAIN_DB = 2.0
_DECAY_DB = 30.0


def varied(clips: torch.Tensor, sample_rate: int, uniform: Random) -> torch.Tensor:
    """Return clips (B, 2, T), each changed a little, the same way in both channels.

    Tape speed up to a semitone up or down, a delay up to 3 ms, up to 2 dB less gain, in half of them a decay that
    reaches up to 30 dB at the end, and in half of them left and right exchanged.

    Parameters
    ----------
    clips
        Float32 (B, 2, T).
    sample_rate
        Hz.
    uniform
        (*shape) -> numbers in [0, 1) of shape (B, *shape).
    """
    speed, delay, gain, decay, decays, swaps = uniform(6).unbind(1)
    swapped = torch.where((swaps < 0.5)[:, None, None], clips.flip(1), clips)
    ratio = 2.0 ** ((2.0 * speed - 1.0) * _SEMITONES / 12.0)
    moved = at_speed(swapped, ratio, delay * _DELAY_S * sample_rate)
    # the decay's strongest values are rare: most sounds keep their length
    level_db = -_GAIN_DB * gain[:, None] - _ramp_db(decay, decays, clips.shape[-1])
    return moved * (10.0 ** (level_db / 20.0))[:, None]


def _ramp_db(decay: torch.Tensor, decays: torch.Tensor, samples: int) -> torch.Tensor:
    depth = torch.where(decays < 0.5, decay**2 * _DECAY_DB, 0.0)
    return depth[:, None] * torch.linspace(0.0, 1.0, samples, device=decay.device)


def at_speed(clips: torch.Tensor, ratio: torch.Tensor, delay_samples: torch.Tensor) -> torch.Tensor:
    """Read clips at another speed, from a place before their start, by cubic (Catmull-Rom) interpolation."""
    samples = clips.shape[-1]
    steps = torch.arange(samples, device=clips.device, dtype=torch.float64)
    places = (steps - delay_samples[:, None].double()) * ratio[:, None].double()
    # two samples of silence on either side stand for all that is outside
    padded = torch.nn.functional.pad(clips, (2, 2))
    places = places.clamp(-1.0, float(samples)) + 2.0
    whole = places.floor().clamp(1, samples + 1)
    share = (places - whole).float()[:, None]
    index = whole.long()[:, None].expand(-1, 2, -1)
    before, here, after, later = (padded.gather(2, index + offset) for offset in (-1, 0, 1, 2))
    slope = after - before
    bend = 2.0 * before - 5.0 * here + 4.0 * after - later
    twist = 3.0 * (here - after) + later - before
    return here + 0.5 * share * (slope + share * (bend + share * twist))
