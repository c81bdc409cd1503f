"""The players of ``gansynth``, which grow together (Karras et al. 2018, Progressive growing of GANs)."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, leaky_relu

from stereokit.models.gansynth.growing import Ladder, repeated, rung
from stereokit.models.gansynth.layers import (
    GAIN,
    LEAK,
    EqualisedConvolution,
    EqualisedLinear,
    group_deviation,
    pixel_norm,
)
from stereokit.models.gansynth.start import Start

# How far pictures lie from where they start before the first step, as a share of where random weights put them.
_FIRST_SHARE = 0.15
# Share of the usual deviation that a batch leaves.
_REMEMBERED = 0.99


class GeneratorBlock(nn.Module):
    """Two convolutions, each with leaky rectifier and pixel norm."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.first = EqualisedConvolution(inward, outward, 3)
        self.second = EqualisedConvolution(outward, outward, 3)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (B, outward, F, T) of (B, inward, F, T)."""
        for layer in (self.first, self.second):
            pictures = pixel_norm(leaky_relu(layer(pictures), LEAK))
        return pictures


class Seed(nn.Module):
    """A latent and a label spread over the places of the first resolution, and a convolution on top.

    The spreading is a convolution of a single place by a kernel as large as the picture.
    """

    def __init__(self, inward: int, outward: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.spread = EqualisedLinear(inward, outward * size[0] * size[1], has_bias=False, gain=GAIN)
        self.second = EqualisedConvolution(outward, outward, 3)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return (B, outward, *size) of vectors (B, inward)."""
        pictures = self.spread(vectors).view(len(vectors), -1, *self.size)
        pictures = pixel_norm(leaky_relu(pictures, LEAK))
        return pixel_norm(leaky_relu(self.second(pictures), LEAK))


class Generator(nn.Module):
    """Latents and labels to pictures of the resolution that it has grown to.

    With eight labels, as printed (``widths`` 256, 256, 256, 256, 128, 64, 32; four channels of 1024 x 32):
    6,872,192 parameters, with the lower resolutions' own last layers 6,877,056.

    Parameters
    ----------
    latent, labels
        Numbers of a latent, and how many labels there are; a label is one of so many more numbers.
    widths
        Filters at each resolution.
    channels
        Of a picture.
    ladder
        The resolutions.
    is_growing
        Whether lower resolutions can be shown.
    start
        What its pictures are changes of.
    """

    def __init__(
        self,
        *,
        latent: int,
        labels: int,
        widths: tuple[int, ...],
        channels: int,
        ladder: Ladder,
        is_growing: bool,
        start: Start | None,
    ) -> None:
        super().__init__()
        self.start = start
        self.latent = latent
        self.labels = labels
        self.ladder = ladder
        self.blocks = nn.ModuleList([Seed(latent + labels, widths[0], ladder.size(0))])
        self.blocks.extend(GeneratorBlock(*widths[number - 1 : number + 1]) for number in range(1, ladder.count))
        shown = range(0 if is_growing else ladder.last, ladder.count)
        self.pictures = nn.ModuleDict(
            {str(number): EqualisedConvolution(widths[number], channels, 1, gain=1.0) for number in shown}
        )

    def forward(self, latents: torch.Tensor, labels: torch.Tensor, growth: float) -> torch.Tensor:
        """Return pictures within ±1, (B, C, F, T), of latents (B, latent) and class numbers (B,)."""
        known = nn.functional.one_hot(labels, self.labels).to(latents.dtype)
        started = None if self.start is None else self.start(latents, labels)
        made = self.changed(torch.cat([latents, known], dim=1), started, growth)
        return made if self.start is None else self.start.closed(made, latents)

    def changed(self, told: torch.Tensor, started: torch.Tensor | None, growth: float) -> torch.Tensor:
        """Return pictures: those started from, changed by what the first layer is told, (B, latent + labels)."""
        number, share = rung(growth)
        hidden = self.blocks[0](told)
        before = hidden
        for higher in range(1, number + 1):
            before = hidden
            hidden = self.blocks[higher](repeated(hidden, self.ladder.factors(higher)))
        made = self._picture(hidden, number, started)
        if share < 1.0:
            made = torch.lerp(
                repeated(self._picture(before, number - 1, started), self.ladder.factors(number)), made, share
            )
        return torch.tanh(made)

    @torch.no_grad()
    def fit(self, pictures: torch.Tensor, labels: torch.Tensor, silence: torch.Tensor) -> None:
        """Let it start near training pictures, (N, C, F, T), of these labels, (N,); see ``Start.fit``."""
        if self.start is None:
            return
        self.start.fit(pictures, labels, silence)
        for layer in self.pictures.values():
            for weight in layer.parameters():
                weight.mul_(_FIRST_SHARE)

    def _picture(self, hidden: torch.Tensor, number: int, started: torch.Tensor | None) -> torch.Tensor:
        change: torch.Tensor = self.pictures[str(number)](hidden)
        return change if started is None else change + torch.atanh(self.ladder.lowered(started, number))


