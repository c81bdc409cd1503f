"""PCA angle: where the (L, R) points of a window lean."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.principal import principal_axes


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    return principal_axes(excerpt).angle_degrees[:, None]


FEATURE = Feature(
    summary="direction of the first principal axis from L = R",
    unit="degrees in (-90, 90], positive towards right",
    sequence=_sequence,
)
