"""What an augmentation declares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stereokit.audio.clip import Clip

# What was drawn, as JSON: it alone decides what is done to a clip, and is kept in the clip's row.
Facts = dict[str, Any]


@dataclass(frozen=True)
class Reach:
    """How far an augmentation may go: the one number that can be given for it.

    Attributes
    ----------
    unit
        Of the number, for messages.
    default, lowest, highest
        In that unit.
    """

    unit: str
    default: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Augmentation:
    """One change of a clip, the same for both channels or between them.

    Attributes
    ----------
    summary
        One line for listings.
    reach
        None when there is nothing to choose.
    draw
        ``draw(random, reach)`` decides what is done.
    apply
        ``apply(clip, facts)`` does it; equal arguments give equal clips.
    """

    summary: str
    reach: Reach | None
    draw: Callable[[np.random.Generator, float], Facts]
    apply: Callable[[Clip, Facts], Clip]


# One after the other: (an augmentation's name, what was drawn for it).
Recipe = tuple[tuple[str, Facts], ...]


@dataclass(frozen=True)
class Grid:
    """A fixed list of recipes: every clip gets all of them, nothing is drawn.

    Attributes
    ----------
    summary
        One line for listings.
    recipes
        Without the clip as it is, which is always kept.
    """

    summary: str
    recipes: tuple[Recipe, ...]
