"""Probabilities that mean what they say: of clips told with probability p, a share p is told right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Logits are divided by this at most and at least: beyond, nothing is sure, or all is.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.02, 50.0
_HALVINGS = 60


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(z_k) / sum_j exp(z_j) along the last axis; rows have sum 1.

    >>> softmax(np.array([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def negative_log_likelihood(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the mean of -log p(true class), in nats; infinite where a true class was told to be impossible."""
    with np.errstate(divide="ignore"):
        return float(-np.log(probabilities[np.arange(len(truth)), truth]).mean())


def temperature(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the T for which softmax(logits / T) makes the truth likeliest (Guo et al. 2017).

    The mean of -log p is convex in 1/T, so that its slope has one root, found here by halving; ours is exact to 1e-15
    and never leaves 0.02 to 50, where the truth is separated perfectly or not at all.

    Parameters
    ----------
    logits
        Finite, shape (n, classes).
    truth
        Numbers of classes, shape (n,), n >= 1.

    Raises
    ------
    ValueError
        Without clips, or for logits that are not finite.
    """
    if len(truth) == 0 or not np.isfinite(logits).all():
        raise ValueError(f"{len(truth)} clips with logits from {logits.min(initial=0.0)}: must be finite, of 1 or more")
    own = logits[np.arange(len(truth)), truth]
    low, high = np.log(1.0 / HIGHEST_TEMPERATURE), np.log(1.0 / LOWEST_TEMPERATURE)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        slope = float(((softmax(np.exp(middle) * logits) * logits).sum(axis=1) - own).mean())
        low, high = (middle, high) if slope <= 0.0 else (low, middle)
    return float(np.exp(-0.5 * (low + high)))


@dataclass(frozen=True)
class Reliability:
    """How sure was told, and how often it was right, by how sure.

    Attributes
    ----------
    count
        Clips of each bin.
    confidence, accuracy
        Mean of each bin, 0 to 1; 0 where it is empty.
    error
        Expected calibration error: the mean distance of the two, weighted by clips; 0 without clips.
    """

    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    error: float


def reliability(confidence: NDArray[np.float64], is_right: NDArray[np.bool_], *, bins: int = 15) -> Reliability:
    """Sort clips by how sure was told into bins of equal width, and compare with how often it was right.

    Parameters
    ----------
    confidence
        0 to 1, shape (n,).
    is_right
        Whether what was told is true, shape (n,).
    bins
        How many, from 0 to 1; the last one holds 1 itself.
    """
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = np.bincount(place, confidence, bins), np.bincount(place, is_right.astype(np.float64), bins)
    told, right = (one / np.maximum(count, 1) for one in sums)
    error = float((count * np.abs(told - right)).sum() / max(count.sum(), 1))
    return Reliability(count.astype(np.int64), told, right, error)


def expected_calibration_error(probabilities: NDArray[np.float64], truth: NDArray[np.int64], bins: int = 15) -> float:
    """Return the mean distance between how sure the likeliest class was told and how often it was right.

    Parameters
    ----------
    probabilities
        Rows with sum 1, shape (n, classes).
    truth
        Numbers of classes, shape (n,).
    bins
        Of equal width, from 0 to 1 (Naeini et al. 2015).
    """
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth, bins=bins).error
