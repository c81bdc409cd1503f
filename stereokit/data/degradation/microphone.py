"""The band of a cheap microphone: little below, a resonance, little above."""

import numpy as np

from stereokit.data.degradation._form import Degradation, Facts, Samples
from stereokit.data.fir import convolved, zero_phase


def draw(random: np.random.Generator, value: float | None) -> Facts:
    """Draw where the band begins (80 to 300 Hz) and ends (5 to 12 kHz), and a resonance of up to 8 dB in between."""
    low = float(np.exp(random.uniform(np.log(80.0), np.log(300.0))))
    high = float(np.exp(random.uniform(np.log(5000.0), np.log(12_000.0))))
    resonance = float(np.exp(random.uniform(np.log(1500.0), np.log(0.7 * high))))
    return {
        "response_hz_db": [
            [low / 4.0, -36.0],
            [low, -3.0],
            [2.0 * low, 0.0],
            [resonance / 1.5, 0.0],
            [resonance, float(random.uniform(0.0, 8.0))],
            [min(1.4 * resonance, 0.95 * high), 0.0],
            [high, -3.0],
            [2.0 * high, -36.0],
        ]
    }


def recorded(samples: Samples, sample_rate: int, facts: Facts) -> Samples:
    """Return what passes the band; symmetric filters, so that nothing is delayed at any frequency."""
    impulse = zero_phase(facts["response_hz_db"], sample_rate)
    return convolved(samples, impulse, now=impulse.size // 2)


DEGRADATION = Degradation(
    "through a cheap microphone: a band from 80-300 Hz to 5-12 kHz with a resonance",
    None,
    can_vary=True,
    draw=draw,
    apply=recorded,
)
