"""How far groups of items lie apart, by a critic of all of them."""

from collections.abc import Callable

import torch

from stereokit.losses.adversarial import gradient_penalty


def outputs_of(domains: int) -> int:
    """Return how many numbers a critic of so many domains gives an item: one where one tells them apart.

    >>> outputs_of(2), outputs_of(3)
    (1, 3)
    """
    return 1 if domains == 2 else domains


def apartness(verdicts: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return how far domains lie apart, by the Kantorovich dual of the Wasserstein distance; the critic maximises it.

    Of two domains it is E[verdict of the first] - E[verdict of the second]; of more the mean, over those that are
    there, of how far each lies from all others together.

    Parameters
    ----------
    verdicts
        (B, ``outputs_of`` the domains).
    labels
        Number of each item's domain, int64 (B,).
    """
    if verdicts.shape[1] == 1:
        first, second = (_mean(verdicts[:, 0], labels == number) for number in range(2))
        return first - second
    found = [
        _mean(verdicts[:, number], labels == number) - _mean(verdicts[:, number], labels != number)
        for number in range(verdicts.shape[1])
        if (labels == number).any()
    ]
    return torch.stack(found).mean()


def domain_penalty(
    critic: Callable[[torch.Tensor], torch.Tensor], items: torch.Tensor, labels: torch.Tensor, share: torch.Tensor
) -> torch.Tensor:
    """Return the gradient penalty of each of a critic's numbers between items and others of the next domain.

    Parameters
    ----------
    critic
        (B, ...) -> (B, outputs).
    items
        (B, ...); no gradient flows into them.
    labels
        Number of each item's domain, (B,).
    share
        Uniform in [0, 1), (B,).
    """
    # sorted by domain and turned by half, so that most items meet one of another
    order = labels.argsort(stable=True)
    partner = order.roll(len(order) // 2)
    first, second = items[order], items[partner]
    outputs = critic(items[:1].detach()).shape[1]

    def told(number: int) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda between: critic(between)[:, number]

    return torch.stack([gradient_penalty(told(number), first, second, share) for number in range(outputs)]).mean()


def _mean(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Return the mean of the chosen values, 0 where there is none."""
    return torch.where(chosen, values, 0.0).sum() / chosen.sum().clamp_min(1)
