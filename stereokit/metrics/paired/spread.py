"""Mean and standard deviation over many pairs, or over all their windows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from stereokit.metrics.paired.figures import FIGURES, WindowFigures
from stereokit.metrics.paired.views import VIEWS


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of ``count`` values; None where there are too few (none, one)."""

    mean: float | None
    deviation: float | None
    count: int


def spread_of(values: Iterable[float | None]) -> Spread:
    """Return the mean and the sample standard deviation (n - 1) of the values that are there.

    >>> spread_of([1.0, None, 3.0])
    Spread(mean=2.0, deviation=1.4142135623730951, count=2)
    """
    there = np.array([value for value in values if value is not None], np.float64)
    there = there[~np.isnan(there)]
    return Spread(
        mean=float(there.mean()) if len(there) else None,
        deviation=float(there.std(ddof=1)) if len(there) > 1 else None,
        count=len(there),
    )


def window_spreads(pairs: Iterable[Mapping[str, WindowFigures]]) -> dict[str, dict[str, Spread]]:
    """Return view -> figure -> mean and deviation over all windows of all pairs, each window weighing the same."""
    collected = list(pairs)
    return {
        view: {
            figure: spread_of(np.concatenate([np.zeros(0), *(one[view].values[figure] for one in collected)]).tolist())
            for figure in FIGURES
        }
        for view in VIEWS
    }
