import re

import numpy as np
import pytest

from stereokit import catalog
from stereokit.errors import BadInputError, MissingError, UsageError
from stereokit.metrics.layouts import _form
from stereokit.metrics.layouts._near import memberships, near_their_like, nearest

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
    placed = catalog.load("layout", name).place(points, dimensions).places
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
    placed = layout.place(equal, 2, 5).places
    assert np.isfinite(placed).all()
    assert np.array_equal(placed, layout.place(equal, 2, 5).places)
    assert np.isfinite(layout.place(np.ones((8, 3))).places).all()


@pytest.mark.parametrize("name", SEARCHED)
def test_too_few_points_are_refused_and_five_are_enough(name):
    layout = catalog.load("layout", name)
    assert np.isfinite(layout.place(islands()[:5]).places).all()
    with pytest.raises(BadInputError, match="5 clips or more, not of 4"):
        layout.place(islands()[:4])


def test_principal_maps_keep_distances_on_a_plane_and_fill_missing_dimensions_with_zeros():
    plane = np.random.default_rng(0).normal(size=(9, 2)) @ np.array([[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]])
    placed = catalog.load("layout", "pca").place(plane, 3).places
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

    assert separation(layout.place(points, labels=labels).places) > 1.3 * separation(layout.place(points).places)


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch):
    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(_form, "import_module", fail)
    with pytest.raises(MissingError, match=r"umap-learn is not installed: pip install 'stereokit\[label\]'"):
        catalog.load("layout", "umap").place(islands())


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("pca", {"neighbours": 3}, "--neighbours: pca has no parameters"),
        ("umap", {"perplexity": 3}, "--perplexity: umap has --neighbours and --min-distance"),
        ("umap", {"neighbours": 1}, "--neighbours 1: must be a whole number from 2 to 1000"),
        ("umap", {"neighbours": 2.5}, "--neighbours 2.5: must be a whole number from 2 to 1000"),
        ("tsne", {"perplexity": float("nan")}, "--perplexity nan: must be from 1 to 1000"),
        ("tsne", {"min-distance": 0.5}, "--min-distance: tsne has --perplexity"),
    ],
)
def test_a_parameter_that_a_layout_has_not_or_may_not_have_is_refused(name, given, told):
    with pytest.raises(UsageError, match=f"^{re.escape(told)}$"):
        catalog.load("layout", name).place(islands(), given=given)


@pytest.mark.parametrize("name", catalog.names("layout"))
def test_defaults_are_values_that_are_allowed_and_labels_need_a_layout_that_can_be_guided(name):
    layout = catalog.load("layout", name)
    assert layout.name == name
    defaults = {parameter.name: parameter.default for parameter in layout.parameters}
    assert layout.values({}) == layout.values(defaults) == defaults
    if not layout.can_be_guided:
        with pytest.raises(UsageError, match=f"^{name} cannot be guided by labels$"):
            layout.place(islands(), labels=np.zeros(24, np.int64))


def test_what_a_parameter_became_of_few_points_is_told():
    layout, points = catalog.load("layout", "tsne"), islands()
    assert layout.place(points, given={"perplexity": 5.0}).values == {"perplexity": 5.0}
    assert layout.place(points[:7]).values == {"perplexity": 2.0}


def test_principal_maps_place_more_by_their_own_axes():
    layout, points = catalog.load("layout", "pca"), np.random.default_rng(0).normal(size=(30, 4))
    drawn = layout.place(points)
    assert np.array_equal(layout.place_more(points, drawn, points[3:5]), drawn.places[3:5])
    middle = layout.place_more(points, drawn, points.mean(axis=0, keepdims=True))
    assert middle == pytest.approx(np.zeros((1, 2)), abs=1e-12)


class TestMoreNearTheirLike:
    POINTS = islands()
    PLACES = np.random.default_rng(1).normal(size=(24, 2))

    def test_a_point_of_the_map_has_exactly_its_place(self):
        assert np.array_equal(near_their_like(self.POINTS, self.PLACES, self.POINTS), self.PLACES)
        shaken = self.POINTS * (1.0 + 1e-7)
        assert np.array_equal(near_their_like(self.POINTS, self.PLACES, shaken), self.PLACES)

    def test_a_point_between_two_lies_between_them_and_nearer_to_the_nearer(self):
        points, places = np.array([[0.0], [1.0]]), np.array([[0.0, 5.0], [1.0, 7.0]])
        (halfway, nearer) = near_their_like(points, places, np.array([[0.5], [0.9]]))
        assert halfway == pytest.approx([0.5, 6.0])
        assert places[1, 0] > nearer[0] >= 0.5

    def test_a_point_near_one_island_lies_among_its_places(self):
        placed = near_their_like(self.POINTS, self.PLACES + 100.0 * (self.POINTS[:, :1] > 50.0), self.POINTS + 0.1)
        assert (placed[:12] < 50.0).all()
        assert (placed[12:] > 50.0).all()

    def test_one_known_point_gives_all_others_its_place(self):
        assert near_their_like(np.ones((1, 3)), np.array([[2.0, 3.0]]), np.eye(3)).tolist() == [[2.0, 3.0]] * 3

    def test_the_nearest_are_found_in_order_and_memberships_add_up_to_the_logarithm(self):
        numbers, distances = nearest(self.POINTS, self.POINTS[:3] + 0.01, 8)
        apart = np.linalg.norm(self.POINTS[:3, None] + 0.01 - self.POINTS, axis=2)
        assert np.array_equal(numbers, np.argsort(apart, axis=1)[:, :8])
        assert distances == pytest.approx(np.sort(apart, axis=1)[:, :8])
        weights = memberships(distances)
        assert weights[:, 0].tolist() == [1.0, 1.0, 1.0]
        assert weights.sum(axis=1) == pytest.approx(3.0)
