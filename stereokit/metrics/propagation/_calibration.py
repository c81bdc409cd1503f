"""Probabilities of what a propagation tells, that mean what they say."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.calibration import softmax, temperature
from stereokit.metrics.propagation._form import UNKNOWN, Known, Told

_TINY = 1e-12


def calibrated(told: Told, known: Known) -> tuple[NDArray[np.float64], float | None]:
    """Return calibrated probabilities, zero where nothing is told, and the temperature that they are calibrated by.

    Labelled clips are what is calibrated with, each told without its own label. So few of them show only so much:
    of n clips that are all told right it does not follow that the next one is, so 1 / (n + 2) is spread over the
    classes. Without any the scores stay as they are, and the temperature is None.
    """
    has_word = told.scores.sum(axis=1) > 0.0
    logits = np.log(np.maximum(told.scores, _TINY))
    judged = np.flatnonzero(has_word & (known.labels != UNKNOWN))
    softness = temperature(logits[judged], known.labels[judged]) if judged.size else None
    doubt = 1.0 / (judged.size + 2.0)
    probabilities = (1.0 - doubt) * softmax(logits / (softness or 1.0)) + doubt / known.classes
    return np.where(has_word[:, None], probabilities, 0.0), softness
