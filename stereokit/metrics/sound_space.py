"""A space in which sounds that are alike lie near each other, made of a set's portraits without any label.

Three parts of equal weight: the figures of each portrait, its picture, and the words of its patches. Pictures and words
are turned to their principal axes; each part is scaled so that the median squared distance of two sounds is 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.patch_words import learn_words, word_counts
from stereokit.metrics.portrait import Portrait

_PICTURE_AXES, _WORD_AXES = 100, 200
# Axes and medians are those of so many sounds, drawn at random.
_FITTED = 3000
_MEDIAN_OF = 1000
_AT_ONCE = 512
_TINY = 1e-12

Points = NDArray[np.float64]


def sound_space(portraits: Sequence[Portrait], *, seed: int = 0) -> Points:
    """Return a point a sound, float64 of shape (n, d); the points depend on the whole set.

    Parameters
    ----------
    portraits
        Of one sound or more.
    seed
        Of the sounds and patches that are learned from.
    """
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(portraits))[:_FITTED])
    pictures = np.stack([one.picture for one in portraits])
    words = learn_words(pictures[chosen], seed=seed)
    figures = standardised(np.stack([one.descriptors for one in portraits]).astype(np.float64))
    flat = pictures.reshape(len(pictures), -1)

    def counts(rows: NDArray[np.int64]) -> Points:
        return np.stack([word_counts(words, pictures[row]) for row in rows]).astype(np.float64)

    def levels(rows: NDArray[np.int64]) -> Points:
        return flat[rows] / 255.0

    parts = [figures]
    for values, axes in ((levels, _PICTURE_AXES), (counts, _WORD_AXES)):
        fitted = values(chosen)
        mean, turn = principal_axes(fitted, axes)
        everything = [
            (values(np.arange(start, min(start + _AT_ONCE, len(portraits)))) - mean) @ turn
            for start in range(0, len(portraits), _AT_ONCE)
        ]
        parts.append(np.concatenate(everything))
    return np.concatenate([_scaled(part, chosen[:_MEDIAN_OF]) for part in parts], axis=1)


def standardised(values: Points) -> Points:
    """Return columns with mean 0 and deviation 1; a column that is the same everywhere becomes 0."""
    deviation = values.std(axis=0)
    is_varied = deviation > _TINY * np.maximum(np.abs(values).max(axis=0, initial=0.0), 1.0)
    return np.asarray(np.where(is_varied, values - values.mean(axis=0), 0.0) / np.where(is_varied, deviation, 1.0))


def principal_axes(values: Points, axes: int) -> tuple[Points, Points]:
    """Return the mean, shape (d,), and the directions of largest variance as columns, shape (d, up to axes).

    Each direction's largest entry is positive, so that the same values give the same axes everywhere.
    """
    mean = values.mean(axis=0)
    centred = values - mean
    if len(values) < values.shape[1]:
        squares, left = np.linalg.eigh(centred @ centred.T)
        directions = centred.T @ left
        directions /= np.sqrt(np.maximum(squares, _TINY))
    else:
        squares, directions = np.linalg.eigh(centred.T @ centred)
    kept = np.argsort(-squares, kind="stable")[:axes]
    kept = kept[squares[kept] > _TINY * max(float(squares.max(initial=0.0)), _TINY)]
    directions = directions[:, kept]
    peaks = np.abs(directions).argmax(axis=0) if kept.size else np.zeros(0, np.int64)
    signs = np.sign(directions[peaks, np.arange(len(peaks))])
    return mean, directions * signs


def _scaled(part: Points, chosen: NDArray[np.int64]) -> Points:
    sample = part[chosen]
    squares = (sample**2).sum(axis=1)
    apart = squares[:, None] + squares - 2.0 * (sample @ sample.T)
    others = apart[~np.eye(len(sample), dtype=bool)]
    median = float(np.median(others)) if others.size else 0.0
    return part / np.sqrt(median) if median > _TINY else part
