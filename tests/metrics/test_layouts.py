import numpy as np
import pytest

from stereokit import catalog
from stereokit.errors import BadInputError, MissingError
from stereokit.metrics.layouts import _form

# The first use of umap compiles it, which takes from ten seconds to more than a minute.
UMAP = pytest.param("umap", marks=pytest.mark.slow)
SEARCHED = ["tsne", UMAP]
LAYOUTS = [UMAP if name == "umap" else name for name in catalog.names("layout")]


def islands(each: int = 12) -> np.ndarray:
    random = np.random.default_rng(0)
    centres = np.zeros((2, 6))
    centres[1, 0] = 100.0
    return np.repeat(centres, each, axis=0) + random.normal(size=(2 * each, 6))


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_islands_stay_apart_in_every_map(name, dimensions):
    points = islands()
    placed = catalog.load("layout", name).place(points, dimensions, 0, None)
    assert placed.shape == (24, dimensions)
    assert np.isfinite(placed).all()
    apart = np.linalg.norm(placed[:, None] - placed, axis=2)
    np.fill_diagonal(apart, np.inf)
    # t-SNE has hardly enough neighbours to ask among so few points in three dimensions
    assert ((apart.argmin(axis=1) < 12) == (np.arange(24) < 12)).mean() > (0.9 if dimensions == 3 else 0.99)


@pytest.mark.parametrize("name", LAYOUTS)
def test_equal_points_have_finite_places_and_a_seed_gives_the_same_map(name):
    layout = catalog.load("layout", name)
    equal = np.repeat(islands(3), 3, axis=0)
    placed = layout.place(equal, 2, 5, None)
    assert np.isfinite(placed).all()
    assert np.array_equal(placed, layout.place(equal, 2, 5, None))
    assert np.isfinite(layout.place(np.ones((8, 3)), 2, 0, None)).all()


@pytest.mark.parametrize("name", SEARCHED)
def test_too_few_points_are_refused_and_five_are_enough(name):
    layout = catalog.load("layout", name)
    assert np.isfinite(layout.place(islands()[:5], 2, 0, None)).all()
    with pytest.raises(BadInputError, match="5 clips or more, not of 4"):
        layout.place(islands()[:4], 2, 0, None)


def test_principal_maps_keep_distances_on_a_plane_and_fill_missing_dimensions_with_zeros():
    plane = np.random.default_rng(0).normal(size=(9, 2)) @ np.array([[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]])
    placed = catalog.load("layout", "pca").place(plane, 3, 0, None)
    apart = [np.linalg.norm(one[:, None] - one, axis=2) for one in (plane, placed)]
    assert apart[0] == pytest.approx(apart[1])
    assert placed[:, 2] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
def test_known_labels_pull_classes_apart_in_umap():
    random = np.random.default_rng(0)
    points, labels = random.normal(size=(40, 5)), np.arange(40) % 2
    layout = catalog.load("layout", "umap")
    assert layout.can_be_guided

    def separation(placed):
        apart = np.linalg.norm(placed[:, None] - placed, axis=2)
        is_same = labels[:, None] == labels
        return apart[~is_same].mean() / apart[is_same].mean()

    assert separation(layout.place(points, 2, 0, labels)) > 1.3 * separation(layout.place(points, 2, 0, None))


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch):
    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(_form, "import_module", fail)
    with pytest.raises(MissingError, match=r"umap-learn is not installed: pip install 'stereokit\[label\]'"):
        catalog.load("layout", "umap").place(islands(), 2, 0, None)
