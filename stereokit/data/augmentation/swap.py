"""Left for right."""

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.data.augmentation._form import Augmentation, Facts


def draw(random: np.random.Generator, reach: float) -> Facts:
    """Decide by a coin."""
    return {"swapped": bool(random.integers(2))}


def swapped(clip: Clip, facts: Facts) -> Clip:
    """Return the clip with its channels exchanged, or as it was."""
    return Clip(np.ascontiguousarray(clip.samples[::-1]), clip.sample_rate) if facts["swapped"] else clip


AUGMENTATION = Augmentation("left and right exchanged, every second time", None, draw, swapped)
