"""Mel-frequency cepstral coefficients of mid and side: the envelope of ``logmel`` in few numbers.

The 32 log-mel bands x_k of ``logmel``, in decibels above its floor, are turned by the orthonormal cosine transform

    c_j = w_j sum_k x_k cos(pi j (k + 1/2) / 32),  w_0 = sqrt(1/32), w_j = sqrt(2/32)

of which the first 13 are kept, c_0 (the level) included: 13 of mid, then 13 of side (Davis and Mermelstein 1980).
Silence is zero. As the transform is orthonormal, Euclidean distances are those of the smoothed envelopes, in decibels.
"""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.features.logmel import BANDS, FLOOR_DB
from stereokit.metrics.features.logmel import FEATURE as LOGMEL

COEFFICIENTS = 13


def _cosines() -> NDArray[np.float64]:
    """Return the transform's matrix, shape (COEFFICIENTS, BANDS); its rows are orthonormal."""
    orders, bands = np.arange(COEFFICIENTS)[:, None], np.arange(BANDS)
    matrix = np.sqrt(2.0 / BANDS) * np.cos(np.pi * orders * (bands + 0.5) / BANDS)
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix)


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    bands = LOGMEL.sequence(excerpt) - FLOOR_DB
    return (bands.reshape(-1, 2, BANDS) @ _cosines().T).reshape(-1, 2 * COEFFICIENTS)


FEATURE = Feature(
    summary="13 mel cepstral coefficients of mid and of side: timbre and width in few numbers",
    unit="dB above the floor of logmel",
    sequence=_sequence,
    width=2 * COEFFICIENTS,
    distance="l2",
)
