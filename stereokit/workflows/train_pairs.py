"""How near a converter in training brings the inputs of the validation pairs to their targets: its judge."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.data.corpus import Corpus, CorpusClip
from stereokit.metrics.paired.figures import QUIET_DBFS, PairSums
from stereokit.metrics.paired.views import VIEWS
from stereokit.models._conversion import conversion, converting
from stereokit.training.trainer import Trainer
from stereokit.workflows.train_judge import Verdict

_MOST_PAIRS = 64
_PAIRS_AT_ONCE = 8
_FIGURES = ("snr_db", "si_sdr_db", "lsd", "mr_stft")


class ConverterJudge:
    """Compares what becomes of the inputs of validation pairs with their targets.

    At most 64 pairs are compared, spread over the split; those whose target is quiet, under -60 dBFS, tell nothing. A
    model is chosen by the multi-resolution STFT distance: signal-to-noise ratio alone would take one that is quiet
    where it is not sure, log-spectral distance one that is loud there.

    Parameters
    ----------
    corpus
        The validation split.

    Raises
    ------
    BadInputError
        When a clip has no target, or cannot be read.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._rate = corpus.sample_rate
        pairs = list(corpus.pairs())
        chosen = np.linspace(0, len(pairs) - 1, min(len(pairs), _MOST_PAIRS)).round().astype(int)
        read = [[_samples(corpus, clip) for clip in pairs[number]] for number in chosen]
        self._inputs, self._targets = (np.stack(side) for side in zip(*read, strict=True))
        self._before = _compared(self._inputs, self._targets, self._rate)

    def verdict(self, trainer: Trainer, run: Path) -> Verdict:
        """Convert the inputs by the averaged model, and compare.

        Raises
        ------
        NonFiniteError
            When a sample is NaN or infinite.
        """
        model = trainer.sampled()
        was_training = model.training
        convert = conversion(converting(model.eval()), device=str(trainer.fabric.device))
        parts = [self._inputs[first : first + _PAIRS_AT_ONCE] for first in range(0, len(self._inputs), _PAIRS_AT_ONCE)]
        made = np.concatenate([convert(part) for part in parts])
        model.train(was_training)
        found = _compared(made, self._targets, self._rate)
        return Verdict(
            score=found["mr_stft"],
            figures=found,
            event="pair_validation",
            line={**found, "input": dict(self._before), "clips": len(self._targets)},
            told=f"SNR {found['snr_db']:.2f} dB ({self._before['snr_db']:.2f} of the inputs), "
            f"SI-SDR {found['si_sdr_db']:.2f} dB, LSD {found['lsd']:.3f} ({self._before['lsd']:.3f})",
        )


def _samples(corpus: Corpus, clip: CorpusClip) -> NDArray[np.float32]:
    return corpus.recording(clip).to_clip().samples


def _compared(estimates: NDArray[np.float32], targets: NDArray[np.float32], rate: int) -> Mapping[str, float]:
    """Return the mean figures of left and right together, over all pairs with a target that can be heard."""
    values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in _FIGURES}
    for first in range(0, len(targets), _PAIRS_AT_ONCE):
        last = first + _PAIRS_AT_ONCE
        both = np.stack([estimates[first:last], targets[first:last]]).astype(np.float64)
        sums = PairSums(both.shape[1], rate)
        sums.look(both)
        sums.look_again(both)
        is_heard = sums.target_dbfs()[VIEWS[0]] >= QUIET_DBFS
        for name in _FIGURES:
            values[name].append(sums.figures()[VIEWS[0]][name][is_heard])
    return {name: _mean(np.concatenate(parts)) for name, parts in values.items()}


def _mean(values: NDArray[np.float64]) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else 0.0
