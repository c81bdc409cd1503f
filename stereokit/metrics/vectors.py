"""One vector a clip: what distances between whole distributions of clips are taken over."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def clip_vectors(sequences: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return each clip's mean and standard deviation over time, of every value of a frame.

    Frames of one clip are no independent samples, clips are; and clips of different length are comparable so.

    Parameters
    ----------
    sequences
        One or more, of shape (n, width) each; n may differ.

    Returns
    -------
    ndarray
        Shape (clips, 2 width): means, then deviations (0 for a clip of one frame).
    """
    return np.array([np.concatenate([one.mean(axis=0), one.std(axis=0)]) for one in sequences])
