"""Scores between two sets of sequences, with what chance alone would give beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.metrics.distance import Distance, Pool, make_pool
from stereokit.metrics.neighbours import Neighbours, choose_search
from stereokit.metrics.score import Score

Sizes = Literal["equal", "all"]
DRAWS = 20

# A split of a large set costs much and varies little: fewer are drawn, but never under four.
_NULL_SPLITS, _MIN_NULL_SPLITS, _NULL_CLIPS = 20, 4, 5_000

# Streams of random numbers for independent purposes.
_DRAW_STREAM, _NULL_STREAM = 1, 2


@dataclass(frozen=True)
class Comparison:
    """The result of comparing two sets.

    Attributes
    ----------
    scores
        Each score of the catalogue, averaged over the draws.
    expected
        What a perfect generator would get at these sizes: by formula where there is one, else measured by
        splitting the reference set; None where the reference is one clip.
    generated, reference
        How many clips of each set entered a draw.
    draws
        How many draws were averaged.
    """

    scores: dict[str, float]
    expected: dict[str, float | None]
    generated: int
    reference: int
    draws: int


def compare_sets(
    generated: Sequence[NDArray[np.float64]],
    reference: Sequence[NDArray[np.float64]],
    distance: Distance,
    *,
    sizes: Sizes = "equal",
    seed: int = 0,
) -> Comparison:
    """Score generated against reference sequences.

    Parameters
    ----------
    generated, reference
        One or more sequences of shape (n, width) each; n may differ.
    distance
        Between two sequences.
    sizes
        ``equal`` draws subsets of the larger set as large as the smaller one, 20 times, and averages; ``all`` takes
        all. At equal sizes both are the same and nothing is drawn.
    seed
        Of the draws and of the splits behind ``expected``.
    """
    pool = make_pool(generated, reference, distance)
    scores = {name: catalog.load("score", name) for name in catalog.names("score")}
    n_gen, n_ref = len(generated), len(reference)
    if sizes == "equal":
        n_gen = n_ref = min(n_gen, n_ref)
    draws = 1 if (n_gen, n_ref) == (len(generated), len(reference)) else DRAWS
    splits = _split_count(len(reference)) if len(reference) > 1 else 0
    search = choose_search(pool, [n_gen + n_ref] * draws + [len(reference)] * splits)
    results = [_scores(scores, search(part)) for part in _draws(pool, draws, n_gen, n_ref, seed)]
    averages = {name: float(np.mean([result[name] for result in results])) for name in scores}
    # Parts in the proportion of the sets, so that unequal sizes shift the null as they shift the score.
    first = int(np.clip(round(len(reference) * n_gen / (n_gen + n_ref)), 1, max(1, len(reference) - 1)))
    nulls = [_scores(scores, search(part)) for part in _splits(pool, splits, first, seed)]
    return Comparison(averages, _expected(scores, nulls, n_gen, n_ref), n_gen, n_ref, draws)


def _split_count(reference: int) -> int:
    return int(np.clip(_NULL_CLIPS // reference, _MIN_NULL_SPLITS, _NULL_SPLITS))


def _scores(scores: dict[str, Score], neighbours: Neighbours) -> dict[str, float]:
    return {name: score.compute(neighbours) for name, score in scores.items()}


def _draws(pool: Pool, draws: int, n_gen: int, n_ref: int, seed: int) -> Iterator[Pool]:
    """Yield the pool itself, or pools of ``n_gen`` and ``n_ref`` clips drawn from it."""
    if draws == 1:
        yield pool
        return
    for draw in range(draws):
        random = np.random.default_rng([seed, _DRAW_STREAM, draw])
        # Sorted, so that ties go to the first path as they do without drawing.
        from_gen = np.sort(random.permutation(pool.generated)[:n_gen])
        from_ref = np.sort(random.permutation(len(pool) - pool.generated)[:n_ref]) + pool.generated
        yield pool.part(np.concatenate([from_gen, from_ref]), n_gen)


def _splits(pool: Pool, splits: int, first: int, seed: int) -> Iterator[Pool]:
    """Yield pools of the reference clips alone, ``first`` of them standing for the generated ones."""
    for split in range(splits):
        random = np.random.default_rng([seed, _NULL_STREAM, split])
        order = random.permutation(len(pool) - pool.generated) + pool.generated
        yield pool.part(np.concatenate([np.sort(order[:first]), np.sort(order[first:])]), first)


def _expected(
    scores: dict[str, Score], nulls: Sequence[dict[str, float]], n_gen: int, n_ref: int
) -> dict[str, float | None]:
    expected: dict[str, float | None] = {}
    for name, score in scores.items():
        if score.formula is not None:
            expected[name] = score.formula(n_gen, n_ref)
        else:
            expected[name] = float(np.mean([null[name] for null in nulls])) if nulls else None
    return expected
