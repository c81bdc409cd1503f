"""What a training hears of itself: clips of the averaged model, previews of them, and their scores."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.data.corpus import Corpus
from stereokit.metrics.collapse import has_audible_side, is_mono_collapse, measured_limits, pairwise, variety
from stereokit.metrics.comparison import compare_sets
from stereokit.metrics.distance import make_pool, pair_distance
from stereokit.metrics.energy import energy_distance
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.neighbours import choose_search
from stereokit.models._capabilities import sample_blocks
from stereokit.training.trainer import Model, Trainer
from stereokit.workflows.pictures import spectrogram_grid
from stereokit.workflows.train_judge import FEWEST_CLIPS, Verdict
from stereokit.workflows.train_watch import Mixing
from stereokit.writing import make_folder, write_file

if TYPE_CHECKING:
    from stereokit.metrics.distance import Distance
    from stereokit.metrics.feature import Feature
    from stereokit.workflows.events import Json

PREVIEWS = "previews"

_FEATURE = "logmel"
_SAMPLES = _MOST_CLIPS = 128
_PREVIEW_CLIPS = 8
# Not the noise that anyone would generate from later: the choice must not favour one seed's clips.
_SEED_PART = 1 << 32

Clips = NDArray[np.float32]


class ClipJudge:
    """Compares generated clips with those of a validation split by what they sound like.

    At most 128 clips are compared, spread over the split. A model is chosen by the energy distance: MMD alone would
    take a blurred one, which is near to everything.
    """

    def __init__(self, corpus: Corpus, *, seed: int) -> None:
        self._seed = seed
        self._sample_rate = corpus.sample_rate
        self._feature: Feature = catalog.load("feature", _FEATURE)
        self._distance: Distance = catalog.load("distance", self._feature.distance)
        chosen = np.linspace(0, len(corpus) - 1, min(len(corpus), _MOST_CLIPS)).round().astype(int)
        clips = [corpus.read(int(number)) for number in chosen]
        self._reference = [self._sequence(clip) for clip in clips]
        self._sides = sum(map(has_audible_side, clips))
        alone = make_pool(self._reference[:1], self._reference[1:], self._distance)
        sequences = [alone.sequence(number) for number in range(len(alone))]
        self._limits = measured_limits(pairwise(sequences, partial(pair_distance, distance=self._distance)), seed=seed)

    @property
    def samples(self) -> int:
        """How many clips to generate for it."""
        return _SAMPLES

    def judge(self, clips: Clips) -> Verdict:
        """Score clips of shape (n, 2, T)."""
        sequences = [self._sequence(clip) for clip in clips]
        comparison = compare_sets(sequences, self._reference, self._distance, seed=self._seed)
        energy = energy_distance(sequences, self._reference, self._distance)
        sides, limits, real = sum(map(has_audible_side, clips)), self._limits, len(self._reference)
        varied = self._variety(sequences)
        found = {
            "few": comparison.scores["cov"] <= limits.cov,
            "alike": varied <= limits.variety,
            "mono": is_mono_collapse(len(clips), sides, real, self._sides),
        }
        scores = {**comparison.scores, "energy": energy}
        watched = {"variety": varied if np.isfinite(varied) else None, "side": sides / len(clips)}
        expected: dict[str, Json] = {
            **comparison.expected,
            "variety": limits.expected_variety,
            "side": self._sides / real,
        }
        return Verdict(
            score=energy,
            figures=scores,
            event="validation",
            line={**scores, **watched, "expected": expected, "clips": comparison.reference},
            told=f"energy distance {energy:.3g} dB, MMD {scores['mmd']:.3g} dB, COV {scores['cov']:.2f}, "
            f"1-NNA {scores['nna']:.2f}",
            signs=tuple(sign for sign, is_found in found.items() if is_found),
            mixing=Mixing(comparison.scores["nna"], limits.nna_noise),
        )

    def _variety(self, sequences: list[NDArray[np.float64]]) -> float:
        count = min(len(sequences), len(self._reference))
        pool = make_pool(sequences[:count], self._reference[:count], self._distance)
        return variety(choose_search(pool, [len(pool)])(pool))

    def _sequence(self, clip: Clips) -> NDArray[np.float64]:
        return self._feature.sequence(Excerpt(clip[0], clip[1], self._sample_rate, 1.0))


def sample_clips(model: Model, count: int, *, seed: int, device: torch.device) -> Clips:
    """Return clips of a model, float32 of shape (count, 2, T), and leave everything random as it was.

    Parameters
    ----------
    model
        A sampler on ``device``, in any mode, in which it stays.

    Raises
    ------
    BadInputError
        When a sample is NaN or infinite.
    """
    was_training = model.training
    model.eval()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        blocks = [block.numpy() for block in sample_blocks(model, count, seed=seed + _SEED_PART, device=device)]
    model.train(was_training)
    return np.concatenate(blocks)


class SamplerJudge:
    """Listens to clips of a sampler: previews of each validation, and a verdict where there are clips to compare with.

    Parameters
    ----------
    corpus
        The validation split; None, or one of fewer than eight clips, allows no verdict.
    seed
        Of the training.
    """

    def __init__(self, corpus: Corpus | None, *, seed: int) -> None:
        self._judge = None if corpus is None or len(corpus) < FEWEST_CLIPS else ClipJudge(corpus, seed=seed)

    def verdict(self, trainer: Trainer, run: Path) -> Verdict | None:
        """Sample the averaged model, write previews, and judge the clips."""
        model = trainer.sampled()
        count = max(_PREVIEW_CLIPS, self._judge.samples if self._judge else 0)
        clips = sample_clips(model, count, seed=trainer.settings.seed, device=trainer.fabric.device)
        write_previews(run, trainer.step, clips, model.sample_rate)
        return None if self._judge is None else self._judge.judge(clips[: self._judge.samples])


def write_previews(run: Path, step: int, clips: Clips, sample_rate: int) -> None:
    """Write the first eight clips, one after another and with one gain, as a sound and as a picture.

    Raises
    ------
    OutputError
        When they cannot be written.
    """
    shown = clips[:_PREVIEW_CLIPS]
    # One gain for all: which is louder is part of what is heard.
    shown = shown / max(1.0, float(np.abs(shown).max()))
    folder = run / PREVIEWS
    make_folder(folder)
    sound = Clip(np.concatenate(list(shown), axis=1), sample_rate)
    write_file(folder / f"step-{step:06d}.wav", encode(sound))
    picture = spectrogram_grid(list(shown), [f"{number}" for number in range(len(shown))], sample_rate=sample_rate)
    write_file(folder / f"step-{step:06d}.png", picture)
