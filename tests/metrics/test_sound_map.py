import numpy as np
import pytest

from stereokit.metrics.sound_map import MAIN_AXES, draw_map
from stereokit.metrics.sound_space import principal_axes


def cloud(count: int = 40, width: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, width)) * np.arange(1.0, width + 1.0)


def test_equal_points_are_drawn_once_and_lie_in_one_place():
    points = cloud()
    twice = np.concatenate([points, points[::-1]])
    drawn = draw_map(twice, "tsne")
    assert drawn.points.shape == (40, 5)
    assert np.array_equal(drawn.places[:40], drawn.places[:39:-1])
    assert np.array_equal(drawn.numbers[:40], np.arange(40))


def test_more_points_do_not_move_those_that_are_there():
    points = cloud()
    drawn = draw_map(points, "tsne")
    before = drawn.places
    assert np.array_equal(drawn.more(points[5:9]), before[5:9])
    assert np.isfinite(drawn.more(cloud(3) * 2.0)).all()
    assert np.array_equal(drawn.places, before)


def test_wide_points_are_turned_to_their_main_axes_which_keep_the_map():
    points = cloud(80, MAIN_AXES + 20)
    drawn = draw_map(points, "pca")
    assert drawn.points.shape == (80, MAIN_AXES)
    mean, axes = principal_axes(points, 2)
    found = (points - mean) @ axes
    signs = np.sign((drawn.places * found).sum(axis=0))
    assert drawn.places * signs == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("points", [np.zeros((1, 4)), np.ones((9, 4)), np.array([[0.0], [1.0]])])
@pytest.mark.parametrize("layout", ["umap", "tsne"])
def test_too_few_different_points_have_the_map_of_their_main_axes(points, layout):
    drawn = draw_map(points, layout, labels=np.zeros(len(points), np.int64) if layout == "umap" else None)
    assert drawn.layout == "pca"
    assert drawn.places.shape == (len(points), 2)
    assert np.isfinite(drawn.places).all()
    assert np.array_equal(drawn.more(points), drawn.places)


@pytest.mark.slow
def test_a_map_of_umap_is_the_same_again_is_guided_and_takes_more():
    points, labels = cloud(60), np.arange(60) % 2
    points = np.concatenate([points, points[:5]])
    labels = np.concatenate([labels, np.full(5, -1)])
    free, guided = draw_map(points, "umap"), draw_map(points, "umap", labels=labels, given={"neighbours": 10})
    assert np.array_equal(free.places, draw_map(points, "umap").places)
    assert guided.drawn.values == {"neighbours": 10, "min-distance": 0.1}
    assert np.array_equal(guided.places[60:], guided.places[:5])
    assert np.array_equal(guided.more(points), guided.places)

    def separation(places):
        apart = np.linalg.norm(places[:60, None] - places[:60], axis=2)
        is_same = labels[:60, None] == labels[:60]
        return apart[~is_same].mean() / apart[is_same].mean()

    assert separation(guided.places) > 1.3 * separation(free.places)
