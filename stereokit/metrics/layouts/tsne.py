"""t-SNE (van der Maaten and Hinton 2008): neighbours stay neighbours, distances between groups mean nothing."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.layouts._form import Layout, Points, first_map, optional, require_points

_PERPLEXITY = 30.0
_LEAST = 5


def _place(points: Points, dimensions: int, seed: int, labels: NDArray[np.int64] | None) -> Points:
    require_points(points, _LEAST, "tsne")
    tsne = optional("sklearn.manifold", "scikit-learn").TSNE(
        n_components=dimensions,
        perplexity=min(_PERPLEXITY, (len(points) - 1) / 3.0),
        init=first_map(points, dimensions, seed, 1e-4).astype(np.float32),
        random_state=seed,
        n_jobs=1,
    )
    return np.asarray(tsne.fit_transform(points.astype(np.float32)), np.float64)


LAYOUT = Layout("t-SNE: neighbours stay neighbours", _place)
