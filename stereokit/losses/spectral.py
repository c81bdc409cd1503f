"""How far the spectra of two waves lie apart, at several resolutions and on a logarithmic scale."""

from typing import Literal

import torch
from torch import nn

Form = Literal["magnitude", "power"]

_TINY = 1e-8


class SpectralDistance(nn.Module):
    """Mean difference of log spectra over several transforms (Yamamoto et al. 2020, Parallel WaveGAN).

    Beyond a wave's ends is silence. Spectra are not normalised: a sine of amplitude 1 reaches window / 4.

    Parameters
    ----------
    sizes, hops, windows
        Of each transform, in samples; the Hann window lies in the middle of the transform.
    form
        ``magnitude``: log(|X| + epsilon). ``power``: log(epsilon + |X|^2) (Defossez et al. 2018, SING).
    epsilon
        Above 0; what is far below it does not count.
    """

    def __init__(
        self, *, sizes: tuple[int, ...], hops: tuple[int, ...], windows: tuple[int, ...], form: Form, epsilon: float
    ) -> None:
        super().__init__()
        self.sizes, self.hops, self.form, self.epsilon = sizes, hops, form, epsilon
        for number, window in enumerate(windows):
            self.register_buffer(f"window_{number}", torch.hann_window(window), persistent=False)

    def levels(self, waves: torch.Tensor) -> list[torch.Tensor]:
        """Return the natural log spectra of waves (B, C, T), one (B, C, bins, frames) for each transform."""
        if self.form == "power":
            return [torch.log(self.epsilon + torch.view_as_real(one).square().sum(-1)) for one in self._spectra(waves)]
        return [torch.log(one.abs() + self.epsilon) for one in self._spectra(waves)]

    def convergence(self, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return the length of the difference of magnitudes, relative to that of the real ones, a scalar."""
        pairs = zip(self._spectra(made), self._spectra(real), strict=True)
        ratios = [
            (ours.abs() - theirs.abs()).square().sum((1, 2, 3)).add(_TINY).sqrt()
            # silence has no length
            / theirs.abs().square().sum((1, 2, 3)).clamp_min(1.0).sqrt()
            for ours, theirs in pairs
        ]
        return torch.stack(ratios).mean()

    def forward(self, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return the distance of waves (B, C, T), a scalar; 0 for equal ones."""
        return difference(self.levels(made), self.levels(real))

    def _spectra(self, waves: torch.Tensor) -> list[torch.Tensor]:
        flat, shape = waves.flatten(0, 1), waves.shape[:2]
        found = []
        for number, (size, hop) in enumerate(zip(self.sizes, self.hops, strict=True)):
            window: torch.Tensor = getattr(self, f"window_{number}")
            spectra = torch.stft(
                flat, size, hop, len(window), window, center=True, pad_mode="constant", return_complex=True
            )
            found.append(spectra.view(*shape, *spectra.shape[1:]))
        return found


def difference(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> torch.Tensor:
    """Return the mean absolute difference of two lists of tensors, each pair counting the same."""
    return torch.stack([(one - other).abs().mean() for one, other in zip(ours, theirs, strict=True)]).mean()


def spectral_energy(
    made: tuple[list[torch.Tensor], list[torch.Tensor]], real: list[torch.Tensor], *, repulsion: float
) -> torch.Tensor:
    """Return the generalised energy distance of two independent makings of one sound from the real one.

    The mean distance to the real one, less ``repulsion`` / 2 of the distance from each other (Gritsenko et al. 2020, A
    spectral energy distance for parallel speech synthesis). Without it a maker does best with one smooth spectrum in
    the middle of all, a buzz where the real sound is noise; with a repulsion of 1 it does best with noise.

    Parameters
    ----------
    made, real
        Log spectra, see ``SpectralDistance.levels``.
    repulsion
        0 to 1.
    """
    first, second = made
    attraction = (difference(first, real) + difference(second, real)) / 2.0
    return attraction - repulsion / 2.0 * difference(first, second)
