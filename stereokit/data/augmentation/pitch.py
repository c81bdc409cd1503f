"""Higher or lower at the same length."""

import numpy as np
import soxr

from stereokit.audio.clip import Clip
from stereokit.audio.resample import QUALITY
from stereokit.data.augmentation._form import Augmentation, Facts, Reach
from stereokit.data.augmentation._vocoder import stretched


def draw(random: np.random.Generator, reach: float) -> Facts:
    """Draw from -reach to +reach semitones, evenly."""
    return {"semitones": float(random.uniform(-reach, reach))}


def shifted(clip: Clip, facts: Facts) -> Clip:
    """Return the clip higher by so many semitones: stretched, then played faster by as much."""
    ratio = 2.0 ** (facts["semitones"] / 12.0)
    longer = stretched(clip.samples.astype(np.float64), sample_rate=clip.sample_rate, factor=ratio)
    faster = soxr.resample(longer.T, ratio, 1.0, quality=QUALITY).T
    samples = np.zeros((2, clip.frames), np.float32)
    kept = min(clip.frames, faster.shape[1])
    samples[:, :kept] = faster[:, :kept]
    return Clip(samples, clip.sample_rate)


AUGMENTATION = Augmentation(
    "higher or lower by up to so many semitones at the same length; attacks are kept",
    Reach("semitones", 1.0, 0.0, 12.0),
    draw,
    shifted,
)
