"""How well classes are told: a confusion matrix, and what it says of each class and of all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def confusion(truth: NDArray[np.int64], told: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count what was told of clips of each class.

    Parameters
    ----------
    truth, told
        Numbers of classes, 0 to ``classes`` - 1, both of shape (n,).
    classes
        How many there are.

    Returns
    -------
    ndarray
        Shape (classes, classes); row: the true class, column: the told one.

    Raises
    ------
    ValueError
        For two lengths, or a number that is no class.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    if truth.shape != told.shape or truth.ndim != 1:
        raise ValueError(f"truth has shape {truth.shape}, told has {told.shape}: both must be (n,)")
    for name, numbers in (("truth", truth), ("told", told)):
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < classes):
            raise ValueError(f"{name} holds {numbers.min()} to {numbers.max()}: must be 0 to {classes - 1}")
    counts = np.bincount(truth.astype(np.int64) * classes + told, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


@dataclass(frozen=True)
class ClassReport:
    """What a confusion matrix says.

    Attributes
    ----------
    accuracy
        Share of all clips whose class was told, 0 to 1; None of no clips.
    balanced_accuracy
        Mean recall of the classes that have clips: each counts the same, however rare.
    macro_f1
        Mean F1 of the classes that have clips or were told; one that has none and was told nevertheless counts as 0.
    precision
        Of each class: the share of right ones among those told; None where it was never told.
    recall
        Of each class: the share of its clips that were told; None where it has none.
    f1
        Of each class: 2 x right / (clips + told); None where both are zero.
    clips
        How many each class has.
    """

    accuracy: float | None
    balanced_accuracy: float | None
    macro_f1: float | None
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]
    clips: tuple[int, ...]


def classification_report(matrix: NDArray[np.int64]) -> ClassReport:
    """Return what a confusion matrix of shape (C, C), rows the truth, says of each class and of all.

    >>> classification_report(np.array([[3, 1], [0, 4]])).balanced_accuracy
    0.875
    """
    right = np.diagonal(matrix)
    clips, told = matrix.sum(axis=1), matrix.sum(axis=0)
    recall = _ratios(right, clips)
    f1 = _ratios(2 * right, clips + told)
    total = int(clips.sum())
    return ClassReport(
        accuracy=int(right.sum()) / total if total else None,
        balanced_accuracy=_mean(recall),
        macro_f1=_mean(f1),
        precision=_ratios(right, told),
        recall=recall,
        f1=f1,
        clips=tuple(clips.tolist()),
    )


def _ratios(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> tuple[float | None, ...]:
    return tuple(part / whole if whole else None for part, whole in zip(parts.tolist(), wholes.tolist(), strict=True))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
