"""Hiss, its own in each channel."""

import numpy as np

from stereokit.data.degradation._form import Degradation, Facts, Samples, Value

_BELOW_DB = (15.0, 45.0)
_SLOPE_DB = (-4.0, 0.0)
# The slope ends here, so that a falling one has no mountain at 0 Hz.
_LEAST_HZ = 30.0


def draw(random: np.random.Generator, value: float | None) -> Facts:
    """Draw how far under the clip's mean level the noise is, and how it falls with frequency."""
    return {
        "below_db": float(random.uniform(*_BELOW_DB)) if value is None else value,
        "slope_db_per_octave": float(random.uniform(*_SLOPE_DB)),
        "seed": int(random.integers(1 << 32)),
    }


def noisy(samples: Samples, sample_rate: int, facts: Facts) -> Samples:
    """Return the clip with noise whose RMS over both channels is exactly ``below_db`` under the clip's."""
    frames = samples.shape[1]
    size = 1 << max(1, (frames - 1).bit_length())
    white = np.random.default_rng(facts["seed"]).standard_normal((2, size))
    hertz = np.maximum(np.arange(size // 2 + 1) * (sample_rate / size), _LEAST_HZ)
    gains = 10.0 ** (facts["slope_db_per_octave"] / 20.0 * np.log2(hertz / _LEAST_HZ))
    gains[0] = 0.0
    noise = np.fft.irfft(np.fft.rfft(white) * gains, size)[:, :frames]
    level = np.sqrt(np.mean(noise**2))
    if level == 0.0:
        return samples
    wanted = np.sqrt(np.mean(samples**2)) * 10.0 ** (-facts["below_db"] / 20.0)
    return np.asarray(samples + noise * (wanted / level))


DEGRADATION = Degradation(
    "with noise; the value is how far it is below the clip's mean level",
    Value("dB", -20.0, 120.0),
    can_vary=True,
    draw=draw,
    apply=noisy,
)
