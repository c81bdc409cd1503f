"""The game of the first generative adversarial networks: verdicts are odds of being real.

Goodfellow et al. 2014, Generative adversarial nets. Verdicts are logits, of any shape.
"""

import torch
from torch.nn.functional import softplus


def odds_critic(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Return -E log D(real) - E log(1 - D(made)): what a critic minimises; 2 log 2 where it cannot tell."""
    return softplus(-real).mean() + softplus(made).mean()


def saturating(made: torch.Tensor) -> torch.Tensor:
    """Return E log(1 - D(made)): what the generator minimises in the game as it was first told.

    Its slope vanishes where the critic is sure.
    """
    return -softplus(made).mean()


def non_saturating(made: torch.Tensor) -> torch.Tensor:
    """Return -E log D(made), whose slope is steepest where the critic is sure."""
    return softplus(-made).mean()
