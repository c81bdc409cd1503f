"""1-NNA: how well a nearest-neighbour classifier tells the two sets apart."""

import numpy as np

from stereokit.metrics.distance import TIE
from stereokit.metrics.neighbours import Neighbours
from stereokit.metrics.score import Score


def nearest_neighbour_accuracy(neighbours: Neighbours) -> float:
    """Return the share of the clips of both sets whose nearest other clip is of their own set.

    In [0, 1]; a tie between own and other set counts one half. Near its null is good; 1 means that the sets
    are told apart without fail, values well under the null that clips were copied.
    """
    own, other = neighbours.own_distance, neighbours.other_distance
    slack = TIE * np.minimum(own, other)
    return float(np.where(np.abs(own - other) <= slack, 0.5, own < other).mean())


def null_accuracy(generated: int, reference: int) -> float:
    """Return the expected accuracy when both sets come from one distribution.

    (g (g - 1) + r (r - 1)) / ((g + r) (g + r - 1)): a clip's nearest neighbour is any other clip alike.

    >>> null_accuracy(100, 100) == 99 / 199
    True
    """
    total = generated + reference
    return (generated * (generated - 1) + reference * (reference - 1)) / (total * (total - 1))


SCORE = Score(
    title="1-NNA",
    summary="how well nearest neighbours tell the sets apart: nearer to its null is better",
    compute=nearest_neighbour_accuracy,
    formula=null_accuracy,
)
