"""A membrane or amplifier near its limits: harmonics of known level."""

import numpy as np
import soxr

from stereokit.audio.resample import QUALITY
from stereokit.data.degradation._form import Degradation, Facts, Samples, Value

_THIRD_DB = (24.0, 45.0)
_SECOND_BELOW_DB = (0.0, 12.0)


def draw(random: np.random.Generator, value: float | None) -> Facts:
    """Draw how far the third harmonic is below a tone at the clip's peak, and the second below the third."""
    third = float(random.uniform(*_THIRD_DB)) if value is None else value
    return {"third_db": -third, "second_db": -third - float(random.uniform(*_SECOND_BELOW_DB))}


def distorted(samples: Samples, sample_rate: int, facts: Facts) -> Samples:
    """Return u + 2 h2 u^2 - h3 (4 u^3 - 3 u) of u = the clip over its peak.

    These are Chebyshev polynomials: a tone as high as the peak gets a second harmonic of h2, a third of h3, and keeps
    its own level; quieter sounds get less. Loud parts are pressed together. Computed at twice the rate, where the
    third power's products beyond half the rate are cut and fold back onto nothing.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        return samples
    second, third = (10.0 ** (facts[name] / 20.0) for name in ("second_db", "third_db"))
    unit = soxr.resample(samples.T / peak, 1.0, 2.0, quality=QUALITY)
    bent = unit + 2.0 * second * unit**2 - third * (4.0 * unit**3 - 3.0 * unit)
    halved = soxr.resample(bent, 2.0, 1.0, quality=QUALITY).T
    made = np.zeros_like(samples)
    kept = min(samples.shape[1], halved.shape[1])
    made[:, :kept] = halved[:, :kept] * peak
    return made


DEGRADATION = Degradation(
    "bent by a membrane or amplifier; the value is how far the third harmonic of the loudest tone is below it",
    Value("dB", 20.0, 100.0),
    can_vary=True,
    draw=draw,
    apply=distorted,
)
