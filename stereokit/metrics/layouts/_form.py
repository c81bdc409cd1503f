"""The one form of a map: points of many dimensions become points of two or three."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import BadInputError, MissingError
from stereokit.metrics.sound_space import principal_axes

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """A way to draw a map.

    Attributes
    ----------
    summary
        One line for ``stereokit list``.
    place
        (points (n, d), dimensions, seed, labels) -> float64 (n, dimensions), finite. ``labels`` are int64 (n,), -1
        where unknown, and guide a layout that can be guided; None for none.
    can_be_guided
        Whether labels make a difference.
    """

    summary: str
    place: Callable[[Points, int, int, NDArray[np.int64] | None], Points]
    can_be_guided: bool = False


def principal_map(points: Points, dimensions: int) -> Points:
    """Return points along their directions of largest variance, shape (n, dimensions); 0 where there are fewer."""
    mean, turn = principal_axes(points, dimensions)
    placed = np.zeros((len(points), dimensions))
    placed[:, : turn.shape[1]] = (points - mean) @ turn
    return placed


def first_map(points: Points, dimensions: int, seed: int, size: float) -> Points:
    """Return where a search for a better map starts: the principal map with a deviation of ``size``, slightly shaken.

    Equal points lie apart then, which the searches need.
    """
    placed = principal_map(points, dimensions)
    placed = placed * (size / max(float(placed[:, 0].std()), 1e-12))
    return np.asarray(placed + np.random.default_rng(seed).normal(0.0, 1e-4 * size, placed.shape))


def require_points(points: Points, least: int, name: str) -> None:
    """Refuse to draw a map of too few points.

    Raises
    ------
    BadInputError
        Naming both numbers.
    """
    if len(points) < least:
        raise BadInputError(f"{name} draws maps of {least} clips or more, not of {len(points)}: use pca")


def optional(module: str, package: str) -> Any:
    """Import a module of an optional package.

    Raises
    ------
    MissingError
        Saying what to install.
    """
    try:
        with warnings.catch_warnings():
            # of what the package itself could do with others that are not installed
            warnings.simplefilter("ignore")
            return import_module(module)
    except ImportError as error:
        raise MissingError(f"{package} is not installed: pip install 'stereokit[label]'") from error
