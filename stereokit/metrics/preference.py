"""How sure a share of votes is: the exact binomial test against one half, and the exact interval."""

import math
from dataclasses import dataclass

import numpy as np

# Halving the unit interval so often leaves less than the spacing of doubles near one half.
_HALVINGS = 60
_TAIL = 0.025
# Up to here C(n, k) is a whole number that is found at once, and its share of all outcomes is rounded once.
_MOST_WHOLE = 2_000


@dataclass(frozen=True)
class Preference:
    """A share and what chance can do to it.

    Attributes
    ----------
    chosen, trials
        How often the first of two was chosen, of how many choices.
    share
        ``chosen / trials``; None without a trial.
    low, high
        The exact 95 % interval of Clopper and Pearson; 0 and 1 without a trial.
    p
        Two-sided, exact, against a fair coin, in [0, 1]; 1 without a trial.
    """

    chosen: int
    trials: int
    share: float | None
    low: float
    high: float
    p: float


def preference(chosen: int, trials: int) -> Preference:
    """Return a share with its exact interval and p-value.

    Parameters
    ----------
    chosen
        0 to ``trials``.
    trials
        Independent choices between two, 0 or more.

    Raises
    ------
    ValueError
        When more were chosen than there were.

    >>> heard = preference(8, 10)
    >>> round(heard.low, 4), round(heard.high, 4), round(heard.p, 4)
    (0.4439, 0.9748, 0.1094)
    """
    if not 0 <= chosen <= trials:
        raise ValueError(f"{chosen} of {trials}: from 0 to all of them can be chosen")
    share = chosen / trials if trials else None
    return Preference(
        chosen, trials, share, _lowest(chosen, trials), 1.0 - _lowest(trials - chosen, trials), coin_p(chosen, trials)
    )


def coin_p(chosen: int, trials: int) -> float:
    """Return how probable it is that a fair coin gives what is no more probable than this.

    Of a fair coin those outcomes are the ones as far from one half, or farther, on both sides.
    """
    rarer = min(chosen, trials - chosen)
    if 2 * rarer == trials:
        return 1.0
    at_end = (
        math.comb(trials, rarer) / (1 << trials)
        if trials <= _MOST_WHOLE
        else math.exp(_log_ways(rarer, trials) - trials * math.log(2.0))
    )
    # each term below is the one above it times k / (n - k + 1)
    steps = np.arange(rarer, 0, -1) / np.arange(trials - rarer + 1, trials + 1)
    return min(1.0, 2.0 * at_end * (1.0 + float(np.cumprod(steps).sum())))


def _lowest(chosen: int, trials: int) -> float:
    """Return the probability at which so many or more are chosen once in 40 times; 0 where none was."""
    if chosen == 0:
        return 0.0
    others = trials - chosen
    ways = _log_ways(chosen, trials)
    # with more chosen, each term is the one before times (n - k) / (k + 1) and the odds: all fall below the share
    steps = np.arange(others, 0, -1) / np.arange(chosen + 1, trials + 1)
    low, high = 0.0, chosen / trials
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        first = math.exp(ways + chosen * math.log(middle) + others * math.log1p(-middle))
        if first * (1.0 + float(np.cumprod(steps * (middle / (1.0 - middle))).sum())) < _TAIL:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _log_ways(chosen: int, trials: int) -> float:
    """Return ln C(n, k), to 1e-9 at n = 100,000, where integers would take half a second."""
    return math.lgamma(trials + 1) - math.lgamma(chosen + 1) - math.lgamma(trials - chosen + 1)
