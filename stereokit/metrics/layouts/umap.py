"""UMAP (McInnes, Healy and Melville 2018): neighbours stay neighbours; known labels may pull classes together."""

import warnings

import numpy as np

from stereokit.metrics.layouts._form import Drawn, Layout, Parameter, Points, Wish, first_map, optional

_SIZE = 3.0


def _draw(points: Points, wish: Wish) -> Drawn:
    package = optional("umap", "umap-learn")
    neighbours = min(int(wish.values["neighbours"]), len(points) - 1)
    umap = package.UMAP(
        n_components=wish.dimensions,
        n_neighbors=neighbours,
        min_dist=wish.values["min-distance"],
        init=first_map(points, wish.dimensions, wish.seed, _SIZE).astype(np.float32),
        random_state=wish.seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # It says which of its settings a fixed seed changes, and that equal points have no scale.
        warnings.simplefilter("ignore")
        placed = umap.fit_transform(points.astype(np.float32), y=wish.labels)
    return Drawn(np.nan_to_num(np.asarray(placed, np.float64)), {**wish.values, "neighbours": neighbours})


LAYOUT = Layout(
    "umap",
    "UMAP: neighbours stay neighbours, groups stay apart",
    _draw,
    parameters=(Parameter("neighbours", 15, 2, 1000), Parameter("min-distance", 0.1, 0.0, 1.0)),
    fewest=5,
    package=("umap", "umap-learn"),
    can_be_guided=True,
)
