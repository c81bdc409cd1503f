"""The directions of largest variance: fast, always the same, and blind to all that is not a straight line."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.layouts._form import Layout, Points, principal_map


def _place(points: Points, dimensions: int, seed: int, labels: NDArray[np.int64] | None) -> Points:
    return principal_map(points, dimensions)


LAYOUT = Layout("directions of largest variance", _place)
