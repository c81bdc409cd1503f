"""The players of ``sample-gan``: two generators and a critic."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from stereokit.models.sample_gan.config import SIZE, SampleGanConfig
from stereokit.nets.attention import PictureAttention
from stereokit.nets.low_rank import Detail, LowRankPlane, Mapping, Rank
from stereokit.training.draw import Draw

_LEAK = 0.2
# A normal number that does not occur.
_SURE = 10.0
_GROUPS = 4

# Channels, kernels, strides and paddings as printed; the first channel count is the latent's, the last the picture's.
_WIDTHS = (128, 64, 32, 16, 8)
_KERNELS, _STRIDES, _PADDINGS = (4, 4, 4, 4, 6, 6), (1, 2, 2, 2, 4, 2), (0, 1, 1, 1, 1, 2)
_CRITIC_WIDTHS = (4, 8, 16, 32, 64, 128)
# The critic looks around after its third convolution.
_ATTENTION_AFTER = 3


class Generator(nn.Module, ABC):
    """Makes pictures."""

    latent: int

    def make(self, draw: Draw) -> torch.Tensor:
        """Return pictures (B, C, 256, 256), nearly within ±1, one for each item of the draw."""
        return self.paint(draw.normal(self.latent), draw)

    @abstractmethod
    def paint(self, latents: torch.Tensor, draw: Draw) -> torch.Tensor:
        """Return the pictures of latents (B, latent); the draw gives what else is random."""

    @abstractmethod
    def fit(self, pictures: torch.Tensor) -> None:
        """Take what training pictures (N, C, 256, 256) can tell before the first step."""


class ConvolutionalGenerator(Generator):
    """Transposed convolutions from a latent to a picture: 440,106 parameters for two channels.

    ``fit`` shifts its output by the training pictures' mean, which it would otherwise have to learn first.
    """

    shift: torch.Tensor

    def __init__(self, latent: int, channels: int, *, dropout: float) -> None:
        super().__init__()
        self.latent = latent
        widths = (latent, *_WIDTHS, channels)
        layers: list[nn.Module] = []
        for index, (inward, outward) in enumerate(pairwise(widths)):
            layers.append(nn.ConvTranspose2d(inward, outward, _KERNELS[index], _STRIDES[index], _PADDINGS[index]))
            if index < len(widths) - 2:
                layers += [nn.BatchNorm2d(outward), nn.LeakyReLU(_LEAK), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers)
        self.register_buffer("shift", torch.zeros(channels, SIZE, SIZE))

    def paint(self, latents: torch.Tensor, draw: Draw) -> torch.Tensor:
        """Return pictures, within ±1."""
        return torch.tanh(self.layers(latents[:, :, None, None]) + self.shift)

    @torch.no_grad()
    def fit(self, pictures: torch.Tensor) -> None:
        """Shift the output to the mean picture."""
        self.shift.copy_(torch.atanh(pictures.mean(0).clamp(-0.99, 0.99)))


class LowRankGenerator(Generator):
    """Patterns of the training pictures, combined by a small network, and detail on top.

    Pictures are split into planes: the first is always there, the others only in sounds with a side signal, as often
    as in the training data, so that a mono sound is exactly mono.

    Parameters
    ----------
    latent
        Numbers of a latent.
    channels
        ``left-right`` or ``image``: which planes there are, and what they hold in a mono sound.
    bank
        How many pictures' coefficients are kept to learn from.
    """

    bank: torch.Tensor
    threshold: torch.Tensor
    closed: torch.Tensor

    _FIRST, _OTHER = Rank(64, 80, 96), Rank(64, 80, 32)

    def __init__(self, latent: int, channels: str, *, bank: int) -> None:
        super().__init__()
        self.latent = latent
        self.sums = channels == "left-right"
        # in a mono sound the difference is 0; the side is silent and has no angle
        closed = [0.0] if self.sums else [-1.0, 0.0]
        ranks = [self._FIRST, *[self._OTHER] * len(closed)]
        self.planes = nn.ModuleList(LowRankPlane((SIZE, SIZE), rank) for rank in ranks)
        self.sizes = [rank.components for rank in ranks]
        self.mapping = Mapping(latent, sum(self.sizes))
        self.detail = Detail(len(ranks), latent, (SIZE, SIZE))
        self.register_buffer("closed", torch.tensor(closed)[:, None, None])
        self.register_buffer("bank", torch.zeros(bank, sum(self.sizes)))
        self.register_buffer("threshold", torch.zeros(()))

    def coefficients(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return coefficients (B, components) of latents (B, latent), and 1 for each that is wide, (B,)."""
        wide = (latents[:, :1] > self.threshold).to(latents.dtype)
        made = self.mapping(latents, wide[:, 0])
        made = torch.cat([made[:, : self.sizes[0]], made[:, self.sizes[0] :] * wide], dim=1)
        return made, wide[:, 0]

    def paint(self, latents: torch.Tensor, draw: Draw) -> torch.Tensor:
        """Return pictures; a little over ±1 keeps a gradient."""
        coefficients, wide = self.coefficients(latents)
        rough = self._planes(coefficients)
        details = self.detail(rough, latents, draw.normal(1, SIZE, SIZE))
        # silence has no detail
        heard = ((rough[:, :1] + 1.0) * 5.0).clamp(0.0, 1.0)
        planes = rough + heard * details
        opened = torch.lerp(self.closed.expand_as(planes[:, 1:]), planes[:, 1:], wide[:, None, None, None])
        return _leaky_clamp(self._channels(torch.cat([planes[:, :1], opened], dim=1)))

    @torch.no_grad()
    def fit(self, pictures: torch.Tensor) -> None:
        """Take patterns and coefficients from pictures, at most as many as the bank holds."""
        planes = self._split(pictures)
        wide = (planes[:, 1:] != self.closed).flatten(1).any(1)
        coefficients = planes.new_zeros(len(planes), sum(self.sizes))
        for index, (plane, own) in enumerate(
            zip(self._patterns(), torch.split(coefficients, self.sizes, dim=1), strict=True)
        ):
            shown = wide if index else torch.ones_like(wide)
            if shown.any():
                own[shown] = plane.fit(planes[shown, index])
        # a small set fills the bank by being repeated
        order = torch.arange(len(self.bank)) % len(coefficients)
        self.bank.copy_(coefficients[order])
        deviations = coefficients.std(0, correction=0)
        if wide.any():
            deviations[self.sizes[0] :] = coefficients[wide, self.sizes[0] :].std(0, correction=0)
        self.mapping.deviations.copy_(deviations.clamp_min(1e-6))
        mono = 1.0 - wide.double().mean()
        # the first latent passes this as often as a training picture is wide; all or none still needs a number
        self.threshold.fill_(torch.special.ndtri(mono).clamp(-_SURE, _SURE))

    def _planes(self, coefficients: torch.Tensor) -> torch.Tensor:
        parts = torch.split(coefficients, self.sizes, dim=1)
        return torch.stack([plane(part) for plane, part in zip(self._patterns(), parts, strict=True)], dim=1)

    def _patterns(self) -> list[LowRankPlane]:
        return [plane for plane in self.planes if isinstance(plane, LowRankPlane)]

    def _split(self, pictures: torch.Tensor) -> torch.Tensor:
        if not self.sums:
            return pictures
        left, right = pictures.unbind(1)
        return torch.stack([left + right, left - right], dim=1) / 2.0

    def _channels(self, planes: torch.Tensor) -> torch.Tensor:
        if not self.sums:
            return planes
        half_sum, half_difference = planes.unbind(1)
        return torch.stack([half_sum + half_difference, half_sum - half_difference], dim=1)


