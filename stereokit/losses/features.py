"""How far what a discriminator sees in made items lies from what it sees in real ones."""

from collections.abc import Sequence

import torch

from stereokit.losses.distances import moment_difference

_TINY = 1e-8


def paired_features(made: Sequence[torch.Tensor], real: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the mean difference of features of made items from those of the real items that they stand for.

    Each layer, (B, ...), counts relative to the size of the real one's features, so that a discriminator cannot change
    the weight by its own scale.
    """
    terms = [(ours - theirs).abs().mean() / _size(theirs) for ours, theirs in zip(made, real, strict=True)]
    return torch.stack(terms).mean()


def unpaired_features(made: Sequence[torch.Tensor], real: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return how far means and deviations over the batch lie apart, relative to the size of the real features.

    For items that have nothing to do with each other (Salimans et al. 2016, Improved techniques for training GANs).
    """
    terms = [moment_difference(ours, theirs) / _size(theirs) for ours, theirs in zip(made, real, strict=True)]
    return torch.stack(terms).mean()


def _size(features: torch.Tensor) -> torch.Tensor:
    return features.detach().abs().mean() + _TINY
