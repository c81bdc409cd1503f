"""What every propagation promises, and what each answers where the answer is known."""

import numpy as np
import pytest

from stereokit import catalog
from stereokit.metrics.propagation._form import UNKNOWN, Known
from stereokit.metrics.propagation._neighbours import nearest, voters_of

METHODS = catalog.names("propagation")


def islands(*, each: int = 12, labelled: int = 4, seed: int = 0) -> tuple[Known, np.ndarray]:
    """Three islands far from each other, a class each, of which the first few clips have labels."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(3), each)
    points = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])[truth] + random.normal(size=(3 * each, 2))
    labels = np.where(np.arange(3 * each) % each < labelled, truth, UNKNOWN)
    predicted = np.full((3 * each, 3), 1.0 / 3.0)
    return Known(points, labels, 3, neighbours=6, radius=20.0, predicted=predicted), truth


def changed(known: Known, **fields: object) -> Known:
    return Known(**{**vars(known), **fields})


@pytest.mark.parametrize("name", METHODS)
def test_islands_take_the_label_that_lies_on_them(name: str) -> None:
    known, truth = islands()
    told = catalog.load("propagation", name).tell(known)
    sums = told.scores.sum(axis=1)
    assert np.allclose(sums[sums > 0.0], 1.0)
    assert (sums > 0.0).mean() > 0.9
    assert (told.scores.argmax(axis=1) == truth)[sums > 0.0].all()
    named = told.voters != UNKNOWN
    assert named.any(axis=1)[sums > 0.0].mean() > 0.9
    rows, columns = np.nonzero(named)
    voters = told.voters[rows, columns]
    assert (known.labels[voters] == truth[rows]).all()
    assert (voters != rows).all()


@pytest.mark.parametrize("name", METHODS)
def test_what_is_told_of_a_labelled_clip_does_not_depend_on_its_own_label(name: str) -> None:
    known, truth = islands()
    lie = known.labels.copy()
    lie[0] = 1
    told = catalog.load("propagation", name).tell(changed(known, labels=lie))
    assert told.scores[0].argmax() == truth[0]
    assert 0 not in told.voters[0]


@pytest.mark.parametrize("name", METHODS)
def test_equal_points_two_clips_and_a_class_of_one_are_no_trouble(name: str) -> None:
    method = catalog.load("propagation", name)
    for count in (2, 7):
        labels = np.full(count, UNKNOWN)
        labels[:2] = 0, 1
        known = Known(np.ones((count, 3)), labels, 2, predicted=np.full((count, 2), 0.5))
        told = method.tell(known)
        assert np.isfinite(told.scores).all()
        assert told.scores.shape == (count, 2)


def test_among_nearest_is_silent_where_no_label_is_near_and_nearest_labelled_is_not() -> None:
    known, _ = islands(labelled=4)
    nobody = np.where(np.arange(36) < 12, UNKNOWN, known.labels)
    lonely = changed(known, labels=nobody)
    among = catalog.load("propagation", "among-nearest").tell(lonely)
    assert (among.scores[:12] == 0.0).all()
    assert (among.voters[:12] == UNKNOWN).all()
    assert (catalog.load("propagation", "nearest-labelled").tell(lonely).scores[:12].sum(axis=1) > 0.0).all()


def test_the_weightiest_voters_are_named_first_and_equal_ones_in_their_order() -> None:
    found = np.array([[7, 5, 6, 8], [7, 5, 6, 8], [7, 5, 6, 8]])
    weights = np.array([[1.0, 3.0, 3.0, 2.0], [0.0, 9.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    is_voter = np.array([[True, True, True, True], [True, False, True, False], [False, False, False, False]])
    assert voters_of(found, weights, is_voter).tolist() == [[5, 6, 8], [6, 7, -1], [-1, -1, -1]]
    assert voters_of(found[:, :2], weights[:, :2], is_voter[:, :2]).tolist() == [[5, 7], [7, -1], [-1, -1]]


def test_votes_are_summed_and_softmaxed() -> None:
    # two neighbours of class 0 at distance 1 and one of class 1 at distance 2, which is the scale
    points = np.array([[0.0], [1.0], [-1.0], [2.0]])
    known = Known(points, np.array([UNKNOWN, 0, 0, 1]), 2, neighbours=3)
    told = catalog.load("propagation", "nearest-labelled").tell(known)
    # the farthest neighbours of the labelled lie at 2, 3 and 3
    sums = np.array([2.0 * np.exp(-1.0 / 3.0), np.exp(-2.0 / 3.0)])
    assert told.scores[0] == pytest.approx(np.exp(sums) / np.exp(sums).sum())
    assert told.voters[0].tolist() == [1, 2, UNKNOWN]


def test_only_labels_inside_the_radius_vote() -> None:
    points = np.array([[0.0], [1.0], [5.0], [5.5]])
    known = Known(points, np.array([UNKNOWN, 0, 1, 1]), 2, radius=2.0)
    told = catalog.load("propagation", "radius").tell(known)
    assert told.voters[0].tolist()[0] == 1
    assert told.scores[0, 0] > 0.5
    assert (catalog.load("propagation", "radius").tell(changed(known, radius=0.5)).scores[0] == 0.0).all()


def test_a_classifier_decides_where_its_word_weighs_enough() -> None:
    known, _ = islands()
    wrong = np.tile([0.0, 0.0, 1.0], (36, 1))
    assisted = catalog.load("propagation", "assisted")
    light = assisted.tell(changed(known, predicted=wrong, predicted_weight=0.01))
    heavy = assisted.tell(changed(known, predicted=wrong, predicted_weight=10.0))
    assert (light.scores[:12].argmax(axis=1) == 0).all()
    assert (heavy.scores.argmax(axis=1) == 2).all()
    with pytest.raises(ValueError, match="classifier"):
        assisted.tell(changed(known, predicted=None))


def test_labels_flow_along_a_chain_and_stop_where_it_is_broken() -> None:
    chain = np.concatenate([np.arange(20.0), 100.0 + np.arange(20.0)])[:, None]
    labels = np.full(40, UNKNOWN)
    labels[[0, 1, 38, 39]] = 0, 0, 1, 1
    told = catalog.load("propagation", "spreading").tell(Known(chain, labels, 2, neighbours=2))
    assert (told.scores[2:20].argmax(axis=1) == 0).all()
    assert (told.scores[20:38].argmax(axis=1) == 1).all()
    assert (told.scores[2:20, 1] == 0.0).all()


def test_the_kernel_machine_leaves_out_exactly() -> None:
    known, _ = islands(each=6, labelled=6, seed=3)
    noisy = known.labels.copy()
    noisy[[0, 7]] = 2, 0
    method = catalog.load("propagation", "kernel-machine")
    told = method.tell(changed(known, labels=noisy))
    # the function of class 2 does not see that clip 0 is said to be of it
    assert told.scores[0].argmax() == 0
    assert told.scores[7].argmax() == 1


def test_nearest_are_the_nearest_in_order_never_oneself() -> None:
    points = np.random.default_rng(0).normal(size=(50, 4))
    candidates = np.arange(0, 50, 2)
    found, distances = nearest(points, candidates, 5)
    for row in range(50):
        others = [one for one in candidates if one != row]
        apart = np.linalg.norm(points[others] - points[row], axis=1)
        order = np.argsort(apart)[:5]
        assert found[row].tolist() == [others[one] for one in order]
        assert distances[row] == pytest.approx(apart[order])


def test_missing_neighbours_are_infinitely_far() -> None:
    found, distances = nearest(np.zeros((2, 1)), np.array([0]), 3)
    assert found.tolist() == [[-1, -1, -1], [0, -1, -1]]
    assert np.isinf(distances[0]).all()
