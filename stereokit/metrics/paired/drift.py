"""How the width of a clip departs from its target's over time."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import Distance, pair_distance
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.paired.pair import Section
from stereokit.metrics.side import short_time_side_distance
from stereokit.metrics.windows import window_samples

_EMD = Distance("", is_sorted=True, power=1)


@dataclass(frozen=True)
class Drift:
    """How the width of an estimate, its STSD in full scale, departs from the target's.

    Attributes
    ----------
    estimate, target
        Mean STSD of each.
    mean
        Mean of estimate less target: positive is wider.
    l1
        Mean absolute difference, aligned in time.
    emd
        Earth mover's distance, order in time forgotten.
    """

    estimate: float
    target: float
    mean: float
    l1: float
    emd: float


class Widths:
    """Short-time side distances (STSD) of a pair, a section at a time.

    Parameters
    ----------
    sample_rate
        Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._window, self._hop = window_samples(sample_rate)
        self._parts: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])

    def add(self, section: Section) -> None:
        """Take the next section, which reaches at least a window less a sample further."""
        for parts, excerpt in zip(self._parts, (section.estimate, section.target), strict=True):
            if section.start == 0 and excerpt.frames < self._window:
                parts.append(short_time_side_distance(excerpt))
                continue
            first = -section.start % self._hop
            last = min(section.own - 1, excerpt.frames - self._window)
            if last >= first:
                end = first + (last - first) // self._hop * self._hop + self._window
                parts.append(short_time_side_distance(_part(excerpt, first, end)))

    def courses(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the STSD of estimate and target, shape (windows,) each."""
        estimate, target = (np.concatenate(parts) for parts in self._parts)
        return estimate, target

    def drift(self) -> Drift:
        """Compare both: whether the image got wider or narrower."""
        estimate, target = self.courses()
        difference = estimate - target
        return Drift(
            estimate=float(estimate.mean()),
            target=float(target.mean()),
            mean=float(difference.mean()),
            l1=float(np.abs(difference).mean()),
            emd=pair_distance(np.sort(estimate), np.sort(target), _EMD),
        )


def _part(excerpt: Excerpt, start: int, end: int) -> Excerpt:
    return replace(excerpt, left=excerpt.left[start:end], right=excerpt.right[start:end])
