"""Inner products that stay on one thread."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 1 << 13

# Of two signals: the inner products <l, l>, <r, r>, <l, r>, and the sums.
PairSums = tuple[tuple[float, float, float], tuple[float, float]]


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


def pair_sums(left: NDArray[Any], right: NDArray[Any]) -> PairSums:
    """Return the inner products <l, l>, <r, r>, <l, r> and the sums of two signals of shape (T,) and any type.

    The products are those of ``inner`` to the bit, but no copy of a whole signal is made.

    >>> pair_sums(np.array([3, 4], np.int16), np.array([1, 0], np.int16))
    ((25.0, 1.0, 3.0), (7.0, 1.0))
    """
    whole = len(left) // _AT_ONCE * _AT_ONCE
    left_square = right_square = product = left_sum = right_sum = 0.0
    for start in (whole, *range(0, whole, _AT_ONCE)):
        one = left[start : start + _AT_ONCE].astype(np.float64)
        other = right[start : start + _AT_ONCE].astype(np.float64)
        left_square += float(one @ one)
        right_square += float(other @ other)
        product += float(one @ other)
        left_sum += float(one.sum())
        right_sum += float(other.sum())
    return (left_square, right_square, product), (left_sum, right_sum)
