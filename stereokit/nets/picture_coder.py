"""Pictures down to a small map and up again: the halves of SegNet and of U-Net, which pass on different things."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

Norm = Literal["batch", "group"]

_GROUPS = 8


@dataclass(frozen=True)
class PictureForm:
    """What encoder and decoder have in common.

    Attributes
    ----------
    channels
        Of a picture.
    widths, convolutions
        Channels and convolutions of each stage; a pooling by 2 in both directions follows each.
    norm
        After each convolution: over the ``batch``, as published, or over ``group``s of an item's channels.
    """

    channels: int
    widths: tuple[int, ...]
    convolutions: tuple[int, ...]
    norm: Norm

    def map_shape(self, rows: int, frames: int) -> tuple[int, int, int]:
        """Return channels, rows and frames of the map of a picture.

        >>> PictureForm(2, (8, 16), (1, 1), "group").map_shape(256, 81)
        (16, 64, 20)
        """
        return self.widths[-1], rows >> len(self.widths), frames >> len(self.widths)


@dataclass(frozen=True)
class Coded:
    """What an encoder makes of pictures.

    Attributes
    ----------
    map
        (B, widths[-1], rows >> stages, frames >> stages).
    skips
        What each stage had before it was pooled, from the first on.
    places
        Which of the pooled cells were the largest, as ``max_pool2d`` tells them.
    """

    map: torch.Tensor
    skips: tuple[torch.Tensor, ...]
    places: tuple[torch.Tensor, ...]


class PictureEncoder(nn.Module):
    """Stages of convolutions, each followed by a pooling.

    Parameters
    ----------
    form
        See ``PictureForm``.
    """

    def __init__(self, form: PictureForm) -> None:
        super().__init__()
        inputs = (form.channels, *form.widths)
        self.stages = nn.ModuleList(
            _stage(inputs[number], width, width, count=form.convolutions[number], norm=form.norm)
            for number, width in enumerate(form.widths)
        )

    def forward(self, pictures: torch.Tensor) -> Coded:
        """Return the map of pictures (B, channels, rows, frames), and what is passed by it."""
        skips, places = [], []
        for stage in self.stages:
            pictures = stage(pictures)
            skips.append(pictures)
            pictures, where = functional.max_pool2d(pictures, 2, return_indices=True)
            places.append(where)
        return Coded(pictures, tuple(skips), tuple(places))


class PictureDecoder(nn.Module, ABC):
    """A map, and what an encoder passed by it, to pictures of the size that the encoder saw."""

    @abstractmethod
    def forward(self, map_: torch.Tensor, coded: Coded) -> torch.Tensor:
        """Return pictures (B, channels, rows, frames) of a map, and of what ``coded`` has beside its own."""


class SegNetDecoder(PictureDecoder):
    """Puts each cell where the encoder found the largest, and convolves (Badrinarayanan et al. 2017, SegNet)."""

    def __init__(self, form: PictureForm) -> None:
        super().__init__()
        outputs = (form.widths[0], *form.widths[:-1])
        self.stages = nn.ModuleList(
            _stage(width, width, outputs[number], count=form.convolutions[number], norm=form.norm)
            for number, width in enumerate(form.widths)
        )
        self.last = nn.Conv2d(form.widths[0], form.channels, 3, padding=1)

    def forward(self, map_: torch.Tensor, coded: Coded) -> torch.Tensor:
        """Return pictures of a map; of ``coded`` only the places and sizes are used."""
        for stage, places, skip in reversed([*zip(self.stages, coded.places, coded.skips, strict=True)]):
            map_ = stage(functional.max_unpool2d(map_, places, [2, 2], output_size=skip.shape[-2:]))
        return torch.as_tensor(self.last(map_))


class UNetDecoder(PictureDecoder):
    """Repeats cells, and convolves them beside what the encoder had there (Ronneberger et al. 2015, U-Net).

    Parameters
    ----------
    form
        See ``PictureForm``.
    skipped
        How many skips it hears, the innermost ones; the others are left out, so that a picture cannot pass by the map.
    """

    def __init__(self, form: PictureForm, skipped: int) -> None:
        super().__init__()
        stages = len(form.widths)
        outputs = (form.widths[0], *form.widths[:-1])
        self.has_skip = tuple(number >= stages - skipped for number in range(stages))
        self.stages = nn.ModuleList(
            _stage(
                width * (2 if self.has_skip[number] else 1), width, outputs[number],
                count=form.convolutions[number], norm=form.norm,
            )
            for number, width in enumerate(form.widths)
        )  # fmt: skip
        self.last = nn.Conv2d(form.widths[0], form.channels, 3, padding=1)

    def forward(self, map_: torch.Tensor, coded: Coded) -> torch.Tensor:
        """Return pictures of a map; of ``coded`` the skips that it hears and the sizes are used."""
        for stage, skip, hears in reversed([*zip(self.stages, coded.skips, self.has_skip, strict=True)]):
            map_ = functional.interpolate(map_, size=skip.shape[-2:])
            map_ = stage(torch.cat([map_, skip], dim=1) if hears else map_)
        return torch.as_tensor(self.last(map_))


class RecurrentDecoder(PictureDecoder):
    """Each column of the map, in the company of those before and after it, is a patch that overlaps its neighbours.

    Parameters
    ----------
    form
        See ``PictureForm``.
    rows, frames
        Of a picture.
    hidden
        Numbers of a direction's state.
    """

    def __init__(self, form: PictureForm, *, rows: int, frames: int, hidden: int) -> None:
        super().__init__()
        width, heights, _ = form.map_shape(rows, frames)
        self.step = 1 << len(form.widths)
        self.shape = (form.channels, rows, 2 * self.step)
        self.recurrent = nn.GRU(width * heights, hidden, batch_first=True, bidirectional=True)
        self.last = nn.Linear(2 * hidden, form.channels * rows * 2 * self.step)

    def patches(self, map_: torch.Tensor) -> torch.Tensor:
        """Return the patches, (B, columns, channels, rows, 2 x step), of a map; each begins a step after the last."""
        columns = map_.flatten(1, 2).transpose(1, 2)
        hidden, _ = self.recurrent(columns)
        return torch.as_tensor(self.last(hidden)).view(*hidden.shape[:2], *self.shape)

    def forward(self, map_: torch.Tensor, coded: Coded) -> torch.Tensor:
        """Return pictures whose patches fade into each other; of ``coded`` only the size is used."""
        patches = self.patches(map_)
        rise = (torch.arange(self.step, device=map_.device, dtype=map_.dtype) + 0.5) / self.step
        early, late = patches[..., : self.step], patches[..., self.step :]
        # the first half of the first patch, and the second of the last, have no other to fade into
        inner = early[:, 1:] * rise + late[:, :-1] * (1.0 - rise)
        parts = torch.cat([early[:, :1], inner, late[:, -1:]], dim=1)
        pictures = parts.permute(0, 2, 3, 1, 4).flatten(-2)
        frames = coded.skips[0].shape[-1]
        return functional.pad(pictures, (0, max(frames - pictures.shape[-1], 0), 0, 0), mode="replicate")[..., :frames]


def disagreement(patches: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute difference of neighbouring patches, see ``RecurrentDecoder``, where they overlap."""
    step = patches.shape[-1] // 2
    # one patch has no neighbour
    if patches.shape[1] < 2:
        return patches.new_zeros(())
    return (patches[:, 1:, ..., :step] - patches[:, :-1, ..., step:]).abs().mean()


def _stage(inputs: int, width: int, outputs: int, *, count: int, norm: Norm) -> nn.Sequential:
    """Return convolutions of so many channels, the last to ``outputs``."""
    sizes = [inputs, *[width] * (count - 1), outputs]
    layers: list[nn.Module] = []
    for number in range(count):
        layers += [
            nn.Conv2d(sizes[number], sizes[number + 1], 3, padding=1, bias=norm == "group"),
            nn.BatchNorm2d(sizes[number + 1])
            if norm == "batch"
            else nn.GroupNorm(math.gcd(sizes[number + 1], _GROUPS), sizes[number + 1]),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)
