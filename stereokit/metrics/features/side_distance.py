"""Side distance of the whole clip: one value."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature, Range
from stereokit.metrics.side import side_distance


def _sequence(excerpt: Excerpt, extent: Range) -> NDArray[np.float64]:
    return np.array([[side_distance(excerpt, extent)]])


FEATURE = Feature(
    summary="side distance of the whole clip",
    unit="full scale",
    sequence=_sequence,
    takes_range=True,
)
