"""The networks of ``enhancer``: a U-Net of waves, a critic, and an autoencoder whose bottleneck is looked at."""

import torch
from torch import nn

from stereokit.models.enhancer.config import EnhancerConfig
from stereokit.nets.inception import Inception, InceptionForm
from stereokit.nets.long_filter import LongFilter
from stereokit.nets.subpixel import subpixel, superpixel

_LEAK = 0.2
_LAST_KERNEL = 27
_HIDDEN = 128


def padded(signals: torch.Tensor, multiple: int) -> torch.Tensor:
    """Return signals (B, C, T) with silence behind them, up to the next multiple of so many samples."""
    return nn.functional.pad(signals, (0, -signals.shape[-1] % multiple))


class Block(nn.Module):
    """An inception module, one slope a filter, and dropout: (B, inward, W) to (B, filters, W)."""

    def __init__(self, inward: int, filters: int, form: InceptionForm, dropout: float = 0.0) -> None:
        super().__init__()
        self.filters = filters
        self.convolutions = Inception(inward, filters, form)
        self.slopes = nn.PReLU(filters)
        self.dropout = nn.Dropout(dropout)

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Return (B, filters, W)."""
        return torch.as_tensor(self.dropout(self.slopes(self.convolutions(signals))))


class Generator(nn.Module):
    """A U-Net: blocks that halve the time by superpixel layers, and as many that double it by subpixel layers.

    With a linear filter it is also given what that makes of its input, and adds to it.

    Parameters
    ----------
    channels
        Of the sound.
    """

    def __init__(self, channels: int, config: EnhancerConfig) -> None:
        super().__init__()
        self.filter = LongFilter(channels, config.filter_taps) if config.filter_taps else None
        heard = channels if self.filter is None else 2 * channels
        self.fold, self.has_skip, self.is_bounded = config.fold, config.has_skip, config.ending == "tanh"
        self.multiple = config.fold * 2**config.blocks
        form = InceptionForm(config.kernels, config.shares, config.reduction)
        filters = [config.width * 2 ** min(number, config.doublings) for number in range(config.blocks)]
        # what each block is given: the halved time of the one before has twice its filters
        given = [heard * config.fold, *(2 * count for count in filters)]
        self.down = nn.ModuleList(
            Block(inward, count, form, config.dropout) for inward, count in zip(given, filters, strict=False)
        )
        up, inward = [], given[-1]
        for number, count in enumerate(reversed(filters)):
            up.append(Block(inward, count, form, config.dropout))
            # the next one sees, beside it, what was there on the way down
            inward = count // 2 + (given[-2 - number] if number < config.blocks - 1 else 0)
        self.up = nn.ModuleList(up)
        self.last = nn.Conv1d(inward, channels * config.fold, _LAST_KERNEL, padding=_LAST_KERNEL // 2)

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Return what becomes of signals (B, channels, T), of the same shape; any T."""
        heard = filtered = signals
        if self.filter is not None:
            # a Fourier transform wants all of its precision
            with torch.autocast(signals.device.type, enabled=False):
                filtered = self.filter(signals)
            heard = torch.cat([signals, filtered], dim=1)
        hidden = superpixel(padded(heard, self.multiple), self.fold)
        seen: list[torch.Tensor] = []
        for block in self.down:
            hidden = superpixel(block(hidden))
            seen.append(hidden)
        for number, block in enumerate(self.up):
            hidden = subpixel(block(hidden if number == 0 else torch.cat([hidden, seen[-1 - number]], dim=1)))
        made = subpixel(self.last(hidden), self.fold)[..., : signals.shape[-1]]
        made = torch.tanh(made) if self.is_bounded else made
        made = made + signals if self.has_skip else made
        return made if self.filter is None else made + filtered


class Critic(nn.Module):
    """Blocks of one width that halve the time, layer norms, and two dense layers to a verdict.

    Parameters
    ----------
    channels
        Of the sound.
    frames
        Samples of a sound, always as many.
    """

    def __init__(self, channels: int, frames: int, config: EnhancerConfig) -> None:
        super().__init__()
        form = InceptionForm(config.kernels, config.shares, config.reduction)
        width, count = config.width, config.blocks - 1
        self.multiple = 2**count
        frames += -frames % self.multiple
        self.first = Inception(channels, width, form)
        self.blocks = nn.ModuleList(Inception(width * (2 if number else 1), width, form) for number in range(count))
        self.norms = nn.ModuleList(nn.LayerNorm([2 * width, frames >> (number + 1)]) for number in range(count))
        seen = 2 * width * (frames >> count) if count else width * frames
        self.dense = nn.Sequential(nn.Linear(seen, _HIDDEN), nn.LeakyReLU(_LEAK), nn.Linear(_HIDDEN, 1))

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Return a verdict on each of (B, channels, frames), (B,), higher for more real."""
        hidden = nn.functional.leaky_relu(self.first(padded(signals, self.multiple)), _LEAK)
        for block, norm in zip(self.blocks, self.norms, strict=True):
            hidden = nn.functional.leaky_relu(norm(superpixel(block(hidden))), _LEAK)
        return torch.as_tensor(self.dense(hidden.flatten(1))[:, 0])


class Autoencoder(nn.Module):
    """Blocks of one width down to a bottleneck and up again, without a way around it.

    Parameters
    ----------
    channels
        Of the sound.
    """

    def __init__(self, channels: int, config: EnhancerConfig) -> None:
        super().__init__()
        form = InceptionForm(config.kernels, config.shares, config.autoencoder_reduction)
        width, count = config.width, config.autoencoder_blocks
        self.multiple = 2**count
        self.bottleneck_channels = 2 * width
        self.down = nn.ModuleList(Block(2 * width if number else channels, width, form) for number in range(count))
        self.up = nn.ModuleList(Block(width // 2 if number else 2 * width, width, form) for number in range(count))
        self.last = nn.Conv1d(width // 2, channels, _LAST_KERNEL, padding=_LAST_KERNEL // 2)

    def bottleneck(self, signals: torch.Tensor) -> torch.Tensor:
        """Return what is seen in signals (B, channels, T): (B, 2 width, T / 2^blocks)."""
        hidden = padded(signals, self.multiple)
        for block in self.down:
            hidden = superpixel(block(hidden))
        return hidden

    def restored(self, seen: torch.Tensor, frames: int) -> torch.Tensor:
        """Return signals of so many samples of what was seen in them, (B, channels, frames)."""
        for block in self.up:
            seen = subpixel(block(seen))
        return torch.as_tensor(self.last(seen)[..., :frames])

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Return signals once through the bottleneck."""
        return self.restored(self.bottleneck(signals), signals.shape[-1])


class Classifier(nn.Module):
    """Tells inputs from targets by the means and deviations over time of what the autoencoder sees in them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * channels, 1)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Return the odds, as logits (B,), that each of (B, channels, W) was seen in a target."""
        deviations = seen.var(2, correction=0).add(1e-8).sqrt()
        return torch.as_tensor(self.dense(torch.cat([seen.mean(2), deviations], dim=1))[:, 0])
