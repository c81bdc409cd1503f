"""What critics and generators tell each other, and the penalties that keep critics smooth."""

from collections.abc import Callable

import torch
from torch.nn.functional import softplus

Critic = Callable[[torch.Tensor], torch.Tensor]


def wasserstein_critic(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Return E[made] - E[real] of verdicts: what a Wasserstein critic minimises."""
    return made.mean() - real.mean()


def relativistic(better: torch.Tensor, worse: torch.Tensor) -> torch.Tensor:
    """Return E softplus(worse - better) of verdicts, item by item.

    Jolicoeur-Martineau 2019, The relativistic discriminator: the critic minimises it with (real, made), the generator
    with (made, real).
    """
    return softplus(worse - better).mean()


def least_squares(verdicts: torch.Tensor, wanted: float) -> torch.Tensor:
    """Return E (verdict - wanted)^2.

    Mao et al. 2017, Least squares generative adversarial networks: a critic wants 1 for real items and 0 for made ones,
    the generator 1 for made ones.
    """
    return (verdicts - wanted).square().mean()


def gradient_penalty(critic: Critic, real: torch.Tensor, made: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Return E (|gradient| - 1)^2 of the critic between real and made items.

    Gulrajani et al. 2017, Improved training of Wasserstein GANs.

    Parameters
    ----------
    real, made
        (B, ...); no gradient flows into them.
    share
        Uniform in [0, 1), (B,): how far each point lies from real to made.
    """
    weights = share.view(-1, *[1] * (real.dim() - 1))
    between = torch.lerp(real.detach(), made.detach(), weights).requires_grad_()
    return (_slopes(critic, between) - 1.0).square().mean()


def real_slope(critic: Critic, real: torch.Tensor) -> torch.Tensor:
    """Return E |gradient|^2 of the critic at real items (R1).

    Mescheder et al. 2018, Which training methods for GANs do actually converge?
    """
    return _slopes(critic, real.detach().requires_grad_()).square().mean()


def _slopes(critic: Critic, items: torch.Tensor) -> torch.Tensor:
    """Return the norm of the critic's gradient at each item, (B,); it can be differentiated."""
    (gradient,) = torch.autograd.grad(critic(items).sum(), items, create_graph=True)
    # the root has no slope at 0; a picture's gradient is never that small
    return gradient.flatten(1).square().sum(1).add(1e-12).sqrt()
