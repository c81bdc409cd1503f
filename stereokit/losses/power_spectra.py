"""How far the power of two waves' spectra lies apart, on a linear scale."""

import torch
from torch import nn


class PowerDistance(nn.Module):
    """Mean squared difference of power spectra |X|^2 / sum(window^2), with a Hann window.

    Loud partials decide alone: a difference of 1 dB counts by the square of the power.

    Parameters
    ----------
    size, hop
        Of the transform and from one to the next, in samples.
    """

    window: torch.Tensor

    def __init__(self, *, size: int = 512, hop: int = 128) -> None:
        super().__init__()
        self.size, self.hop = size, hop
        self.register_buffer("window", torch.hann_window(size), persistent=False)

    def powers(self, waves: torch.Tensor) -> torch.Tensor:
        """Return the power spectra of waves (B, C, T), (B x C, bins, frames)."""
        window = self.window
        flat = waves.flatten(0, 1)
        spectra = torch.stft(
            flat, self.size, self.hop, window=window, center=True, pad_mode="constant", return_complex=True
        )
        return torch.view_as_real(spectra).square().sum(-1) / window.square().sum()

    def forward(self, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return the distance of waves (B, C, T), a scalar."""
        return (self.powers(made) - self.powers(real)).square().mean()
