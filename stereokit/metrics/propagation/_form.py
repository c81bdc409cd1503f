"""The one form of a propagation: points of which some have labels become scores of classes for all."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """What is known before anything is propagated.

    Attributes
    ----------
    points
        Where each clip lies, finite, shape (n, d).
    labels
        Number of each clip's class, -1 where it is not known; shape (n,).
    classes
        How many classes there are.
    neighbours
        How many a clip asks, at least 1.
    radius
        How far a clip asks, in the unit of the points; None leaves it to the method.
    predicted
        A classifier's probabilities of all clips, shape (n, classes); None without one.
    predicted_weight
        What its word weighs where a label's weighs 1.
    seed
        Of what is drawn.
    """

    points: Points
    labels: Numbers
    classes: int
    neighbours: int = 6
    radius: float | None = None
    predicted: NDArray[np.float64] | None = None
    predicted_weight: float = 0.5
    seed: int = 0

    @property
    def labelled(self) -> Numbers:
        """Which clips have labels."""
        return np.flatnonzero(self.labels != UNKNOWN)


@dataclass(frozen=True)
class Told:
    """What a propagation tells.

    Attributes
    ----------
    scores
        Of each class, 0 or more, each row with sum 1, or all zero where nothing can be told; shape (n, classes).
        The row of a labelled clip is what would be told if its own label were not known.
    voters
        By which labelled clips the likeliest class is told, the weightiest first; shape (n, v), -1 for none.
    """

    scores: NDArray[np.float64]
    voters: Numbers


@dataclass(frozen=True)
class Propagation:
    """A way to propagate labels.

    Attributes
    ----------
    summary
        One line for ``stereokit list``.
    tell
        What it does.
    has_neighbours
        Whether it asks so many neighbours as it is told.
    has_radius
        Whether it asks as far as it is told.
    needs_predicted
        Whether it needs a classifier's probabilities.
    """

    summary: str
    tell: Callable[[Known], Told]
    has_neighbours: bool = True
    has_radius: bool = False
    needs_predicted: bool = False
