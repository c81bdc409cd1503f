"""What a training hears of itself: clips of the averaged model, previews of them, and their scores."""

from dataclasses import dataclass
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
from stereokit.training.trainer import Model
from stereokit.workflows.pictures import spectrogram_grid
from stereokit.workflows.train_watch import Mixing
from stereokit.writing import make_folder, write_file

if TYPE_CHECKING:
    from stereokit.metrics.distance import Distance
    from stereokit.metrics.feature import Feature

# Fewer clips than this tell one model from another by chance.
FEWEST_CLIPS = 8
PREVIEWS = "previews"
# The score by which the averaged model is chosen: the lowest. MMD alone would take a blurred model, which is near to
# everything.
CHOOSING_SCORE = "energy"

_FEATURE = "logmel"
_SAMPLES = _MOST_CLIPS = 128
_PREVIEW_CLIPS = 8
# Not the noise that anyone would generate from later: the choice must not favour one seed's clips.
_SEED_PART = 1 << 32

Clips = NDArray[np.float32]


@dataclass(frozen=True)
class Verdict:
    """How near a model's clips come to the validation clips.

    Attributes
    ----------
    scores
        MMD and energy distance in dB, COV and 1-NNA as fractions, by their names in the catalogue.
    watched
        ``variety`` and ``side`` of ``metrics.collapse``; a variety without measure is None.
    expected
        What a perfect generator would get, of both; None where that cannot be measured.
    clips
        How many of each set were compared.
    signs
        Of collapse: ``few``, ``alike``, ``mono``.
    mixing
        1-NNA, and how much of it is chance.
    """

    scores: dict[str, float]
    watched: dict[str, float | None]
    expected: dict[str, float | None]
    clips: int
    signs: tuple[str, ...]
    mixing: Mixing


class Judge:
    """Compares generated clips with those of a validation split by what they sound like.

    At most 128 clips are compared, spread over the split.
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
        return Verdict(
            scores={**comparison.scores, "energy": energy},
            watched={"variety": varied if np.isfinite(varied) else None, "side": sides / len(clips)},
            expected={**comparison.expected, "variety": limits.expected_variety, "side": self._sides / real},
            clips=comparison.reference,
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


def preview_count(judge: Judge | None) -> int:
    """Return how many clips a validation needs, previews included."""
    return max(_PREVIEW_CLIPS, judge.samples if judge else 0)


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
