"""Left and right to their mean and half their difference, and back."""

import torch


def to_mid_side(clips: torch.Tensor) -> torch.Tensor:
    """Return (L + R) / 2 and (L - R) / 2 of clips (B, 2, T)."""
    left, right = clips.unbind(1)
    return torch.stack([(left + right) / 2.0, (left - right) / 2.0], dim=1)


def from_mid_side(waves: torch.Tensor) -> torch.Tensor:
    """Return left and right of mid and side (B, 2, T)."""
    middle, side = waves.unbind(1)
    return torch.stack([middle + side, middle - side], dim=1)
