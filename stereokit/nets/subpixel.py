"""Samples moved between time and channels: nothing is computed, so nothing is lost."""

import torch


def superpixel(signals: torch.Tensor, factor: int = 2) -> torch.Tensor:
    """Return (B, C x factor, W / factor) of (B, C, W): neighbours in time become channels side by side.

    The exact inverse of ``subpixel`` (Kim and Sathe 2018, Adversarial audio super-resolution with unsupervised feature
    losses).

    >>> superpixel(torch.tensor([[[1, 2, 3, 4]]])).tolist()
    [[[1, 3], [2, 4]]]
    """
    batch, channels, width = signals.shape
    parts = signals.reshape(batch, channels, width // factor, factor)
    return parts.transpose(2, 3).reshape(batch, channels * factor, width // factor)


def subpixel(signals: torch.Tensor, factor: int = 2) -> torch.Tensor:
    """Return (B, C / factor, W x factor) of (B, C, W): channels side by side become neighbours in time.

    The exact inverse of ``superpixel`` (Shi et al. 2016, Real-time single image and video super-resolution).
    """
    batch, channels, width = signals.shape
    parts = signals.reshape(batch, channels // factor, factor, width)
    return parts.transpose(2, 3).reshape(batch, channels // factor, width * factor)
