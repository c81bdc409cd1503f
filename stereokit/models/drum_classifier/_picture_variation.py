"""Changes of pictures over logarithmic pitch and time that leave a drum what it is; cheaper than those of its wave."""

import math

import torch
from torch import nn

from stereokit.representations._drum_pictures import FLOOR_DB, DrumPictures
from stereokit.training.draw import Draw

# Tape speed, time alone (standard deviation), both in octaves.
_SPEED, _STRETCH = 0.45, 0.15
# Decays of 4 to 256 dB a second in half of the clips; one in five of them grows instead, by 15 % of that.
_DECAYS, _DECAY_DB, _DECAY_OCTAVES, _GROWS, _GROWTH = 0.5, 4.0, 6.0, 0.2, -0.15
# Tone colour: levels at nine places and a tilt, standard deviations in dB.
_PLACES, _COLOUR_DB, _TILT_DB = 9, 4.0, 4.0
# Old machines lack treble, small loudspeakers bass: shares of the clips, dB an octave, and octaves from the end.
_LOW_PASSES, _LOW_PASS_DB, _LOW_PASS_OCTAVES = 0.25, 90.0, 2.0
_HIGH_PASSES, _HIGH_PASS_DB, _HIGH_PASS_OCTAVES = 0.1, 24.0, 2.0
_CONTRAST = 0.08
# Cut after 30 ms to 1 s.
_CUTS, _CUT_S, _CUT_OCTAVES = 0.15, 0.03, 5.0
_NOISES, _NOISE_DB, _NOISE_TILT_DB = 0.5, (-85.0, -45.0), 6.0
_ROW_MASKS, _ROWS_MASKED, _COLUMN_MASKS, _COLUMNS_MASKED = 0.4, 12, 0.3, 7


def varied_pictures(pictures: torch.Tensor, axes: DrumPictures, draw: Draw) -> torch.Tensor:
    """Return pictures (B, C, rows, columns) in dB, each changed in its own way, all resolutions alike.

    Speed up to 0.45 octaves and stretched time, decay, tone colour and tilt, missing treble or bass, contrast, an early
    end, a floor of noise, and rows and columns that show nothing but the mean.
    """
    random = draw.uniform(18).to(pictures.dtype)[:, :, None, None, None].unbind(1)
    normal = draw.normal(4).to(pictures.dtype)[:, :, None, None, None].unbind(1)
    height = (axes.octaves / axes.octaves[-1])[:, None]
    varied = _moved(pictures, axes, (2.0 * random[0] - 1.0) * _SPEED, normal[0] * _STRETCH)
    rate = _DECAY_DB * 2.0 ** (random[1] * _DECAY_OCTAVES) * torch.where(random[2] < _GROWS, _GROWTH, 1.0)
    varied = varied - torch.where(random[3] < _DECAYS, rate, 0.0) * axes.seconds
    colour = draw.normal(1, _PLACES).to(pictures.dtype) * (random[4].flatten(1)[..., None] * _COLOUR_DB)
    colour = nn.functional.interpolate(colour, size=len(height), mode="linear", align_corners=True)
    varied = varied + colour[..., None] + normal[1] * _TILT_DB * (height - 0.5)
    above = (axes.octaves - axes.octaves[-1] + _LOW_PASS_OCTAVES).clamp(min=0.0)[:, None]
    varied = varied - torch.where(random[5] < _LOW_PASSES, random[6] * _LOW_PASS_DB, 0.0) * above
    below = (_HIGH_PASS_OCTAVES - axes.octaves).clamp(min=0.0)[:, None]
    varied = varied - torch.where(random[7] < _HIGH_PASSES, random[8] * _HIGH_PASS_DB, 0.0) * below
    varied = varied * (1.0 + _CONTRAST * normal[2])
    end = torch.where(random[9] < _CUTS, _CUT_S * 2.0 ** (random[10] * _CUT_OCTAVES), math.inf)
    varied = torch.where(axes.seconds > end, FLOOR_DB, varied)
    quiet, loud = _NOISE_DB
    noise = torch.where(random[11] < _NOISES, quiet + (loud - quiet) * random[12], 2.0 * FLOOR_DB)
    varied = _added(varied, noise + normal[3] * _NOISE_TILT_DB * (height - 0.5))
    varied = (varied - varied.amax((2, 3), keepdim=True)).clamp(min=FLOOR_DB)
    varied = _masked(varied, -2, random[13] < _ROW_MASKS, random[14], random[15] * _ROWS_MASKED)
    return _masked(varied, -1, random[13] > 1.0 - _COLUMN_MASKS, random[16], random[17] * _COLUMNS_MASKED)


def mixed_pictures(
    pictures: torch.Tensor, truth: torch.Tensor, draw: Draw, *, share: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix some pictures with the next one of the batch, half of them as sounds and half as pictures; labels too."""
    mixes, amount, sounds = draw.uniform(3).to(pictures.dtype)[:, :, None, None, None].unbind(1)
    part = torch.where(mixes < share, 0.5 * amount, 0.0)
    other = pictures.roll(1, 0)
    as_pictures = (1.0 - part) * pictures + part * other
    level = 10.0 * part.clamp(min=1e-12).log10()
    as_sounds = _added(pictures + 10.0 * (1.0 - part).log10(), other + level)
    whole = part.flatten(1)
    return torch.where(sounds < 0.5, as_sounds, as_pictures), (1.0 - whole) * truth + whole * truth.roll(1, 0)


def _moved(pictures: torch.Tensor, axes: DrumPictures, speed: torch.Tensor, stretch: torch.Tensor) -> torch.Tensor:
    """Move pictures up and to the left by octaves of speed, and to the right by octaves of time; edges repeat."""
    rows, columns = pictures.shape[-2:]
    row_octaves = float(axes.octaves[1] - axes.octaves[0])
    places = torch.eye(2, 3, dtype=pictures.dtype, device=pictures.device).repeat(len(pictures), 1, 1)
    places[:, 0, 2] = ((speed - stretch) / axes.column_octaves * (2.0 / columns)).flatten()
    places[:, 1, 2] = (-speed / row_octaves * (2.0 / rows)).flatten()
    grid = nn.functional.affine_grid(places, list(pictures.shape), align_corners=False)
    return nn.functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _added(one_db: torch.Tensor, other_db: torch.Tensor) -> torch.Tensor:
    """Return the levels of the sum of two powers."""
    factor = math.log(10.0) / 10.0
    return torch.logaddexp(one_db * factor, other_db * factor) / factor


def _masked(
    pictures: torch.Tensor, axis: int, chosen: torch.Tensor, start: torch.Tensor, length: torch.Tensor
) -> torch.Tensor:
    size = pictures.shape[axis]
    places = torch.arange(size, device=pictures.device)
    places = places[:, None] if axis == -2 else places
    first = start * (size - length)
    hidden = chosen & (places >= first) & (places < first + length)
    return torch.where(hidden, pictures.mean((1, 2, 3), keepdim=True), pictures)
