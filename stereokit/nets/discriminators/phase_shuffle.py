"""The wave as a whole, whatever its phase."""

import torch
from torch import nn
from torch.nn.functional import pad

from stereokit.nets.discriminators._form import Discriminator, Layers, Opinion, widths

_LAYERS, _KERNEL, _STRIDE, _SHIFT = 5, 25, 4, 2


class PhaseShuffle(Discriminator):
    """One verdict a wave; while it trains, what each hidden layer sees is moved by up to two places.

    Made waves have tones at the rate of a stride, always in one phase: a network that is shown them anywhere cannot go
    by that (Donahue et al. 2019, Adversarial audio synthesis). Where they end in one layer for all places, the verdict
    here is the mean over places, so that any length can be judged.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = widths(width, _LAYERS)
        hidden: list[nn.Module] = [
            nn.Conv1d(inward, outward, _KERNEL, _STRIDE, _KERNEL // 2) for inward, outward in sizes
        ]
        self.network = _Shuffled(hidden, nn.Conv1d(sizes[-1][1], 1, 1))

    def forward(self, waves: torch.Tensor) -> list[Opinion]:
        """Return the one opinion."""
        opinion: Opinion = self.network(waves)
        return [Opinion(opinion.verdicts.mean(1, keepdim=True), opinion.features)]


class _Shuffled(Layers):
    def between(self, seen: torch.Tensor) -> torch.Tensor:
        """Move each item by its own number of places, and fill in what was next to the end."""
        if not self.training or seen.shape[-1] <= _SHIFT:
            return seen
        shifts = torch.randint(-_SHIFT, _SHIFT + 1, (len(seen),), device=seen.device)
        return shifted(seen, shifts, most=_SHIFT)


def shifted(items: torch.Tensor, shifts: torch.Tensor, *, most: int) -> torch.Tensor:
    """Return items (B, C, T) each moved to the right by its shift, (B,), of at most ``most`` places, ends mirrored."""
    padded = pad(items, (most, most), mode="reflect")
    places = torch.arange(items.shape[-1], device=items.device) + most - shifts[:, None]
    return padded.gather(2, places[:, None].expand(-1, items.shape[1], -1))
