"""Drums: one-shots of eight classes, as drum machines have them, mono or stereo."""

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.data.synth._bursts import clap, shaker
from stereokit.data.synth._hits import Canvas, Recipe
from stereokit.data.synth._image import channels_of
from stereokit.data.synth._metals import crash, hat, ride
from stereokit.data.synth._oscillators import Signal, log_uniform
from stereokit.data.synth._shaping import fade_ends
from stereokit.data.synth._skins import kick, snare, tom
from stereokit.data.synth._voice import Sound, Voice

LENGTH_S = 0.6
_MONO_SHARE = 1 / 3

# Per class: the recipe, and how wide a stereo hit may be (level of the side over that of the mid).
_RECIPES: dict[str, tuple[Recipe, float]] = {
    "kick": (kick, 0.15),
    "snare": (snare, 0.5),
    "hat": (hat, 0.7),
    "crash": (crash, 0.9),
    "ride": (ride, 0.8),
    "clap": (clap, 0.8),
    "shaker": (shaker, 0.7),
    "tom": (tom, 0.4),
}
LABELS = tuple(_RECIPES)


def _widened(random: np.random.Generator, mid_side: Signal, widest: float, sample_rate: int) -> Signal:
    """Return mid and side with the side brought to a drawn share of the mid's level."""
    mid, side = mid_side
    # A second microphone hears the hit a little later: that widens tones, which noise alone does not.
    late = round(log_uniform(random, 0.0003, 0.008) * sample_rate)
    side = side.copy()
    side[late:] += np.float32(random.uniform(-0.3, 0.3)) * mid[: mid.size - late]
    side += np.float32(random.uniform(-0.15, 0.15)) * mid
    ratio = log_uniform(random, 0.08, 1.0) * widest
    return np.stack([mid, side * np.float32(ratio * np.std(mid) / np.std(side))])


def make(random: np.random.Generator, sample_rate: int) -> Sound:
    """Draw one hit.

    Parameters
    ----------
    random
        Decides everything.
    sample_rate
        Hz, 8,000 or more.

    Returns
    -------
    Sound
        0.6 s, labelled with one of the eight classes, all equally likely. A third is mono: left and right
        are equal. ``width_ratio`` is the level of the side over that of the mid.
    """
    label = LABELS[int(random.integers(len(LABELS)))]
    recipe, widest = _RECIPES[label]
    stereo = random.random() >= _MONO_SHARE
    canvas = Canvas(round(LENGTH_S * sample_rate), sample_rate, 2 if stereo else 1)
    hit = recipe(random, canvas)
    mid_side = hit.mid_side
    fade_ends(mid_side, in_frames=round(0.0004 * sample_rate), out_frames=round(0.1 * sample_rate))
    if stereo:
        mid_side = _widened(random, mid_side, widest, sample_rate)
    samples = channels_of(mid_side)
    samples *= np.float32(random.uniform(0.3, 0.95)) / np.max(np.abs(samples))
    width_ratio = float(np.std(mid_side[1]) / np.std(mid_side[0])) if stereo else 0.0
    return Sound(
        Clip(samples, sample_rate),
        label,
        {
            "image": "stereo" if stereo else "mono",
            "width_ratio": round(width_ratio, 4),
            "decay_s": round(hit.decay_s, 4),
            "center_hz": round(hit.center_hz, 2),
        },
    )


VOICE = Voice(
    summary="0.6 s drum one-shots of eight classes, a third of them mono",
    labels=LABELS,
    length_s=LENGTH_S,
    make=make,
)
