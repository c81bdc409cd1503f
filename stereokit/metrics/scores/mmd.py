"""Minimum matching distance: how close the nearest generated clip comes to each reference clip."""

from stereokit.metrics.neighbours import Neighbours
from stereokit.metrics.score import Score


def minimum_matching_distance(neighbours: Neighbours) -> float:
    """Return the mean over the reference clips of the distance to the nearest generated clip.

    In the feature's unit. It falls with the number of clips, so it is comparable only at the same sizes.
    """
    return float(neighbours.other_distance[neighbours.generated :].mean())


SCORE = Score(
    title="MMD",
    summary="mean distance from a reference clip to its nearest generated one: lower is better",
    compute=minimum_matching_distance,
    depends_on_size=True,
)
