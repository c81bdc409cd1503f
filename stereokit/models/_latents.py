"""Vectors between vectors, and random ones that do not stray."""

import math
from collections.abc import Sequence
from typing import Literal

import torch

from stereokit.errors import UsageError

Curve = Literal["linear", "spherical"]

# Directions that lie this near to opposite have no arc between them that rounding would not choose.
_OPPOSITE = -1.0 + 1e-9


def truncated(normal: torch.Tensor, limit: float) -> torch.Tensor:
    """Return standard normal numbers as numbers of the normal distribution within ±limit.

    Each goes to where as much of the new distribution lies beyond it as of the old one: no number is drawn anew, signs
    and order stay, and a limit that grows changes less and less.

    Parameters
    ----------
    normal
        Any shape.
    limit
        Above 0.

    Returns
    -------
    torch.Tensor
        Of the same shape and type, within ±limit.
    """
    # the two-sided tails, which float64 tells apart where it does not tell what is left of 1
    scale = 0.5**0.5
    tail = torch.special.erfc(scale * normal.cpu().double().abs())
    beyond = math.erfc(scale * limit)
    inside = -torch.special.ndtri((tail * (1.0 - beyond) + beyond) / 2.0)
    return torch.copysign(inside.clamp(0.0, limit), normal.cpu().double()).to(normal)


def between(first: torch.Tensor, second: torch.Tensor, share: float, curve: Curve) -> torch.Tensor:
    """Return the vector that lies a share of the way from one to the other.

    Parameters
    ----------
    first, second
        Shape (n,).
    share
        0 gives exactly the first, 1 exactly the second.
    curve
        ``linear``: (1 - share) first + share second. ``spherical``: the direction turns evenly from one to the other
        while the length grows evenly, so that what lies between two random vectors is as long as these.

    Raises
    ------
    UsageError
        On a sphere, when the vectors are opposite or one is zero: no arc leads from one to the other.
    """
    if share in (0.0, 1.0):
        return (second if share else first).clone()
    start, end = first.double(), second.double()
    if curve == "linear":
        return torch.lerp(start, end, share).to(first)
    lengths = start.norm(), end.norm()
    if not min(lengths) > 0.0:
        raise UsageError("--curve spherical: one of the ends is the zero vector: use --curve linear")
    cosine = (start / lengths[0]) @ (end / lengths[1])
    if cosine < _OPPOSITE:
        raise UsageError("--curve spherical: two ends lie opposite each other: use --curve linear")
    angle = torch.arccos(cosine.clamp(max=1.0))
    length = torch.lerp(*lengths, share)
    if torch.sin(angle) < 1e-6:
        return torch.lerp(start, end, share).to(first)
    turned = torch.sin((1.0 - share) * angle) * start / lengths[0] + torch.sin(share * angle) * end / lengths[1]
    arc: torch.Tensor = length * turned / torch.sin(angle)
    return arc.to(first)


def within(corners: Sequence[torch.Tensor], right: float, down: float, curve: Curve) -> torch.Tensor:
    """Return the vector at a place of a square, between four corners: top left and right, bottom left and right.

    Raises
    ------
    UsageError
        As ``between`` does.
    """
    top_left, top_right, bottom_left, bottom_right = corners
    top, bottom = between(top_left, top_right, right, curve), between(bottom_left, bottom_right, right, curve)
    return between(top, bottom, down, curve)
