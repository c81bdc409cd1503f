"""How well a translator in training gives validation clips back, and how much it changes them: its judge."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit.data.corpus import Corpus
from stereokit.models._capabilities import Translator
from stereokit.models._conversion import conversion, translating
from stereokit.training.trainer import Model, Trainer
from stereokit.workflows.train_judge import Verdict

_MOST_CLIPS = 64
_CLIPS_AT_ONCE = 8


class TranslatorJudge:
    """Compares pictures of sounds that were given back, in their own label's terms, with those of the sounds.

    At most 64 clips are compared, spread over the split. By that alone a model that changes nothing would be the best,
    so the line says, too, how far the pictures move when the sounds are given another label.

    Parameters
    ----------
    corpus
        The validation split; all of its clips have one of ``labels``.
    labels
        Of the model.

    Raises
    ------
    BadInputError
        When a clip cannot be read.
    """

    def __init__(self, corpus: Corpus, labels: tuple[str, ...]) -> None:
        chosen = np.linspace(0, len(corpus) - 1, min(len(corpus), _MOST_CLIPS)).round().astype(int)
        numbers = {label: number for number, label in enumerate(labels)}
        truth = np.array([numbers[corpus.clips[number].label or ""] for number in chosen])
        clips = np.stack([corpus.read(int(number)) for number in chosen])
        self._groups = [(number, clips[truth == number]) for number in np.unique(truth).tolist()]
        self._labels = len(labels)

    def verdict(self, trainer: Trainer, run: Path) -> Verdict:
        """Give the clips back by the averaged model, and give them the next label.

        Raises
        ------
        NonFiniteError
            When a sample is NaN or infinite.
        """
        model = trainer.sampled()
        was_training = model.training
        model.eval()
        device = str(trainer.fabric.device)
        real, same, moved = [], [], []
        for label, clips in self._groups:
            real.append(_pictures(model, clips, device))
            same.append(_pictures(model, _translated(model, clips, (label, label), device), device))
            other = (label + 1) % self._labels
            moved.append(_pictures(model, _translated(model, clips, (label, other), device), device))
        model.train(was_training)
        pictures, mean = np.concatenate(real), [np.broadcast_to(group.mean(0), group.shape) for group in real]
        error, change = np.concatenate(same) - pictures, np.concatenate(moved) - pictures
        figures = {
            "mse": float(np.square(error).mean()),
            "mae": float(np.abs(error).mean()),
            "mean_picture_mse": float(np.square(np.concatenate(mean) - pictures).mean()),
            "change_mae": float(np.abs(change).mean()),
        }
        return Verdict(
            score=figures["mae"],
            figures=figures,
            event="translation_validation",
            line={**figures, "clips": len(pictures)},
            told=f"given back MSE {figures['mse']:.4f} ({figures['mean_picture_mse']:.4f} by the mean picture), "
            f"MAE {figures['mae']:.4f}; another label changes {figures['change_mae']:.4f}",
        )


def _translated(model: Model, clips: NDArray[np.float32], labels: tuple[int, int], device: str) -> NDArray[np.float32]:
    convert = conversion(translating(model, *labels), device=device)
    starts = range(0, len(clips), _CLIPS_AT_ONCE)
    return np.concatenate([convert(clips[start : start + _CLIPS_AT_ONCE]) for start in starts])


@torch.inference_mode()
def _pictures(model: Model, clips: NDArray[np.float32], device: str) -> NDArray[np.float32]:
    if not isinstance(model, Translator):
        raise TypeError(f"{type(model).__module__} declares a translator and is none")
    return np.asarray(model.representation.encode(torch.from_numpy(clips).to(device)).float().cpu().numpy())
