"""The one form of a feature: a clip becomes a sequence of frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt

Range = Literal["quantile", "full"]


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
        (excerpt, range) -> float64 of shape (n, width), n >= 1, finite. Only features with ``takes_range``
        look at the range.
    width
        Values a frame.
    distance
        The distance between two clips when none is named.
    takes_range
        Whether it reads ``--range``.
    is_shape
        Whether its values are widths (zero or more), so that a sequence may be divided by its sum.
    limit
        Values are clamped to ± this; clamped ones are counted.
    """

    summary: str
    unit: str
    sequence: Callable[[Excerpt, Range], NDArray[np.float64]]
    width: int = 1
    distance: str = "emd"
    takes_range: bool = False
    is_shape: bool = False
    limit: float | None = None
