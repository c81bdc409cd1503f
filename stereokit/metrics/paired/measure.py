"""From the files of a pair to all its figures."""

from dataclasses import dataclass

import numpy as np

from stereokit.metrics.paired.drift import Drift, Widths
from stereokit.metrics.paired.figures import PairSums, WindowFigures, joined, reach, section_windows
from stereokit.metrics.paired.pair import Pair, open_pair
from stereokit.metrics.paired.views import VIEWS

# Samples of a section: 6 s at 44.1 kHz, and tens of MB with all that is computed from it.
SECTION = 1 << 18


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
    """Compare the files of an estimate and its target; see ``compare``.

    Raises
    ------
    BadInputError
        When one cannot be read, or they differ in rate or length.
    """
    return compare(open_pair(*paths), window=window)


def compare(pair: Pair, *, window: int | None = None) -> PairMeasurement:
    """Compare an estimate with its target, over the whole clip or in windows of ``window`` samples.

    Raises
    ------
    BadInputError
        When one cannot be read.
    """
    widths = Widths(pair.sample_rate)
    figures = _whole(pair, widths) if window is None else _windowed(pair, window, widths)
    return PairMeasurement(figures, widths.drift(), pair.sample_rate, pair.frames)


def pair_widths(pair: Pair) -> Widths:
    """Return the widths alone."""
    widths = Widths(pair.sample_rate)
    for section in pair.sections(SECTION, reach(pair.sample_rate)):
        widths.add(section)
    return widths


def _whole(pair: Pair, widths: Widths) -> dict[str, WindowFigures]:
    rate = pair.sample_rate
    sums = PairSums(1, rate)
    for section in pair.sections(SECTION, reach(rate)):
        sums.look(section.left_right()[:, None], start=section.start, own=section.own)
    for section in pair.sections(SECTION, reach(rate)):
        sums.look_again(section.left_right()[:, None], start=section.start, own=section.own)
        widths.add(section)
    figures, levels = sums.figures(), sums.target_dbfs()
    return {view: WindowFigures(figures[view], levels[view], np.zeros(1, np.bool_)) for view in VIEWS}


def _windowed(pair: Pair, window: int, widths: Widths) -> dict[str, WindowFigures]:
    longest = reach(pair.sample_rate)
    own = -(-max(SECTION, longest) // window) * window
    parts: list[dict[str, WindowFigures]] = []
    for section in pair.sections(own, longest):
        parts += section_windows(section, window, pair.sample_rate)
        widths.add(section)
    return joined(parts)
