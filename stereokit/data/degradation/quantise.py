"""Few bits."""

import numpy as np

from stereokit.data.degradation._form import Degradation, Facts, Samples, Value


def draw(random: np.random.Generator, value: float | None) -> Facts:
    """Draw from 6 to 12 bits."""
    return {"bits": int(random.integers(6, 13)) if value is None else int(value)}


def quantised(samples: Samples, sample_rate: int, facts: Facts) -> Samples:
    """Return the nearest multiples of 2^(1 - bits), without dither; beyond full scale the steps go on."""
    steps = float(1 << (facts["bits"] - 1))
    return np.asarray(np.rint(samples * steps) / steps)


DEGRADATION = Degradation(
    "rounded to few bits without dither; the value is how many",
    Value("bits", 2, 24, is_whole=True),
    can_vary=False,
    draw=draw,
    apply=quantised,
)
