"""Louder or softer, one gain for both channels."""

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.audio.levels import with_gain
from stereokit.data.augmentation._form import Augmentation, Facts, Reach


def draw(random: np.random.Generator, reach: float) -> Facts:
    """Draw from -reach to +reach dB, evenly."""
    return {"gain_db": float(random.uniform(-reach, reach))}


def gained(clip: Clip, facts: Facts) -> Clip:
    """Return the clip with this gain; it may pass full scale."""
    return with_gain(clip, 10.0 ** (facts["gain_db"] / 20.0))


AUGMENTATION = Augmentation("louder or softer by up to so many dB", Reach("dB", 6.0, 0.0, 40.0), draw, gained)
