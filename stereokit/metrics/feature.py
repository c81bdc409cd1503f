"""The one form of a feature: a clip becomes a sequence of frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt


@dataclass(frozen=True)
class Feature:
    """A feature and how it may be used.

    Attributes
    ----------
    summary
        One line for ``stereokit list``.
    unit
        Of its values.
    sequence
        Excerpt -> float64 of shape (n, width), n >= 1, finite.
    width
        Values a frame.
    distance
        The distance between two clips when none is named.
    sequences
        The same for several clips at once, where that is faster.
    full_range
        As ``sequence``, but from minimum to maximum instead of between quantiles (``--range full``), where that has
        a meaning.
    can_be_shape
        Whether a sequence may be divided by its sum: it has several values, zero or more.
    limit
        Values are clamped to ± this; clamped ones are counted.
    """

    summary: str
    unit: str
    sequence: Callable[[Excerpt], NDArray[np.float64]]
    width: int = 1
    distance: str = "emd"
    sequences: Callable[[Sequence[Excerpt]], list[NDArray[np.float64]]] | None = None
    full_range: Callable[[Excerpt], NDArray[np.float64]] | None = None
    can_be_shape: bool = False
    limit: float | None = None
