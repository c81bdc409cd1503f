"""What a procedural voice declares, and the one way in which its sounds are asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stereokit.audio.clip import Clip


@dataclass(frozen=True)
class Sound:
    """One made-up sound and what is known about it.

    Attributes
    ----------
    clip
        Left and right, float32 of shape (2, T), within ±1, silent at its first and last sample.
    label
        The class that the sound was made as, one of its voice's ``labels``.
    facts
        What was drawn for it: further columns of the data set's row, snake_case with units.
    """

    clip: Clip
    label: str
    facts: dict[str, str | float]


@dataclass(frozen=True)
class Voice:
    """A family of sounds that can be drawn without end.

    Attributes
    ----------
    summary
        One line for listings.
    labels
        Every label that can occur.
    length_s
        Length of every sound in seconds.
    lowest_rate_hz
        Lower sample rates leave no room for its sounds.
    make
        ``make(random, sample_rate)`` draws one sound of ``round(length_s * sample_rate)`` frames.
    """

    summary: str
    labels: tuple[str, ...]
    length_s: float
    make: Callable[[np.random.Generator, int], Sound]
    lowest_rate_hz: int = 8_000


def make_sound(voice: Voice, *, seed: int, index: int, sample_rate: int) -> Sound:
    """Make the sound number ``index`` of the series that ``seed`` names.

    Every index has a generator of its own, so asking for more sounds never changes earlier ones, and
    workers may share a series in any order.

    Parameters
    ----------
    voice
        What kind of sound.
    seed, index
        Both at least 0.
    sample_rate
        Hz, 8,000 or more.

    Returns
    -------
    Sound
        Equal for equal arguments.

    Raises
    ------
    ValueError
        From NumPy, for a negative seed or index.

    >>> from stereokit.catalog import load
    >>> make_sound(load("synth", "drums"), seed=0, index=0, sample_rate=8000).clip.frames
    4800
    """
    return voice.make(np.random.default_rng([seed, index]), sample_rate)
