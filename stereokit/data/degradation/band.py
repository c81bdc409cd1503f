"""Nothing above a frequency."""

import numpy as np

from stereokit.data.degradation._form import Degradation, Facts, Samples, Value
from stereokit.data.fir import convolved, zero_phase


def draw(random: np.random.Generator, value: float | None) -> Facts:
    """Draw the highest frequency that passes, from 2 to 10 kHz."""
    return {"high_hz": float(np.exp(random.uniform(np.log(2000.0), np.log(10_000.0)))) if value is None else value}


def limited(samples: Samples, sample_rate: int, facts: Facts) -> Samples:
    """Return what lies below, whole up to 0.95 of the frequency and gone from 1.2 of it on."""
    edge = facts["high_hz"]
    impulse = zero_phase([[edge, 0.0], [1.1 * edge, -80.0]], sample_rate)
    return convolved(samples, impulse, now=impulse.size // 2)


DEGRADATION = Degradation(
    "without what lies above a frequency, which is the value",
    Value("Hz", 200.0, 90_000.0),
    can_vary=True,
    draw=draw,
    apply=limited,
)
