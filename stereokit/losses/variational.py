"""What an encoder pays for saying more of a sound than chance would."""

import torch


def divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Return the Kullback-Leibler divergence of normal distributions from the standard one, in nats.

    (mean^2 + variance - log variance - 1) / 2 for each number: the same shape, 0 or more (Kingma and Welling 2014,
    Auto-encoding variational Bayes).
    """
    return (mean.square() + log_variance.exp() - log_variance - 1.0) / 2.0


def freed(nats: torch.Tensor, free: float) -> torch.Tensor:
    """Return what a batch's divergences, (B, D), come to where each of the D numbers has some nats free of charge.

    The sum over numbers of the mean over the batch, at least ``free`` each: below that nothing pulls a number to chance
    (Kingma et al. 2016, Improved variational inference with inverse autoregressive flow).
    """
    return nats.mean(0).clamp_min(free).sum()


def drawn(mean: torch.Tensor, log_variance: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """Return vectors of normal distributions, made of standard normal numbers of their shape."""
    return mean + (log_variance / 2.0).exp() * normal
