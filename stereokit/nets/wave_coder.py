"""Waves to a few numbers by strided convolutions, and back to the hidden frames that an ending makes waves of."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import pad

_LEAK = 0.1
# Most groups of a group norm.
_GROUPS = 8
# Magnitudes below this share of full scale, -100 dB, are silence.
_FLOOR = 1e-5


@dataclass(frozen=True)
class CoderForm:
    """What encoder and decoder share.

    Attributes
    ----------
    samples
        Of a wave.
    window, hop
        Of a frame, in samples; the first one is centred on the first sample.
    widths
        Channels of the frames, and after each stride.
    strides
        Of the convolutions over frames.
    kernel
        Their length in frames, odd.
    is_normed
        Whether group norms keep hidden values in range.
    """

    samples: int
    window: int
    hop: int
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    kernel: int
    is_normed: bool

    @property
    def frames(self) -> int:
        """Frames of a wave: the last one is centred at its end or beyond."""
        return math.ceil(self.samples / self.hop) + 1

    @property
    def lengths(self) -> list[int]:
        """Frames, and what is left of them after each stride."""
        left = [self.frames]
        for stride in self.strides:
            left.append(math.ceil(left[-1] / stride))
        return left


class Front(nn.Module):
    """The first layer, a long strided convolution; with ``is_spectral`` it sees log magnitudes too."""

    window: torch.Tensor

    def __init__(self, form: CoderForm, *, is_spectral: bool) -> None:
        super().__init__()
        self.form, self.is_spectral = form, is_spectral
        self.waves = nn.Conv1d(2, form.widths[0], form.window, form.hop)
        if is_spectral:
            self.levels = nn.Conv1d(2 * (form.window // 2 + 1), form.widths[0], 1)
            self.register_buffer("window", torch.hann_window(form.window), persistent=False)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """Return hidden frames (B, width, frames) of waves (B, 2, T)."""
        form = self.form
        before = form.window // 2
        after = (form.frames - 1) * form.hop + form.window - before - form.samples
        padded = pad(waves, (before, after))
        hidden = self.waves(padded)
        if self.is_spectral:
            hidden += self.levels(self._levels(padded))
        return torch.as_tensor(hidden)

    def _levels(self, padded: torch.Tensor) -> torch.Tensor:
        frames = padded.unfold(2, self.form.window, self.form.hop) * self.window
        magnitudes: torch.Tensor = torch.fft.rfft(frames).abs() * (2.0 / self.window.sum())
        # about -1 to 1 over the range that is heard
        levels: torch.Tensor = 1.0 + (magnitudes + _FLOOR).log10() / 2.5
        return levels.transpose(2, 3).flatten(1, 2)


class WaveEncoder(nn.Module):
    """Waves to the mean and the log variance of each latent number (after Defossez et al. 2018, SING)."""

    def __init__(self, form: CoderForm, latent: int, *, is_spectral: bool) -> None:
        super().__init__()
        self.front = Front(form, is_spectral=is_spectral)
        blocks: list[nn.Module] = [*_after(form.widths[0], form)]
        for number, stride in enumerate(form.strides):
            inward, outward = form.widths[number : number + 2]
            blocks += [
                nn.Conv1d(inward, outward, form.kernel, stride, form.kernel // 2),
                *_after(outward, form),
            ]
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(form.widths[-1] * form.lengths[-1], 2 * latent)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """Return means and log variances, (B, 2 x latent), of waves (B, 2, T)."""
        return torch.as_tensor(self.last(self.blocks(self.front(waves)).flatten(1)))


class FrameDecoder(nn.Module):
    """Latents to hidden frames, the mirror of the encoder.

    Parameters
    ----------
    form
        Shared with the encoder.
    inputs
        Numbers of a latent, and what else is known of the sound.
    is_transposed
        Transposed convolutions, which leave a pattern of their stride; else every frame is repeated, and convolved.
    """

    def __init__(self, form: CoderForm, inputs: int, *, is_transposed: bool) -> None:
        super().__init__()
        self.form = form
        self.first = nn.Linear(inputs, form.widths[-1] * form.lengths[-1])
        self.start = nn.Sequential(*_after(form.widths[-1], form))
        self.raises = nn.ModuleList()
        for number in reversed(range(len(form.strides))):
            outward, inward = form.widths[number : number + 2]
            self.raises.append(_Raise(inward, outward, form, form.strides[number], is_transposed=is_transposed))
        width = form.widths[0]
        self.mixing = nn.Sequential(nn.Conv1d(width, width, 1), nn.LeakyReLU(_LEAK))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return hidden frames (B, width, frames) of (B, inputs)."""
        lengths = self.form.lengths
        hidden = self.start(self.first(inputs).unflatten(1, (self.form.widths[-1], lengths[-1])))
        for raising, length in zip(self.raises, reversed(lengths[:-1]), strict=True):
            hidden = raising(hidden)[..., :length]
        return torch.as_tensor(self.mixing(hidden))


class _Raise(nn.Module):
    """Multiply the frames by a stride."""

    def __init__(self, inward: int, outward: int, form: CoderForm, stride: int, *, is_transposed: bool) -> None:
        super().__init__()
        half = form.kernel // 2
        layers: list[nn.Module] = (
            [nn.ConvTranspose1d(inward, outward, form.kernel, stride, half, output_padding=stride - 1)]
            if is_transposed
            else [nn.Upsample(scale_factor=stride), nn.Conv1d(inward, outward, form.kernel, 1, half)]
        )
        self.layers = nn.Sequential(*layers, *_after(outward, form))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.layers(hidden))


def _after(width: int, form: CoderForm) -> list[nn.Module]:
    """Return what follows a convolution."""
    norms: list[nn.Module] = [nn.GroupNorm(math.gcd(_GROUPS, width), width)] if form.is_normed else []
    return [*norms, nn.LeakyReLU(_LEAK)]
