"""How far one batch lies from another, without pairing its items."""

import torch


def energy_distance(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    r"""Return the energy distance 2 E|m - r| - E|m - m'| - E|r - r'| of two batches of vectors, unbiased.

    Zero for equal distributions and more for any others (Szekely and Rizzo 2013, Energy statistics), so a batch
    that lacks variety is told as well as one that lies elsewhere: no pair of items has to match.

    Parameters
    ----------
    made, real
        (N, D) and (M, D), two items or more each; the distance of two is Euclidean.

    Returns
    -------
    Tensor
        A scalar in the vectors' unit, below 0 only by chance. The last term has no gradient for ``made``.
    """
    across = _distances(made, real).mean()
    return 2.0 * across - _among(made) - _among(real)


def matched_energy_distance(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return the energy distance of two batches whose items with one number were made for one label.

    Labels that are part of the vectors tell whether what was made for a label is like what has it. Pairs of one number
    are left out, since their labels agree more often than chance has it: the estimate would fall below 0.

    Parameters
    ----------
    made, real
        (..., N, D), two items or more; the mean over leading axes is returned.
    """
    count = made.shape[-2]
    apart = 1.0 - torch.eye(count, dtype=made.dtype, device=made.device)
    pairs = ((made, real, 2.0), (made, made, -1.0), (real, real, -1.0))
    terms = [weight * (_distances(first, second) * apart).sum((-2, -1)) for first, second, weight in pairs]
    return torch.stack(terms).sum(0).mean() / (count * (count - 1))


def _among(items: torch.Tensor) -> torch.Tensor:
    count = len(items)
    return _distances(items, items).sum() / (count * (count - 1))


def _distances(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return all Euclidean distances, (..., N, M); the gradient at distance 0 is 0."""
    lengths = first.square().sum(-1)[..., :, None] + second.square().sum(-1)[..., None, :]
    squared = (lengths - 2.0 * first @ second.mT).clamp_min(0.0)
    # the root has no slope at 0, where an item meets itself
    return torch.where(squared > 1e-8, squared.clamp_min(1e-8).sqrt(), 0.0)


def moment_difference(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return how far the means and the deviations over the batch lie apart, averaged over all places.

    Comparing single items that have nothing to do with each other would pull all of them to the mean.

    Parameters
    ----------
    made, real
        (B, ...), of the same shape but for B.
    """
    means = (made.mean(0) - real.mean(0)).abs().mean()
    deviations = (made.std(0, correction=0) - real.std(0, correction=0)).abs().mean()
    return means + deviations
