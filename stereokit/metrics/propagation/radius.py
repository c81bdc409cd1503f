"""All clips with labels inside a radius vote: where there are none, nothing is told.

Without a radius it is the median distance from a labelled clip to its k-th nearest labelled one.
"""

import numpy as np

from stereokit.metrics.propagation._form import UNKNOWN, Known, Propagation, Told
from stereokit.metrics.propagation._neighbours import nearest, scale_of, voted, weights_of

# Of a crowd the nearest ones vote.
_MOST_ASKED = 100


def _tell(known: Known) -> Told:
    found, distances = nearest(known.points, known.labelled, max(_MOST_ASKED, known.neighbours))
    radius = known.radius
    if radius is None:
        radius = scale_of(distances[:, : known.neighbours], known.labelled)
    is_inside = distances <= radius
    found = np.where(is_inside, found, UNKNOWN)
    return voted(known, found, np.where(is_inside, weights_of(distances, radius), 0.0))


PROPAGATION = Propagation("clips with labels inside a radius vote", _tell, has_radius=True)