@dataclass(frozen=True)
class Judgement:
    """What the critic thinks of pictures.

    Attributes
    ----------
    verdicts
        How real each is, (B,).
    labels
        Logits of its label, (B, labels).
    deviation
        How different the pictures of each one's group are, (B, 1, 1, 1).
    """

    verdicts: torch.Tensor
    labels: torch.Tensor
    deviation: torch.Tensor


class CriticBlock(nn.Module):
    """Two convolutions with leaky rectifiers."""

    def __init__(self, inward: int, outward: int, *, middle: int | None = None) -> None:
        super().__init__()
        middle = middle or outward
        self.first = EqualisedConvolution(inward, middle, 3)
        self.second = EqualisedConvolution(middle, outward, 3)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (B, outward, F, T) of (B, inward, F, T)."""
        return leaky_relu(self.second(leaky_relu(self.first(pictures), LEAK)), LEAK)


class Critic(nn.Module):
    """Pictures of the resolution that the generator has grown to, to a verdict and a label each.

    As printed 4,794,761 parameters, with the lower resolutions' own first layers 4,798,729.

    Parameters
    ----------
    group
        Consecutive pictures that are compared with each other, where the batch can be divided by it; else all are.
    labels, widths, channels, ladder, is_growing
        As the generator's.
    """

    usual_deviation: torch.Tensor

    def __init__(
        self, *, labels: int, widths: tuple[int, ...], channels: int, ladder: Ladder, is_growing: bool, group: int
    ) -> None:
        super().__init__()
        self.ladder = ladder
        self.group = group
        # a block ends as wide as the next lower one begins
        inward = (*widths[1:], widths[-1])
        blocks = [CriticBlock(inward[0] + 1, widths[0])]
        blocks.extend(CriticBlock(inward[number], widths[number]) for number in range(1, ladder.count))
        self.blocks = nn.ModuleList(blocks)
        shown = range(0 if is_growing else ladder.last, ladder.count)
        self.pictures = nn.ModuleDict(
            {str(number): EqualisedConvolution(channels, inward[number], 1) for number in shown}
        )
        height, width = ladder.size(0)
        self.verdict = EqualisedLinear(widths[0] * height * width, 1, has_bias=True)
        self.label = EqualisedLinear(widths[0] * height * width, labels, has_bias=True)
        self.register_buffer("usual_deviation", torch.zeros(()))

    def forward(self, pictures: torch.Tensor, growth: float) -> torch.Tensor:
        """Return a verdict for each picture, (B,)."""
        return self.judge(pictures, growth).verdicts

    def judge(self, pictures: torch.Tensor, growth: float, deviation: torch.Tensor | None = None) -> Judgement:
        """Return what it thinks of pictures (B, C, F, T).

        Parameters
        ----------
        pictures
            As large as the resolution of ``growth``.
        growth
            As the generator's.
        deviation
            Taken for how different pictures are, (B, 1, 1, 1): an item's verdict then hangs on nothing but the item.
        """
        number, share = rung(growth)
        hidden = self._first(pictures, number)
        for lower in range(number, 0, -1):
            hidden = avg_pool2d(self.blocks[lower](hidden), self.ladder.factors(lower))
            if lower == number and share < 1.0:
                blurred = avg_pool2d(pictures, self.ladder.factors(number))
                hidden = torch.lerp(self._first(blurred, number - 1), hidden, share)
        if deviation is None:
            deviation = group_deviation(hidden, self.group)
        told = deviation.to(hidden.dtype).expand(-1, -1, *hidden.shape[2:])
        seen = self.blocks[0](torch.cat([hidden, told], dim=1)).flatten(1)
        return Judgement(self.verdict(seen)[:, 0], self.label(seen), deviation)

    @torch.no_grad()
    def remember(self, deviation: torch.Tensor) -> None:
        """Take the deviation of real pictures into account in ``usual_deviation``, which no training reads."""
        self.usual_deviation.lerp_(deviation.mean().to(self.usual_deviation.dtype), 1.0 - _REMEMBERED)

    def _first(self, pictures: torch.Tensor, number: int) -> torch.Tensor:
        return leaky_relu(self.pictures[str(number)](pictures), LEAK)
