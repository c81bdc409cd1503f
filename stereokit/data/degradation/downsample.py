"""What is left of a clip that was kept at a lower rate: the task of super-resolution."""

import numpy as np
import soxr

from stereokit.audio.resample import QUALITY
from stereokit.data.degradation._form import Degradation, Facts, Samples, Value


def draw(random: np.random.Generator, value: float | None) -> Facts:
    """Take 4 where nothing is given: what is to be restored is a choice, not chance."""
    return {"factor": 4 if value is None else int(value)}


def thinned(samples: Samples, sample_rate: int, facts: Facts) -> Samples:
    """Return the clip brought to 1/factor of its rate and back, as long as before and at the same times."""
    factor = float(facts["factor"])
    few = soxr.resample(samples.T, factor, 1.0, quality=QUALITY)
    many = soxr.resample(few, 1.0, factor, quality=QUALITY).T
    made = np.zeros_like(samples)
    kept = min(samples.shape[1], many.shape[1])
    made[:, :kept] = many[:, :kept]
    return made


DEGRADATION = Degradation(
    "brought to a lower rate and back; the value divides the rate, 4 where none is given",
    Value("times", 2, 64, is_whole=True),
    can_vary=False,
    draw=draw,
    apply=thinned,
)
