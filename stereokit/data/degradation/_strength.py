"""How strong a degradation is along a track: a smooth curve drawn from a seed."""

import numpy as np

from stereokit.data.degradation._form import Facts, Samples

_SPACING_S = (0.5, 3.0)


def draw_unevenness(random: np.random.Generator, depth: float) -> Facts:
    """Draw a curve that lies between 1 - depth and 1: ``{"depth", "spacing_s", "seed"}``."""
    return {
        "depth": depth,
        "spacing_s": float(random.uniform(*_SPACING_S)),
        "seed": int(random.integers(1 << 32)),
    }


def strength(facts: Facts, *, frames: int, sample_rate: int) -> Samples:
    """Return the curve, shape (T,).

    Between values drawn evenly and ``spacing_s`` apart it glides along half a cosine; a track shorter than three
    spacings has them a third of its length apart, so that every track has its ups and downs.
    """
    spacing = min(facts["spacing_s"] * sample_rate, frames / 3.0)
    place = np.arange(frames) / spacing
    count = int(place[-1]) + 2
    values = np.random.default_rng(facts["seed"]).uniform(size=count)
    index = place.astype(np.int64)
    glide = 0.5 - 0.5 * np.cos(np.pi * (place - index))
    levels = values[index] + (values[index + 1] - values[index]) * glide
    return np.asarray(1.0 - facts["depth"] * levels)
