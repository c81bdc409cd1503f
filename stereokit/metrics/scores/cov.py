"""Coverage: how much of the reference set the generated clips reach."""

import numpy as np

from stereokit.metrics.neighbours import Neighbours
from stereokit.metrics.score import Score


def coverage(neighbours: Neighbours) -> float:
    """Return the share of reference clips that are the nearest reference of at least one generated clip.

    In (0, 1]; a perfect generator reaches about 0.59 at equal sizes, never 1.
    """
    reached = np.unique(neighbours.other_index[: neighbours.generated])
    return len(reached) / (len(neighbours.other_index) - neighbours.generated)


SCORE = Score(
    title="COV",
    summary="share of the reference that is some generated clip's nearest: higher is better",
    compute=coverage,
)
