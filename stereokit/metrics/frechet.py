"""Frechet distance: how far two sets of vectors are apart, each seen as one Gaussian."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# At ten clips a dimension, chance alone costs a twentieth of the total variance (see the tests); it falls as 1 / n.
CLIPS_A_DIMENSION = 10


@dataclass(frozen=True)
class FrechetDistance:
    """The result of ``frechet_distance``.

    Attributes
    ----------
    value
        The squared distance, as FID and FAD print it, in the squared unit of the vectors; 0 or more.
    dimension
        Of the vectors.
    clips
        The size of the smaller set.
    """

    value: float
    dimension: int
    clips: int

    @property
    def needed(self) -> int:
        """Clips that each set should have: ten a dimension."""
        return CLIPS_A_DIMENSION * self.dimension

    @property
    def is_small(self) -> bool:
        """Whether a set has fewer: then the distance of two sets from one source is far from 0."""
        return self.clips < self.needed


def frechet_distance(generated: NDArray[np.float64], reference: NDArray[np.float64]) -> FrechetDistance | None:
    """Return |m - n|^2 + tr(C + D - 2 (C^1/2 D C^1/2)^1/2), with m, n the means and C, D the covariances of two sets.

    The distance is symmetric, unchanged by turning and shifting both sets, and multiplied by g^2 by a gain of g. It
    is biased upwards, the more the fewer clips there are (Dowson and Landau 1982; Heusel et al. 2017).

    The trace of the root is computed as the sum of the singular values of A B^T, where A and B are triangular and
    A^T A = C, B^T B = D. No covariance is formed and nothing is squared, so sets of fewer clips than dimensions,
    constant dimensions and equal sets are as exact as all others: never negative, never imaginary.

    Parameters
    ----------
    generated, reference
        Shape (n, d) and (m, d).

    Returns
    -------
    FrechetDistance or None
        None unless both sets have two vectors or more: one vector has no covariance.
    """
    clips = min(len(generated), len(reference))
    if clips < 2:
        return None
    shift = generated.mean(axis=0) - reference.mean(axis=0)
    roots = [_root(one) for one in (generated, reference)]
    common = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    variances = sum(float((root * root).sum()) for root in roots)
    value = float(shift @ shift) + variances - 2.0 * float(common)
    return FrechetDistance(max(0.0, value), generated.shape[1], clips)


def _root(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the triangular A with A^T A = the unbiased covariance, shape (min(n, d), d)."""
    centred = (vectors - vectors.mean(axis=0)) / np.sqrt(len(vectors) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r"))
