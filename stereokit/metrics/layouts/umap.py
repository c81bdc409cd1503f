"""UMAP (McInnes, Healy and Melville 2018): neighbours stay neighbours; known labels may pull classes together."""

import warnings

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.layouts._form import Layout, Points, first_map, optional, require_points

_NEIGHBOURS = 15
_LEAST = 5
_SIZE = 3.0


def _place(points: Points, dimensions: int, seed: int, labels: NDArray[np.int64] | None) -> Points:
    require_points(points, _LEAST, "umap")
    package = optional("umap", "umap-learn")
    umap = package.UMAP(
        n_components=dimensions,
        n_neighbors=min(_NEIGHBOURS, len(points) - 1),
        init=first_map(points, dimensions, seed, _SIZE).astype(np.float32),
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # It says which of its settings a fixed seed changes, and that equal points have no scale.
        warnings.simplefilter("ignore")
        placed = umap.fit_transform(points.astype(np.float32), y=labels)
    return np.nan_to_num(np.asarray(placed, np.float64))


LAYOUT = Layout("UMAP: neighbours stay neighbours, groups stay apart", _place, can_be_guided=True)
