"""Inner products that stay on one thread."""

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 1 << 13


def inner(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the inner product of two signals of shape (T,), in parts of 8,192 samples.

    A long one would start the threads of BLAS, which take longer to wake than the sum takes.

    >>> inner(np.ones(20_000), np.full(20_000, 0.5))
    10000.0
    """
    whole = len(first) // _AT_ONCE * _AT_ONCE
    total = float(first[whole:] @ second[whole:])
    for start in range(0, whole, _AT_ONCE):
        total += float(first[start : start + _AT_ONCE] @ second[start : start + _AT_ONCE])
    return total
