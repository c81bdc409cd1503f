"""t-SNE (van der Maaten and Hinton 2008): neighbours stay neighbours, distances between groups mean nothing."""

import numpy as np

from stereokit.metrics.layouts._form import Drawn, Layout, Parameter, Points, Wish, first_map, optional


def _draw(points: Points, wish: Wish) -> Drawn:
    # more neighbours than a third of the others, and it could not be told who is near
    perplexity = min(wish.values["perplexity"], (len(points) - 1) / 3.0)
    tsne = optional("sklearn.manifold", "scikit-learn").TSNE(
        n_components=wish.dimensions,
        perplexity=perplexity,
        init=first_map(points, wish.dimensions, wish.seed, 1e-4).astype(np.float32),
        random_state=wish.seed,
        n_jobs=1,
    )
    placed = np.asarray(tsne.fit_transform(points.astype(np.float32)), np.float64)
    return Drawn(placed, {"perplexity": perplexity})


LAYOUT = Layout(
    "tsne",
    "t-SNE: neighbours stay neighbours",
    _draw,
    parameters=(Parameter("perplexity", 30.0, 1.0, 1000.0),),
    fewest=5,
    package=("sklearn", "scikit-learn"),
)
