"""The k nearest clips with labels vote, however far away they are."""

from stereokit.metrics.propagation._form import Known, Propagation, Told
from stereokit.metrics.propagation._neighbours import nearest, scale_of, voted, weights_of


def _tell(known: Known) -> Told:
    found, distances = nearest(known.points, known.labelled, known.neighbours)
    return voted(known, found, weights_of(distances, scale_of(distances, known.labelled)))


PROPAGATION = Propagation("the k nearest clips with labels vote", _tell)
