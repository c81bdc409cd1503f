"""A classical classifier whose fit has a closed form: ridge regression on labels with a Gaussian kernel."""

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
    """

    anchors: torch.Tensor
    mean: torch.Tensor
    spread: torch.Tensor
    shares: torch.Tensor

    def __init__(self, features: int, *, labels: int, anchors: int, wideness: float = 0.5, ridge: float = 0.05) -> None:
        super().__init__()
        self._wideness, self._ridge = wideness, ridge
        self.register_buffer("anchors", torch.zeros(anchors, features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.register_buffer("shares", torch.full((labels,), 1.0 / labels))
        self.weights = nn.Parameter(torch.zeros(anchors, labels))

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
        mean, spread = known.mean(0), known.std(0, correction=0).clamp(min=_LEAST_SPREAD)
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

    def _kernel(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        squares = one.square().sum(1)[:, None] + other.square().sum(1) - 2.0 * one @ other.mT
        return (-self._wideness / one.shape[1] * squares.clamp(min=0.0)).exp()
