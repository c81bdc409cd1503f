"""How well a trained labeller tells the clips of a split: the judge of its training, and the report at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit.data.corpus import Corpus
from stereokit.metrics.calibration import expected_calibration_error, negative_log_likelihood, temperature
from stereokit.metrics.classification import ClassReport, classification_report, confusion
from stereokit.models._capabilities import Labeller
from stereokit.training.checkpoint import write_json
from stereokit.training.trainer import Model, NonFiniteError, Trainer
from stereokit.workflows.confusion_picture import confusion_picture
from stereokit.workflows.events import Json
from stereokit.workflows.train_judge import Verdict
from stereokit.writing import write_file

REPORT, CONFUSION = "report.json", "confusion.png"
REPORT_SCHEMA = "stereokit.train.labels/1"

_CLIPS_AT_ONCE = 32
_LEAST = 1e-30


@dataclass(frozen=True)
class Told:
    """What a labeller said of clips.

    Attributes
    ----------
    probabilities
        Shape (n, labels).
    truth
        Numbers of labels, shape (n,).
    """

    probabilities: NDArray[np.float64]
    truth: NDArray[np.int64]

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Shape (labels, labels), rows the truth."""
        return confusion(self.truth, self.probabilities.argmax(1), self.probabilities.shape[1])

    @property
    def report(self) -> ClassReport:
        """What the confusion matrix says."""
        return classification_report(self.confusion)

    def figures(self) -> dict[str, float]:
        """Return what all clips together say: shares, nats, and the mean gap between what was told and what is."""
        report = self.report
        return {
            "accuracy": report.accuracy or 0.0,
            "balanced_accuracy": report.balanced_accuracy or 0.0,
            "precision": _mean(report.precision),
            "recall": _mean(report.recall),
            "f1": report.macro_f1 or 0.0,
            "nll": negative_log_likelihood(np.maximum(self.probabilities, _LEAST), self.truth),
            "calibration_error": expected_calibration_error(self.probabilities, self.truth),
        }

    def fitting_temperature(self) -> float:
        """Return by what logits should be divided further, going by these clips and one more.

        That one is as sure as the median of them and told wrong, so that a few clips all told right make nothing
        certain.
        """
        logits = np.log(np.maximum(self.probabilities, _LEAST))
        ordered = np.sort(logits, axis=1)
        middle = int(np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")[len(logits) // 2])
        second = int(np.argsort(logits[middle], kind="stable")[-2])
        return temperature(np.concatenate([logits, logits[middle, None]]), np.append(self.truth, second))


def told_of(model: Model, corpus: Corpus, labels: Sequence[str]) -> Told:
    """Ask a labeller about each clip of a split; all of them have one of its labels.

    Raises
    ------
    BadInputError
        When a clip is gone or damaged.
    NonFiniteError
        When a probability is NaN: the weights are useless.
    """
    if not isinstance(model, Labeller):
        raise TypeError(f"{type(model).__module__} declares a labeller and has no method label")
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    found = []
    for first in range(0, len(corpus), _CLIPS_AT_ONCE):
        numbers = range(first, min(first + _CLIPS_AT_ONCE, len(corpus)))
        clips = torch.from_numpy(np.stack([corpus.read(number) for number in numbers]))
        with torch.no_grad():
            found.append(model.label(clips.to(device)).double().cpu().numpy())
    model.train(was_training)
    probabilities = np.concatenate(found)
    if not np.isfinite(probabilities).all():
        raise NonFiniteError("the model's probabilities hold NaN: its training went wrong")
    number_of = {label: number for number, label in enumerate(labels)}
    return Told(probabilities, np.array([number_of[clip.label or ""] for clip in corpus.clips], np.int64))


class LabellerJudge:
    """Asks a labeller about the validation clips, and calibrates it by them.

    Parameters
    ----------
    corpus
        The validation split; all of its clips have one of ``labels``.
    labels
        Of the model.
    """

    def __init__(self, corpus: Corpus, labels: Sequence[str]) -> None:
        self._corpus = corpus
        self._labels = labels

    def verdict(self, trainer: Trainer, run: Path) -> Verdict:
        """Fit the averaged model's temperature, which is saved with it, and judge it by the likelihood of the truth."""
        model, averaged = trainer.sampled(), trainer.average.model
        for one in (model, averaged):
            _calibrate(one, 1.0)
        told = told_of(model, self._corpus, self._labels)
        factor = told.fitting_temperature()
        _calibrate(averaged, factor)
        told = Told(_sharpened(told.probabilities, factor), told.truth)
        figures = told.figures()
        return Verdict(
            score=figures["nll"],
            figures={**figures, "temperature": factor},
            event="label_validation",
            line={**figures, "temperature": factor, "clips": len(told.truth)},
            told=f"accuracy {figures['accuracy']:.3f}, balanced {figures['balanced_accuracy']:.3f}, "
            f"F1 {figures['f1']:.3f}, log loss {figures['nll']:.3f}",
        )


def write_report(run: Path, model: Model, splits: Mapping[str, Corpus], labels: Sequence[str]) -> dict[str, Json]:
    """Write how well the run's model tells the clips of each split, as JSON and as a picture.

    Returns
    -------
    dict
        Split -> its figures.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    told = {split: told_of(model, corpus, labels) for split, corpus in splits.items()}
    sections = {split: _section(one, labels) for split, one in told.items()}
    write_json(run / REPORT, {"schema": REPORT_SCHEMA, "labels": list(labels), **sections})
    matrices = {split: one.confusion for split, one in told.items()}
    write_file(run / CONFUSION, confusion_picture(matrices, labels))
    return {split: {**one.figures(), "clips": len(one.truth)} for split, one in told.items()}


def _section(told: Told, labels: Sequence[str]) -> dict[str, Json]:
    report = told.report
    by_label: dict[str, Json] = {
        label: {
            "clips": report.clips[number],
            "precision": report.precision[number],
            "recall": report.recall[number],
            "f1": report.f1[number],
        }
        for number, label in enumerate(labels)
    }
    return {"clips": len(told.truth), **told.figures(), "by_label": by_label, "confusion": told.confusion.tolist()}


def _calibrate(model: Model, factor: float) -> None:
    if isinstance(model, Labeller):
        model.calibrate(factor)


def _sharpened(probabilities: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    raised = np.maximum(probabilities, _LEAST) ** (1.0 / factor)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0
