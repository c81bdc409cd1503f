"""What a degradation declares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What was drawn, as JSON: it alone decides what is done to a clip, and is kept in the clip's row.
Facts = dict[str, Any]
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Value:
    """The one number that can be given for a degradation; left out, it is drawn.

    Attributes
    ----------
    unit
        Of the number, for messages.
    lowest, highest
        In that unit.
    is_whole
        Whether it must be a whole number.
    """

    unit: str
    lowest: float
    highest: float
    is_whole: bool = False


@dataclass(frozen=True)
class Degradation:
    """One link of the chain.

    Attributes
    ----------
    summary
        One line for listings.
    value
        None when everything is drawn.
    can_vary
        Whether its strength may change along the track; a recorder's rate and steps do not.
    draw
        ``draw(random, value)`` decides what is done; value None: drawn, too.
    apply
        ``apply(samples, sample_rate, facts)`` takes and gives shape (2, T), full scale ±1, without delay: what comes
        out at a moment belongs to what went in then. Equal arguments give equal samples.
    """

    summary: str
    value: Value | None
    can_vary: bool
    draw: Callable[[np.random.Generator, float | None], Facts]
    apply: Callable[[Samples, int, Facts], Samples]


@dataclass(frozen=True)
class Chain:
    """Degradations that one word stands for.

    Attributes
    ----------
    summary
        One line for listings.
    words
        As they could be given themselves, for example ``noise:30``.
    """

    summary: str
    words: tuple[str, ...]
