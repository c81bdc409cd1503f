"""The three ways in which a pair is looked at: left and right together, mid, side."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import SQRT2

VIEWS = ("left_right", "mid", "side")


def signal_views(both: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield each view's name with estimates and targets.

    m, s = (L ± R) / sqrt(2), so that mid and side have together the energy of L and R.

    Parameters
    ----------
    both
        Left and right of estimates and targets, shape (2, n, 2, T).

    Yields
    ------
    tuple
        Name, estimates, targets: shape (n, 2, T) each of left and right, (n, 1, T) of mid and of side.
    """
    yield VIEWS[0], both[0], both[1]
    left, right = both[:, :, :1], both[:, :, 1:]
    for name, view in ((VIEWS[1], left + right), (VIEWS[2], left - right)):
        estimate, target = np.divide(view, SQRT2, out=view)
        yield name, estimate, target


def power_views(spectra: NDArray[np.complex128]) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield the powers of each view, as ``signal_views`` does: the transform of a sum is the sum of transforms.

    Parameters
    ----------
    spectra
        Of left and right of estimates and targets, shape (2, n, 2, frames, bins).
    """
    yield VIEWS[0], *power(spectra)
    left, right = spectra[:, :, :1], spectra[:, :, 1:]
    for name, view in ((VIEWS[1], left + right), (VIEWS[2], left - right)):
        powers = power(view)
        powers *= 0.5
        yield name, *powers


def power(spectra: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return the squared magnitudes."""
    squares = np.square(spectra.real)
    squares += np.square(spectra.imag)
    return squares
