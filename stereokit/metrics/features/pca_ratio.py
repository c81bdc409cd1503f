"""PCA ratio: which of the two principal axes of (L, R) carries more, the one near mid or the other.

An axis at exactly 45 degrees, halfway between mid and side (one channel alone), counts as the one near mid.
"""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.principal import principal_axes

LIMIT = 40.0
_HALF_WAY_DEGREES = 45.0


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    axes = principal_axes(excerpt)
    log_ratio = np.full_like(axes.larger, LIMIT)
    flat = axes.smaller == 0
    log_ratio[~flat] = np.minimum(np.log(axes.larger[~flat] / axes.smaller[~flat]), LIMIT)
    log_ratio[axes.larger == 0] = 0.0
    mid_heavy = np.abs(axes.angle_degrees) <= _HALF_WAY_DEGREES
    return np.where(mid_heavy, log_ratio, -log_ratio)[:, None]


FEATURE = Feature(
    summary="log of the variance along the principal axis near mid over the other one",
    unit="natural log of a ratio, positive is mid-heavy",
    sequence=_sequence,
    limit=LIMIT,
)
