"""From the files of a pair to all its figures."""

from dataclasses import dataclass

import numpy as np

from stereokit.metrics.paired.figures import Drift, WindowFigures, whole_figures, width_drift, window_figures
from stereokit.metrics.paired.pair import read_pair


@dataclass(frozen=True)
class PairMeasurement:
    """A pair, reduced.

    Attributes
    ----------
    figures
        View -> figures, one value a window; over the whole clip one value in all, NaN where it has none.
    drift
        Of the width, over the whole clip.
    sample_rate
        Hz.
    frames
        Length in samples.
    """

    figures: dict[str, WindowFigures]
    drift: Drift
    sample_rate: int
    frames: int


def measure_pair(paths: tuple[str, str], *, window: int | None = None) -> PairMeasurement:
    """Read the estimate and its target and compare them, over the whole clip or in windows of ``window`` samples.

    Raises
    ------
    BadInputError
        When one cannot be read, or they differ in rate or length.
    """
    pair = read_pair(*paths)
    if window is not None:
        figures = window_figures(pair, window)
    else:
        figures = {
            view: WindowFigures({name: np.array([value], np.float64) for name, value in values.items()}, quiet=0)
            for view, values in whole_figures(pair).items()
        }
    return PairMeasurement(figures, width_drift(pair), pair.target.sample_rate, pair.target.frames)
