"""As among-nearest, but of neighbours without a label a classifier is asked: its word weighs less than a label."""

import numpy as np

from stereokit.metrics.calibration import softmax
from stereokit.metrics.propagation._form import UNKNOWN, Known, Propagation, Told
from stereokit.metrics.propagation._neighbours import nearest, scale_of, voters_of, weights_of


def _tell(known: Known) -> Told:
    if known.predicted is None:
        raise ValueError("assisted needs a classifier's probabilities")
    found, distances = nearest(known.points, np.arange(len(known.points)), known.neighbours)
    weights = weights_of(distances, scale_of(distances, known.labelled))
    labels = np.where(found == UNKNOWN, UNKNOWN, known.labels[found])
    certain = np.eye(known.classes)[labels]
    words = np.where(
        (labels == UNKNOWN)[:, :, None], known.predicted_weight * known.predicted[np.maximum(found, 0)], certain
    )
    sums = (weights[:, :, None] * np.where((found == UNKNOWN)[:, :, None], 0.0, words)).sum(axis=1)
    # What it says of the clip itself is asked as well, at no distance.
    sums += known.predicted_weight * known.predicted
    has_vote = sums.sum(axis=1) > 0.0
    scores = np.where(has_vote[:, None], softmax(sums), 0.0)
    return Told(scores, voters_of(found, weights, labels == scores.argmax(axis=1)[:, None]))


PROPAGATION = Propagation(
    "as among-nearest, and a classifier speaks for neighbours without labels", _tell, needs_predicted=True
)
