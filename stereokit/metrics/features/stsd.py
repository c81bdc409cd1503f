"""Short-time side distance (STSD): the side distance of each 40 ms window."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.side import short_time_side_distance, short_time_side_distances


def _sequences(excerpts: Sequence[Excerpt]) -> list[NDArray[np.float64]]:
    return [sequence[:, None] for sequence in short_time_side_distances(excerpts)]


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    return short_time_side_distance(excerpt)[:, None]


def _full_range(excerpt: Excerpt) -> NDArray[np.float64]:
    return short_time_side_distance(excerpt, is_full=True)[:, None]


FEATURE = Feature(
    summary="short-time side distance: how wide each 40 ms window is",
    unit="full scale",
    sequence=_sequence,
    sequences=_sequences,
    full_range=_full_range,
    can_be_shape=True,
)
