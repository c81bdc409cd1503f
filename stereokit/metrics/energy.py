"""The energy distance of two sets: one figure that is lowest only for equal distributions."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.distance import Distance, make_pool, pair_distance


def energy_distance(
    generated: Sequence[NDArray[np.float64]], reference: Sequence[NDArray[np.float64]], distance: Distance
) -> float:
    """Return 2 E d(g, r) - E d(g, g') - E d(r, r') over all pairs of different clips.

    MMD falls when clips grow alike in the middle of the reference, COV rises with any noise that reaches far; this
    falls with neither (Szekely and Rizzo 2013, Energy statistics). All pairs speak, not only the nearest, so small sets
    tell more. In the feature's unit; below 0 only by chance.

    Parameters
    ----------
    generated, reference
        Two or more sequences of shape (n, width) each.
    distance
        Between two sequences.
    """
    pool = make_pool(generated, reference, distance)
    clips = [pool.sequence(number) for number in range(len(pool))]
    made, real = clips[: pool.generated], clips[pool.generated :]
    across = np.mean([pair_distance(one, other, distance) for one in made for other in real])
    among = [np.mean([pair_distance(one, other, distance) for one, other in combinations(s, 2)]) for s in (made, real)]
    return float(2.0 * across - sum(among))
