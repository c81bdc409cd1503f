"""Order statistics: sorting is the twin."""

from typing import Any

import numpy as np
import pytest

from stereokit.metrics.ranks import _AT_ONCE, ranked_differences


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 100, _AT_ONCE - 1, _AT_ONCE, 3 * _AT_ONCE + 7])
@pytest.mark.parametrize("kind", ["noise", "ties", "equal", "outlier", "tiny"])
def test_they_are_what_stands_there_when_all_is_sorted(kind: str, count: int, dtype: Any) -> None:
    generator = np.random.default_rng(count)
    left, right = generator.normal(0, 5000, (2, count))
    if kind == "ties":
        left, right = np.rint(left / 4000), np.rint(right / 4000)
    if kind == "equal":
        left = right + 1
    if kind == "outlier":
        left[count // 2] = 32_767
        left, right = left / 1000, right / 1000
    if kind == "tiny" and dtype is not np.int16:
        left, right = left * 1e-38, right * 1e-38
    left, right = left.astype(dtype), right.astype(dtype)
    ordered = np.sort(left.astype(np.float64) - right.astype(np.float64))
    ranks = sorted({0, count // 20, min(count // 20 + 1, count - 1), count // 2, count - 1})
    assert np.array_equal(ranked_differences(left, right, ranks), ordered[ranks])
