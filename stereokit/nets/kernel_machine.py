"""A classical classifier whose fit has a closed form: ridge regression on labels with a Gaussian kernel."""

from collections.abc import Sequence

import torch
from torch import nn

# Logits of a sound that is wholly of one label, and of none: so far apart.
_SHARPNESS = 6.0
_LEAST_SPREAD = 1e-6


class KernelMachine(nn.Module):
    """Tells labels by how near features lie to those of known sounds.

    With features standardised by the known sounds' and k(u, v) = exp(-w |u - v|^2 / features), logits are

        6 (p_c + sum_i k(u, a_i) d_ic)

    with anchors a, each label's share p of the weights, and weights d that minimise the weighted squares of the errors
    plus ridge x d^T k(a, a) d (a least-squares support vector machine, Suykens and Vandewalle 1999, on a subset of
    anchors as of Nystroem where there are more known sounds).

    Parameters
    ----------
    features, labels
        How many numbers come in and out.
    anchors
        How many known sounds are kept.
    wideness, ridge
        The kernel's w, and how smooth the answer is.
    groups
        How many of the features are of one kind, in their order. Each kind then counts the same, however many features
        it has, and a feature's spread is the root of the mean of its own variance and its kind's. By default each
        feature is of a kind of its own.
    learns
        Whether the weights may be changed by other trainings than ``fit``.
    """

    anchors: torch.Tensor
    mean: torch.Tensor
    spread: torch.Tensor
    shares: torch.Tensor
    weights: torch.Tensor

    def __init__(
        self,
        features: int,
        *,
        labels: int,
        anchors: int,
        wideness: float = 0.5,
        ridge: float = 0.05,
        groups: Sequence[int] | None = None,
        learns: bool = True,
    ) -> None:
        super().__init__()
        self._wideness, self._ridge, self._groups = wideness, ridge, groups
        self.register_buffer("anchors", torch.zeros(anchors, features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.register_buffer("shares", torch.full((labels,), 1.0 / labels))
        weights = torch.zeros(anchors, labels)
        if learns:
            self.weights = nn.Parameter(weights)
        else:
            self.register_buffer("weights", weights)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (B, labels) and the standardised features (B, features)."""
        places = (features - self.mean) / self.spread
        return _SHARPNESS * (self.shares + self._kernel(places, self.anchors) @ self.weights), places

    @torch.no_grad()
    def fit(self, features: torch.Tensor, truth: torch.Tensor, order: torch.Tensor) -> None:
        """Learn from known sounds.

        Parameters
        ----------
        features
            Shape (n, features).
        truth
            How much each counts for each label, (n, labels): a row has one entry above 0.
        order
            The numbers of the sounds, those that become anchors first; they come round again where there are too few.
        """
        known, wanted = features.double(), truth.double()
        mean, spread = known.mean(0), self._spread(known).clamp(min=_LEAST_SPREAD)
        places = (known - mean) / spread
        kept = places[order[torch.arange(len(self.anchors), device=order.device) % len(order)]]
        counts = wanted.sum(1, keepdim=True)
        shares = wanted.sum(0) / counts.sum()
        errors = wanted / counts - shares
        near = self._kernel(places, kept)
        inner = self._kernel(kept, kept)
        # anchors that come round again leave the sum singular
        steady = inner + 1e-6 * torch.eye(len(kept), dtype=inner.dtype, device=inner.device)
        own = near.mT @ (counts * near) + self._ridge * steady
        weights = torch.linalg.solve(own, near.mT @ (counts * errors))
        for mine, found in (
            (self.anchors, kept), (self.mean, mean), (self.spread, spread), (self.shares, shares),
            (self.weights, weights),
        ):  # fmt: skip
            mine.copy_(found)

    def _spread(self, known: torch.Tensor) -> torch.Tensor:
        variance = known.var(0, correction=0)
        if self._groups is None:
            return variance.sqrt()
        kinds = torch.split(variance, list(self._groups))
        counts = len(variance) / len(kinds)
        # a kind of few features counts as much as one of many: squares are summed over all features
        scaled = [(one + one.mean()) / 2.0 * (len(one) / counts) for one in kinds]
        return torch.cat(scaled).sqrt()

    def _kernel(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        squares = one.square().sum(1)[:, None] + other.square().sum(1) - 2.0 * one @ other.mT
        return (-self._wideness / one.shape[1] * squares.clamp(min=0.0)).exp()
