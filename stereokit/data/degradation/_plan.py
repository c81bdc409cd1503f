"""Words like ``phone`` or ``downsample:4,noise:30``, and the degraded clip that they ask for."""

import math
from dataclasses import dataclass

import numpy as np

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.data.degradation._form import Chain, Degradation, Facts
from stereokit.data.degradation._strength import draw_unevenness, strength
from stereokit.data.text import digest
from stereokit.errors import UsageError

DEFAULT_UNEVENNESS = 0.5


@dataclass(frozen=True)
class DegradationPlan:
    """A chain of degradations in the order of their words.

    Attributes
    ----------
    words
        As they were given.
    steps
        (degradation, its value or None to draw it).
    unevenness
        How far strengths may fall along a track, 0 to 1.
    """

    words: str
    steps: tuple[tuple[str, float | None], ...]
    unevenness: float

    def draw(self, *, seed: int, key: str) -> list[Facts]:
        """Return what is done to a clip, a step each with its name: the same for equal arguments."""
        random = np.random.default_rng(list(digest(f"{seed}:{key}", size=16)))
        drawn = []
        for name, value in self.steps:
            degradation: Degradation = catalog.load("degradation", name)
            facts = {"name": name, **degradation.draw(random, value)}
            if degradation.can_vary and self.unevenness:
                facts["uneven"] = draw_unevenness(random, self.unevenness)
            drawn.append(facts)
        return drawn

    def degrade(self, clip: Clip, *, seed: int, key: str) -> tuple[Clip, list[Facts]]:
        """Return the degraded clip, as long as the clip and sample by sample beside it, and what was done.

        It may pass full scale: whoever writes the pair turns both down alike.
        """
        steps = self.draw(seed=seed, key=key)
        return apply_steps(clip, steps), steps


def apply_steps(clip: Clip, steps: list[Facts]) -> Clip:
    """Do to a clip what ``DegradationPlan.draw`` told.

    Where a step's strength s varies, ``x + s (degraded x - x)`` comes out: less of the room, of the lost band, of the
    harmonics or of the noise, since no degradation delays x.
    """
    samples = clip.samples.astype(np.float64)
    for facts in steps:
        changed = catalog.load("degradation", facts["name"]).apply(samples, clip.sample_rate, facts)
        if "uneven" in facts:
            curve = strength(facts["uneven"], frames=clip.frames, sample_rate=clip.sample_rate)
            changed = samples + curve * (changed - samples)
        samples = changed
    return Clip(samples.astype(np.float32), clip.sample_rate)


def parse_degradation(words: str, unevenness: float = DEFAULT_UNEVENNESS) -> DegradationPlan:
    """Read the words of ``--degrade`` and ``--uneven``.

    Raises
    ------
    UsageError
        For an unknown name, or a value out of range.

    >>> parse_degradation("downsample:4,noise", 0.0).steps
    (('downsample', 4.0), ('noise', None))
    """
    if not 0.0 <= unevenness <= 1.0:
        raise UsageError(f"--uneven {unevenness}: must be from 0 (even) to 1")
    steps: list[tuple[str, float | None]] = []
    for word in words.split(","):
        name, colon, value = word.strip().partition(":")
        entry = catalog.load("degradation", name)
        if isinstance(entry, Chain):
            if colon:
                raise UsageError(f"--degrade {word}: takes no value")
            steps += parse_degradation(",".join(entry.words)).steps
        else:
            steps.append((name, _value(entry, word, value) if colon else None))
    return DegradationPlan(words, tuple(steps), unevenness)


def _value(entry: Degradation, word: str, text: str) -> float:
    if entry.value is None:
        raise UsageError(f"--degrade {word}: takes no value")
    whole = "a whole number " if entry.value.is_whole else ""
    allowed = f"must be {whole}from {entry.value.lowest:g} to {entry.value.highest:g} {entry.value.unit}"
    try:
        number = float(text)
    except ValueError:
        raise UsageError(f"--degrade {word}: {allowed}") from None
    is_inside = math.isfinite(number) and entry.value.lowest <= number <= entry.value.highest
    if not is_inside or (entry.value.is_whole and not number.is_integer()):
        raise UsageError(f"--degrade {word}: {allowed}")
    return number
