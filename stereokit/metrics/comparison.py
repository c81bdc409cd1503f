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
from stereokit.metrics.significance import Significance, nna_significance, thorough_significance

Sizes = Literal["equal", "all"]
# What is said about chance: nothing; 1-NNA's permutation test, which costs next to nothing; or all there is.
Tests = Literal["none", "quick", "thorough"]
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
        splitting the reference set. A score that depends on the sizes is measured only where the reference has
        clips enough for both; None where nothing can be measured.
    generated, reference
        How many clips of each set entered a draw.
    draws
        How many draws were averaged.
    significance
        What chance could have done; None where not asked for.
    """

    scores: dict[str, float]
    expected: dict[str, float | None]
    generated: int
    reference: int
    draws: int
    significance: Significance | None = None


def compare_sets(
    generated: Sequence[NDArray[np.float64]],
    reference: Sequence[NDArray[np.float64]],
    distance: Distance,
    *,
    sizes: Sizes = "equal",
    seed: int = 0,
    tests: Tests = "none",
    are_widths: bool = False,
    device: str | None = None,
    threads: int = 1,
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
        Of the draws, of the splits behind ``expected``, and of the tests.
    tests
        Which tests against chance are made. The thorough ones take the first of several draws.
    are_widths
        Whether a sequence is proportional to its clip's width, so that a change of width can be tried.
    device, threads
        Where neighbours are searched: on a torch device, or in some threads; the scores are the same.
    """
    pool = make_pool(generated, reference, distance)
    scores = {name: catalog.load("score", name) for name in catalog.names("score")}
    n_gen, n_ref = len(generated), len(reference)
    if sizes == "equal":
        n_gen = n_ref = min(n_gen, n_ref)
    draws = 1 if (n_gen, n_ref) == (len(generated), len(reference)) else DRAWS
    null_gen, null_ref = _null_sizes(len(reference), n_gen, n_ref)
    splits = int(np.clip(_NULL_CLIPS // (null_gen + null_ref), _MIN_NULL_SPLITS, _NULL_SPLITS)) if null_gen else 0
    search_sizes = [n_gen + n_ref] * draws + [null_gen + null_ref] * splits
    search = choose_search(pool, search_sizes, device=device, threads=threads)
    found = [search(part) for part in _draws(pool, draws, n_gen, n_ref, seed)]
    results = [_scores(scores, neighbours) for neighbours in found]
    averages = {name: float(np.mean([result[name] for result in results])) for name in scores}
    nulls = [_scores(scores, search(part)) for part in _splits(pool, splits, null_gen, null_ref, seed)]
    expected: dict[str, float | None] = {}
    for name, score in scores.items():
        is_measured = nulls and not (score.depends_on_size and (null_gen, null_ref) != (n_gen, n_ref))
        if score.formula is not None:
            expected[name] = score.formula(n_gen, n_ref)
        else:
            expected[name] = float(np.mean([null[name] for null in nulls])) if is_measured else None
    significance = None if tests == "none" else nna_significance(found, seed=seed)
    if significance is not None and tests == "thorough":
        first = next(_draws(pool, draws, n_gen, n_ref, seed))
        significance = thorough_significance(significance, first, averages, are_widths=are_widths, seed=seed)
    return Comparison(averages, expected, n_gen, n_ref, draws, significance)


def _null_sizes(found: int, n_gen: int, n_ref: int) -> tuple[int, int]:
    """Return how many of the reference clips stand for each set: as many as in the score, where there are enough.

    Otherwise all of them are used, in the proportion of the sets: unequal sizes shift the null as they shift the score.
    """
    if found < 2:
        return 0, 0
    if n_gen + n_ref <= found:
        return n_gen, n_ref
    first = int(np.clip(round(found * n_gen / (n_gen + n_ref)), 1, found - 1))
    return first, found - first


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


def _splits(pool: Pool, splits: int, null_gen: int, null_ref: int, seed: int) -> Iterator[Pool]:
    """Yield pools of reference clips alone, the first ``null_gen`` of them standing for generated ones."""
    for split in range(splits):
        random = np.random.default_rng([seed, _NULL_STREAM, split])
        order = random.permutation(len(pool) - pool.generated) + pool.generated
        parts = [np.sort(order[:null_gen]), np.sort(order[null_gen : null_gen + null_ref])]
        yield pool.part(np.concatenate(parts), null_gen)