def _leaky_clamp(pictures: torch.Tensor, slope: float = 0.02) -> torch.Tensor:
    kept = pictures.clamp(-1.0, 1.0)
    return kept + slope * (pictures - kept)


class Critic(nn.Module):
    """Strided convolutions under spectral norm from a picture to a verdict: 177,858 parameters for two channels."""

    def __init__(self, channels: int, config: SampleGanConfig) -> None:
        super().__init__()
        widths = (channels, *_CRITIC_WIDTHS)
        self.blocks = nn.ModuleList()
        for index, (inward, outward) in enumerate(pairwise(widths)):
            layers: list[nn.Module] = [spectral_norm(nn.Conv2d(inward, outward, 4, 2, 1)), nn.LeakyReLU(_LEAK)]
            if index > 0:
                norm = nn.BatchNorm2d(outward) if config.critic_norm == "batch" else nn.GroupNorm(_GROUPS, outward)
                layers += [norm, nn.Dropout(config.dropout)]
            self.blocks.append(nn.Sequential(*layers))
        self.attention: nn.Module = nn.Identity()
        if config.attention != "none":
            width = _CRITIC_WIDTHS[_ATTENTION_AFTER - 1]
            self.attention = PictureAttention(width, is_linear=config.attention == "linear")
        self.verdict = spectral_norm(nn.Conv2d(widths[-1], 1, 4))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return a verdict for each picture, (B,)."""
        return self.judge(pictures)[0]

    def judge(self, pictures: torch.Tensor) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """Return the verdicts and what the critic saw: after the attention, and before the last convolution."""
        seen = pictures
        attended = pictures
        for index, block in enumerate(self.blocks, start=1):
            seen = block(seen)
            if index == _ATTENTION_AFTER:
                seen = attended = self.attention(seen)
        return self.verdict(seen).flatten(), (attended, seen)
