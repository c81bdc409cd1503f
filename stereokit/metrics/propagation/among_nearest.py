"""The labelled ones among the k nearest of all clips vote: where none of them has a label, nothing is told."""

import numpy as np

from stereokit.metrics.propagation._form import Known, Propagation, Told
from stereokit.metrics.propagation._neighbours import nearest, scale_of, voted, weights_of


def _tell(known: Known) -> Told:
    found, distances = nearest(known.points, np.arange(len(known.points)), known.neighbours)
    return voted(known, found, weights_of(distances, scale_of(distances, known.labelled)))


PROPAGATION = Propagation("of the k nearest clips, those with labels vote", _tell)
