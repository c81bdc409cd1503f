"""The directions of largest variance: fast, always the same, and blind to all that is not a straight line."""

from stereokit.metrics.layouts._form import Drawn, Layout, Points, Wish, principal_map


def _draw(points: Points, wish: Wish) -> Drawn:
    return principal_map(points, wish.dimensions)


def _more(drawn: Drawn, more: Points) -> Points:
    return (more - drawn.kept["mean"]) @ drawn.kept["axes"]


LAYOUT = Layout("pca", "directions of largest variance", _draw, own_more=_more)
