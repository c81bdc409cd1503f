"""Noise bursts that are as loud, as long and as wide as given clips are in the mean, and nothing else like them.

What scores no better than these has learned nothing of the sound.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.audio.stereo import mid_side
from stereokit.errors import BadInputError

# A burst's level, width and decay lie between half and one and a half times the mean: a set of equal bursts would be
# an easier opponent.
_SPREAD = 0.5

# Above this many lengths of a clip a decay is none.
_LONGEST_DECAY = 100.0
_HALVINGS = 60


@dataclass(frozen=True)
class Likeness:
    """What bursts have in common with the clips that they stand beside.

    Attributes
    ----------
    level
        Mean over the clips of the root mean square of a clip's two channels, full scale 1.
    width
        Mean of the side's share of a clip's energy, 0 to 1.
    decay
        Seconds in which an envelope falls to 1/e whose centre of energy is the mean of the clips'.
    """

    level: float
    width: float
    decay: float


def likeness_of(clips: Iterable[Clip]) -> Likeness:
    """Measure clips of one rate and length; silent ones do not count.

    Raises
    ------
    BadInputError
        When all are silent.
    """
    levels, widths, centres, length = [], [], [], 0.0
    for clip in clips:
        middle, side = np.square(mid_side(clip)) * 2.0
        energy = middle + side
        total = energy.sum()
        if total:
            time = np.arange(clip.frames) / clip.sample_rate
            length = clip.frames / clip.sample_rate
            levels.append(np.sqrt(total / (2 * clip.frames)))
            widths.append(side.sum() / total)
            centres.append((time * energy).sum() / total)
    if not levels:
        raise BadInputError("every clip is silent: noise cannot be made like them")
    return Likeness(float(np.mean(levels)), float(np.mean(widths)), decay_of(float(np.mean(centres)), length))


def decay_of(centre: float, length: float) -> float:
    """Return the decay time of an envelope e^(-t/d) over ``length`` seconds whose energy has its centre there.

    The centre is d/2 - length / (e^(2 length/d) - 1), which rises with d from 0 to length/2; a later one is met by no
    decay and gets the longest, 100 lengths.

    >>> round(decay_of(0.1, 100.0), 6)
    0.2
    """
    low, high = 1e-6 * length, _LONGEST_DECAY * length
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(low * high))
        # e^-x / (1 - e^-x) where e^x would overflow
        fallen = np.exp(-2.0 * length / middle)
        if middle / 2.0 - length * fallen / (1.0 - fallen) < centre:
            low = middle
        else:
            high = middle
    return low


def burst(random: np.random.Generator, likeness: Likeness, *, frames: int, sample_rate: int) -> Clip:
    """Draw one burst: white noise in mid and side, each its own, that decays.

    Level, width and decay are drawn evenly from half to one and a half times those of ``likeness``. What passes full
    scale is turned down as a whole.

    Returns
    -------
    Clip
        Shape (2, frames), full scale ±1.
    """
    level, width, decay = random.uniform(1.0 - _SPREAD, 1.0 + _SPREAD, 3) * (
        likeness.level,
        likeness.width,
        likeness.decay,
    )
    width = min(width, 1.0)
    # Even rather than normal values: their peaks stay within full scale at the level of a limited sound.
    noise = random.uniform(-1.0, 1.0, (2, frames)) * np.exp(-np.arange(frames) / (decay * sample_rate))
    noise *= level / np.sqrt(np.mean(np.square(noise), axis=1, keepdims=True))
    middle, side = noise * np.sqrt([[1.0 - width], [width]])
    samples = np.stack([middle + side, middle - side])
    return Clip((samples / max(1.0, np.abs(samples).max())).astype(np.float32), sample_rate)
