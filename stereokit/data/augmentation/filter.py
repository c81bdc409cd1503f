"""Another colour: a smooth curve over frequency, the same filter in both channels."""

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.data.augmentation._form import Augmentation, Facts, Reach
from stereokit.data.fir import convolved, minimum_phase

# Two octaves apart, so that a curve colours and does not ring.
_CORNERS_HZ = (62.5, 250.0, 1000.0, 4000.0, 16_000.0)


def draw(random: np.random.Generator, reach: float) -> Facts:
    """Draw the gain at five frequencies two octaves apart, each from -reach to +reach dB."""
    gains = random.uniform(-reach, reach, len(_CORNERS_HZ))
    return {"response_hz_db": [[corner, float(gain)] for corner, gain in zip(_CORNERS_HZ, gains, strict=True)]}


def filtered(clip: Clip, facts: Facts) -> Clip:
    """Return the clip through the minimum-phase filter of this response, cut to its own length."""
    impulse = minimum_phase(facts["response_hz_db"], clip.sample_rate)
    samples = convolved(clip.samples.astype(np.float64), impulse)
    return Clip(samples.astype(np.float32), clip.sample_rate)


AUGMENTATION = Augmentation(
    "another colour: up to so many dB more or less at each of five frequencies",
    Reach("dB", 6.0, 0.0, 24.0),
    draw,
    filtered,
)
