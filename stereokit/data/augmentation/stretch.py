"""Longer or shorter at the same pitch."""

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.data.augmentation._form import Augmentation, Facts, Reach
from stereokit.data.augmentation._vocoder import stretched


def draw(random: np.random.Generator, reach: float) -> Facts:
    """Draw the factor of the length from 1 / (1 + reach) to 1 + reach, as often longer as shorter."""
    return {"factor": float(np.exp(random.uniform(-1.0, 1.0) * np.log1p(reach)))}


def lengthened(clip: Clip, facts: Facts) -> Clip:
    """Return the clip ``factor`` times as long."""
    samples = stretched(clip.samples.astype(np.float64), sample_rate=clip.sample_rate, factor=facts["factor"])
    return Clip(samples.astype(np.float32), clip.sample_rate)


AUGMENTATION = Augmentation(
    "longer or shorter at the same pitch, by up to this share; attacks are kept",
    Reach("of the length", 0.1, 0.0, 1.0),
    draw,
    lengthened,
)
