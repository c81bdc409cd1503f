"""The one form of a score between a generated and a reference set."""

from collections.abc import Callable
from dataclasses import dataclass

from stereokit.metrics.neighbours import Neighbours


@dataclass(frozen=True)
class Score:
    """A score.

    Attributes
    ----------
    title
        Its name as printed, with the unit.
    summary
        One line for ``stereokit list``: what it says and which direction is better.
    compute
        Nearest neighbours -> the score.
    formula
        (generated, reference) -> what a perfect generator gets, where that is known without measuring.
    depends_on_size
        Whether its null moves with the number of clips: then it is measured at exactly these sizes or not at all.
    """

    title: str
    summary: str
    compute: Callable[[Neighbours], float]
    formula: Callable[[int, int], float] | None = None
    depends_on_size: bool = False
