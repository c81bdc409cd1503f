"""Regularised least squares in a Gaussian kernel: each class is a smooth function that is 1 at its clips, else 0.

With K_ij = exp(-g |x_i - x_j|^2 / m), m the median of |x_i - x_j|^2, the functions of the classes are
f(x) = sum_i K(x, x_i) A_i with A = (K + r I)^-1 (Y - mean Y), Y one-hot (Rifkin, Yeo and Poggio 2003). What would be
told of a labelled clip without its own label is exact: Y_i - A_i / ((K + r I)^-1)_ii. By it g and r are chosen from a
few values, and the temperature of the softmax that makes probabilities of the functions.
"""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.calibration import softmax, temperature
from stereokit.metrics.propagation._form import Known, Numbers, Points, Propagation, Told
from stereokit.metrics.propagation._neighbours import voters_of

# Narrow kernels suit maps of few dimensions, where classes are small islands.
_GAINS = (0.5, 1.0, 2.0, 8.0, 64.0, 512.0)
_RIDGES = (0.01, 0.03, 0.1, 0.3)
# Choosing among so many labelled clips takes a second; solving with so many takes a minute and 300 MB.
_MOST_CHOSEN, _MOST_SOLVED = 1000, 6000
_MEDIAN_OF = 1000
_ROWS_AT_ONCE = 2048
_TINY = 1e-300


def _tell(known: Known) -> Told:
    random = np.random.default_rng(known.seed)
    labelled = known.labelled
    if len(labelled) > _MOST_SOLVED:
        labelled = np.sort(random.choice(labelled, _MOST_SOLVED, replace=False))
    truth = known.labels[labelled]
    sample = known.points[np.sort(random.permutation(len(known.points))[:_MEDIAN_OF])]
    squares = _squares(sample, sample)
    scale = max(float(np.median(squares[~np.eye(len(sample), dtype=bool)])) if len(sample) > 1 else 0.0, _TINY)
    targets = np.eye(known.classes)[truth]
    mean = targets.mean(axis=0)
    chosen = np.sort(random.permutation(len(labelled))[:_MOST_CHOSEN])
    apart = _squares(known.points[labelled[chosen]], known.points[labelled[chosen]]) / scale
    gain, ridge = _best(apart, targets[chosen])
    points = known.points[labelled]
    solution, own = _solved(np.exp(-gain * _squares(points, points) / scale), targets - mean, ridge)
    left_out = targets - solution / own[:, None]
    softness = temperature(left_out, truth)
    scores = np.zeros((len(known.points), known.classes))
    voters = np.zeros((len(known.points), 0), np.int64)
    parts = []
    for start in range(0, len(known.points), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        kernel = np.exp(-gain * _squares(known.points[rows], points) / scale)
        values = kernel @ solution + mean
        inside = np.flatnonzero((labelled >= start) & (labelled < start + len(kernel)))
        values[labelled[inside] - start] = left_out[inside]
        kernel[labelled[inside] - start, inside] = 0.0
        scores[rows] = softmax(values / softness)
        parts.append(_voters(kernel, solution, values.argmax(axis=1), labelled, truth))
    voters = np.concatenate(parts)
    return Told(scores, voters)


def _squares(first: Points, second: Points) -> Points:
    """Return squared Euclidean distances, shape (n, m)."""
    products = -2.0 * (first @ second.T)
    products += (first**2).sum(axis=1)[:, None]
    products += (second**2).sum(axis=1)
    return np.asarray(np.maximum(products, 0.0, out=products))


def _best(apart: Points, targets: NDArray[np.float64]) -> tuple[float, float]:
    """Return the gain and ridge with the smallest squared error of what is left out."""
    best = (np.inf, _GAINS[0], _RIDGES[0])
    for gain in _GAINS:
        values, vectors = np.linalg.eigh(np.exp(-gain * apart))
        turned = vectors.T @ (targets - targets.mean(axis=0))
        for ridge in _RIDGES:
            scaled = 1.0 / (np.maximum(values, 0.0) + ridge)
            own = (vectors**2) @ scaled
            error = float(np.square((vectors @ (scaled[:, None] * turned)) / own[:, None]).mean())
            best = min(best, (error, gain, ridge))
    return best[1], best[2]


def _solved(kernel: Points, targets: NDArray[np.float64], ridge: float) -> tuple[Points, NDArray[np.float64]]:
    """Return (K + r I)^-1 Y, shape (n, classes), and the diagonal of the inverse, shape (n,)."""
    kernel[np.diag_indices_from(kernel)] += ridge
    inverse = np.linalg.inv(kernel)
    return np.asarray(inverse @ targets), np.asarray(np.diagonal(inverse))


def _voters(kernel: Points, solution: Points, told: Numbers, labelled: Numbers, truth: Numbers) -> Numbers:
    """Return the clips of the told class that add most to its function."""
    weights = kernel * solution[:, told].T
    found = np.broadcast_to(labelled, weights.shape)
    return voters_of(found, weights, (truth == told[:, None]) & (weights > 0.0))


PROPAGATION = Propagation(
    "each class is a smooth function of where clips lie, fitted to the labels", _tell, has_neighbours=False
)
