"""Labels that are probably wrong: confident learning from probabilities told without a clip's own label.

A clip of label i is counted as one of class j if its probability of j reaches the mean that clips of label j have for j
(their confidence in themselves), and is the largest that does (Northcutt, Jiang and Chuang 2021). Clips that count as
another class are suspects; the less their own label is believed, the sooner they are listed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelErrors:
    """Suspects.

    Attributes
    ----------
    suspects
        Numbers of clips, the most suspicious first: the largest difference between the probability of the class that
        it counts as and that of its label.
    classes
        What each counts as.
    joint
        How many clips of each label count as each class, int64 (classes, classes); those that reach no class's
        confidence count as their label.
    """

    suspects: NDArray[np.int64]
    classes: NDArray[np.int64]
    joint: NDArray[np.int64]


def label_errors(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> LabelErrors:
    """Find labels that are probably wrong.

    Parameters
    ----------
    probabilities
        Told of each clip without its own label, rows with sum 1, shape (n, classes).
    labels
        As they were given, shape (n,).
    """
    count, classes = probabilities.shape
    own = probabilities[np.arange(count), labels]
    clips = np.bincount(labels, minlength=classes)
    confidence = np.bincount(labels, own, classes) / np.maximum(clips, 1)
    reached = np.where((probabilities >= confidence) & (clips > 0), probabilities, -1.0)
    best = np.where(reached.max(axis=1) >= 0.0, reached.argmax(axis=1), labels)
    joint = np.bincount(labels * classes + best, minlength=classes * classes).reshape(classes, classes)
    gap = probabilities[np.arange(count), best] - own
    suspects = np.flatnonzero((best != labels) & (gap > 0.0))
    suspects = suspects[np.argsort(-gap[suspects], kind="stable")]
    return LabelErrors(suspects, best[suspects], joint.astype(np.int64))
