"""What two sequences' distance is a root of, as far as it matters."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.kernels import part_of_kernels, summing_kernel

_ABANDON_AFTER = 256


@part_of_kernels
def even_mean(
    a: NDArray[np.float64],
    a_start: int,
    b: NDArray[np.float64],
    b_start: int,
    count: int,
    power: int,
    limit: float,
) -> float:
    """Return the mean of so many |a - b|^power from two starts on, or any value above ``limit`` if it exceeds that."""
    total = 0.0
    for first in range(0, count, _ABANDON_AFTER):
        size = min(_ABANDON_AFTER, count - first)
        one, other = a[a_start + first : a_start + first + size], b[b_start + first : b_start + first + size]
        if power == 1:
            for k in range(size):
                total += abs(one[k] - other[k])
        else:
            for k in range(size):
                total += (one[k] - other[k]) * (one[k] - other[k])
        if total > limit * count:
            break
    return total / count


@summing_kernel
def quantile_mean(a: NDArray[np.float64], b: NDArray[np.float64], power: int, limit: float) -> float:
    """Integrate |a - b|^power over the two quantile functions, or stop with a value above ``limit``."""
    m, n = len(a), len(b)
    total = 0.0
    i, j, here = 0, 0, 0
    end = m * n
    while here < end:
        # Edges lie at multiples of n (for a) and of m (for b) among m n equal parts: no rounding.
        edge = min((i + 1) * n, (j + 1) * m)
        gap = abs(a[i] - b[j])
        total += (edge - here) * (gap if power == 1 else gap * gap)
        if total > limit * end:
            break
        if edge == (i + 1) * n:
            i += 1
        if edge == (j + 1) * m:
            j += 1
        here = edge
    return total / end
