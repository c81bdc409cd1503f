"""Networks that make a few hundred numbers of a sound, by which it can be told from others."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from stereokit.nets.placed_features import PlacedFeatures

# Kernel and stride of each layer of the wave's network.
_WAVE_LAYERS = ((64, 16), (8, 4), (8, 4), (8, 4), (4, 2))
_MOST_TIMES = 8
_PARTS = 3


class WaveFeatures(nn.Module):
    """Strided convolutions of a wave; what they find in three parts of its time, and at its highest.

    Parameters
    ----------
    channels
        Of the wave.
    width
        Channels of the first layer, doubled in each later one, up to eight times as many.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = [channels, *(width * min(2**layer, _MOST_TIMES) for layer in range(len(_WAVE_LAYERS)))]
        layers: list[nn.Module] = []
        for inward, outward, (kernel, stride) in zip(widths, widths[1:], _WAVE_LAYERS, strict=False):
            convolution = nn.Conv1d(inward, outward, kernel, stride, padding=kernel // 2, bias=False)
            layers += [convolution, nn.BatchNorm1d(outward), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.width = (1 + _PARTS) * widths[-1]

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """Return (B, width) of waves (B, C, T)."""
        found = self.layers(waves)
        parts = nn.functional.adaptive_avg_pool1d(found, _PARTS)
        return torch.cat([found.amax(2), parts.flatten(1)], dim=1)


class LabelHead(nn.Module):
    """Makes an embedding of features, and labels of the embedding.

    Parameters
    ----------
    features, hidden, labels
        How many numbers come in, make up an embedding, and come out.
    dropout
        Before the embedding and before the labels.
    """

    def __init__(self, features: int, *, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, hidden), nn.ReLU())
        self.label = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, labels))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits (B, labels) and the embeddings (B, hidden)."""
        embedding = self.hidden(features)
        return self.label(embedding), embedding


class FeatureClassifier(nn.Module):
    """Features of one or more views of a sound, and a head for all of them.

    Parameters
    ----------
    branches
        One a view: each has a ``width`` and makes (B, width) of it.
    head
        (features) -> what makes labels of them.
    """

    def __init__(self, branches: Sequence[WaveFeatures | PlacedFeatures], head: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.head = head(sum(branch.width for branch in branches))

    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and embeddings of the views."""
        found = [branch(view) for branch, view in zip(self.branches, views, strict=True)]
        logits, embedding = self.head(torch.cat(found, dim=1))
        return logits, embedding
