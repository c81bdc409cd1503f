"""What the stereo image of a whole clip is, in figures that an engineer reads off meters."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.decibels import energy_ratio_db
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.sums import PairSums, inner, pair_sums

# Left and right of a wide clip are seldom under -0.5; one channel turned over gives -1.
INVERTED_CORRELATION = -0.9
# A channel this far under the other one is crosstalk or dither.
ONE_SIDED_DB = 40.0

# A difference of two sums this much smaller than they are has lost four digits of sixteen: then it is summed anew.
_CANCELLED = 1e-4

IMAGE_CLASSES = tuple("".join(letters) for letters in product("NW", repeat=3))


@dataclass(frozen=True)
class StereoImage:
    """Figures of one clip. Energies are sums of squares, offsets included; silence has no ratios.

    Attributes
    ----------
    side_mid_db
        10 log10(sum s^2 / sum m^2) with m, s = (L ± R) / sqrt(2): -200 without side, 0 for two channels that have
        nothing in common, 200 without mid; None for silence.
    correlation
        Pearson correlation of L and R in [-1, 1]. A constant channel gives 1 if both are constant, else 0; silence
        gives 0.
    balance_db
        10 log10(sum R^2 / sum L^2), positive towards right; ±200 for one channel alone, None for silence.
    mono_loss_db
        Level lost when both channels are summed to mono: 10 log10((sum m^2 + sum s^2) / sum m^2), 0 or more. 0 for
        dual mono, 3.01 for one channel alone, 200 where the sum is silence; None for silence.
    """

    side_mid_db: float | None
    correlation: float
    balance_db: float | None
    mono_loss_db: float | None

    @property
    def is_inverted(self) -> bool:
        """Whether one channel is (nearly) the other one turned over: correlation under -0.9."""
        return self.correlation < INVERTED_CORRELATION

    @property
    def is_one_sided(self) -> bool:
        """Whether one channel lies 40 dB or more under the other one."""
        return self.balance_db is not None and abs(self.balance_db) >= ONE_SIDED_DB


def stereo_image(excerpt: Excerpt, sums: PairSums | None = None) -> StereoImage:
    """Measure the image of a clip.

    Gain changes nothing, nor does turning both channels over; swapping L and R changes the sign of the balance only.

    Parameters
    ----------
    excerpt
        The clip.
    sums
        ``pair_sums`` of its channels, where they are known.
    """
    # In the file's own numbers: sums of products of whole 16 bit steps are exact up to 2^23 frames.
    energies, totals = pair_sums(excerpt.left, excerpt.right) if sums is None else sums
    left_energy, right_energy, product = energies
    mid_energy, side_energy = _mid_side_energies(excerpt, (left_energy + right_energy, 2.0 * product))
    return StereoImage(
        side_mid_db=energy_ratio_db(side_energy, mid_energy),
        correlation=_correlation(excerpt, energies, totals),
        balance_db=energy_ratio_db(right_energy, left_energy),
        mono_loss_db=energy_ratio_db(mid_energy + side_energy, mid_energy),
    )


def _mid_side_energies(excerpt: Excerpt, sums: tuple[float, float]) -> tuple[float, float]:
    """Return |L + R|^2 and |L - R|^2 from |L|^2 + |R|^2 and 2 <L, R>; sample by sample where they nearly cancel."""
    whole, common = sums
    if whole - abs(common) > _CANCELLED * whole:
        return whole + common, whole - common
    left, right = _channels(excerpt)
    mid, side = left + right, left - right
    return inner(mid, mid), inner(side, side)


def _channels(excerpt: Excerpt) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return excerpt.left.astype(np.float64), excerpt.right.astype(np.float64)


def _correlation(excerpt: Excerpt, energies: tuple[float, float, float], sums: tuple[float, float]) -> float:
    """Return the correlation from |L|^2, |R|^2 and <L, R>; sample by sample where the mean is nearly all there is."""
    count = excerpt.frames
    variances = [energy - total * total / count for energy, total in zip(energies, sums, strict=False)]
    covariance = energies[2] - sums[0] * sums[1] / count
    if any(one <= _CANCELLED * energy for one, energy in zip(variances, energies, strict=False)):
        left, right = _channels(excerpt)
        # A constant channel is recognised by its samples: its mean need not be exact.
        constant = [bool((channel == channel[0]).all()) for channel in (left, right)]
        if any(constant):
            return float(all(constant) and bool(left[0] or right[0]))
        left, right = left - left.mean(), right - right.mean()
        variances, covariance = [inner(left, left), inner(right, right)], inner(left, right)
    correlation = covariance / (math.sqrt(variances[0]) * math.sqrt(variances[1]))
    return min(max(correlation, -1.0), 1.0)


def class_histogram(classes: Iterable[str]) -> dict[str, int]:
    """Count image classes: all eight from NNN to WWW, in this order, zeros too.

    >>> class_histogram(["NNN", "WWW", "NNN"])["NNN"]
    2
    """
    counts = Counter(classes)
    return {name: counts[name] for name in IMAGE_CLASSES}
