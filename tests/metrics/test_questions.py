"""Questions: spread from the first on, where classes meet later, never the same sound twice; what is told meanwhile."""

import numpy as np
import pytest

from stereokit.metrics import questions
from stereokit.metrics.propagation._form import UNKNOWN
from stereokit.metrics.questions import next_questions, told_of_all

ISLANDS, EACH = 5, 30


@pytest.fixture(scope="module")
def islands() -> np.ndarray:
    random = np.random.default_rng(0)
    return np.repeat(20.0 * np.eye(ISLANDS, 6), EACH, axis=0) + random.normal(size=(ISLANDS * EACH, 6))


TRUTH = np.arange(ISLANDS * EACH) // EACH


def known(*clips: int) -> np.ndarray:
    labels = np.full(ISLANDS * EACH, UNKNOWN)
    labels[list(clips)] = TRUTH[list(clips)]
    return labels


def nothing(count: int) -> np.ndarray:
    return np.full(count, UNKNOWN)


def asked(points: np.ndarray, labels: np.ndarray, classes: int = ISLANDS, **fields) -> list[int]:
    settings = {"count": 10, "seed": 0} | fields
    return next_questions(points, labels, classes, **settings).tolist()


def test_without_a_label_the_first_questions_land_on_every_island(islands):
    assert set(TRUTH[asked(islands, known(), 0, count=ISLANDS)]) == set(range(ISLANDS))


def test_islands_of_every_size_are_found_the_largest_first(islands):
    few = np.concatenate([islands[:EACH], islands[EACH : EACH + 8], islands[2 * EACH : 2 * EACH + 3]])
    sizes = np.repeat([0, 1, 2], [EACH, 8, 3])
    assert sizes[asked(few, nothing(len(few)), 0, count=3)].tolist() == [0, 1, 2]


def test_the_first_question_is_typical():
    cloud = np.random.default_rng(0).normal(size=(200, 4))
    apart = np.linalg.norm(cloud - cloud.mean(axis=0), axis=1)
    assert apart[asked(cloud, nothing(200), 0, count=1)[0]] < np.quantile(apart, 0.05)


def test_islands_without_a_label_are_asked_about_before_those_with_one(islands):
    labels = known(0, 1, EACH, EACH + 1)
    assert set(TRUTH[asked(islands, labels, 2, count=ISLANDS - 2)]) == set(range(2, ISLANDS))


def test_where_classes_meet_is_asked_about_before_their_middles():
    line = np.linspace(-1.0, 1.0, 201)[:, None]
    labels = nothing(201)
    labels[::10] = line[::10, 0] > 0.05
    places = np.abs(line[asked(line, labels, 2, count=4), 0] - 0.05)
    assert places.max() < 0.25


def test_scores_that_are_given_say_what_is_doubtful(islands):
    labels = known(*range(0, ISLANDS * EACH, 10))
    scores = np.eye(ISLANDS)[TRUTH]
    scores[TRUTH == 3] = 1.0 / ISLANDS
    assert set(TRUTH[asked(islands, labels, scores=scores, count=3)]) == {3}
    # of a clip of which nothing is told all is in doubt
    scores[TRUTH == 3] = 0.0
    assert set(TRUTH[asked(islands, labels, scores=scores, count=3)]) == {3}


def test_labelled_clips_and_those_that_may_not_be_asked_about_are_left_out(islands):
    labels = known(*range(0, ISLANDS * EACH, 3))
    askable = np.arange(ISLANDS * EACH) % 3 != 1
    chosen = asked(islands, labels, askable=askable, count=ISLANDS * EACH)
    assert sorted(chosen) == list(range(2, ISLANDS * EACH, 3))


def test_the_same_sound_is_never_asked_about_twice(islands):
    twice = np.concatenate([islands[:40], islands[:40]])
    chosen = asked(twice, nothing(80), 0, count=80)
    assert sorted(one % 40 for one in chosen) == list(range(40))
    assert len(asked(np.ones((7, 3)), nothing(7), 0)) == 1
    assert len(asked(np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), nothing(3), 0)) == 3


def test_what_is_nearly_the_same_sound_is_asked_about_late(islands):
    near = np.concatenate([islands[::3], islands[::3] + 1e-6])
    assert len({one % 50 for one in asked(near, nothing(100), 0, count=25)}) == 25


def test_a_list_of_questions_begins_with_a_shorter_one(islands):
    labels = known(3, 40, 77, 100, 130)
    assert asked(islands, labels, count=25)[:7] == asked(islands, labels, count=7)


def test_each_question_is_sought_as_if_those_before_it_had_been_answered(islands):
    # before two classes are known, what is answered does not matter, only what is asked
    whole = asked(islands, known(), 1, count=6)
    labels = np.full(ISLANDS * EACH, UNKNOWN)
    for clip in whole:
        assert asked(islands, labels, 1, count=1) == [clip]
        labels[clip] = 0


@pytest.fixture
def _small_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_POOL", 50)
    monkeypatch.setattr(questions, "_MOST_DOUBTFUL", 20)


@pytest.mark.usefixtures("_small_pool")
def test_large_sets_are_drawn_from_by_the_seed_and_the_most_doubtful_clips_are_among_them():
    points = np.random.default_rng(0).normal(size=(400, 2))
    labels = nothing(400)
    labels[:2] = 0, 1
    scores = np.tile([1.0, 0.0], (400, 1))
    scores[100:115] = 0.5
    chosen = [asked(points, labels, 2, seed=seed, scores=scores, count=400) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    for one in chosen:
        assert len(one) == len(set(one)) == 70
        assert set(range(100, 115)) <= set(one)
    assert len(asked(points, nothing(400), 0, count=400)) == 70


@pytest.mark.usefixtures("_small_pool")
def test_the_most_doubtful_of_a_large_set_are_not_many_for_being_looked_at():
    # two islands, one of twenty clips that are all in doubt and one of many that are less so, and labels elsewhere
    places = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]], [20, 380, 1, 1], axis=0)
    points = places + np.random.default_rng(0).normal(size=places.shape) / 9.0
    labels = np.append(nothing(400), [0, 1])
    scores = np.tile([0.95, 0.05], (402, 1))
    scores[:20] = 0.5
    assert asked(points, labels, 2, scores=scores, count=1)[0] >= 20


def test_far_from_all_labels_all_is_in_doubt_however_common_a_class_is(islands):
    # eight labels on two near islands, seven of them of one class; nobody knows what is on the third
    labels = known(0, 1, 2, 3, 4, 5, 6)
    labels[EACH] = 1
    assert TRUTH[asked(islands[: 3 * EACH], labels[: 3 * EACH], 2, count=1)[0]] == 2


@pytest.mark.parametrize("labels", [[], [UNKNOWN], [0], [UNKNOWN, 0], [0, 0]])
def test_fewer_clips_than_are_asked_for_give_what_there_is(labels):
    points = np.arange(len(labels), dtype=np.float64).reshape(-1, 1)
    chosen = asked(points, np.array(labels, np.int64), 1)
    assert chosen == [place for place, label in enumerate(labels) if label == UNKNOWN]
    assert asked(points, np.array(labels, np.int64), 1, count=0) == []


def test_nothing_is_told_before_two_classes_are_known(islands):
    for labels in (known(), known(0), known(0, 1, 2)):
        assert told_of_all(islands, labels, ISLANDS).tolist() == np.zeros((ISLANDS * EACH, ISLANDS)).tolist()
    assert told_of_all(islands, known(), 0).shape == (ISLANDS * EACH, 0)


def test_answered_questions_tell_all_others(islands):
    labels = known(*asked(islands, known(), 0, count=2 * ISLANDS))
    told = told_of_all(islands, labels, ISLANDS + 1)
    assert np.allclose(told.sum(axis=1), 1.0)
    # a class without a label is never told
    assert told.argmax(axis=1).tolist() == TRUTH.tolist()


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"labels": [5, -1]}, "labels from -1 to 5"),
        ({"labels": [-2, 0]}, "labels from -2"),
        ({"labels": [0]}, "as many labels"),
        ({"askable": np.ones(3, np.bool_)}, "as many"),
        ({"scores": np.ones((2, 3))}, "scores of shape"),
        ({"points": np.array([[0.0], [np.nan]])}, "finite"),
        ({"points": np.zeros(2)}, "shape"),
    ],
)
def test_what_does_not_agree_is_refused(fields, what):
    given = {"points": np.zeros((2, 1)), "labels": [0, -1], "classes": 2, "count": 1, "seed": 0} | fields
    points, labels, classes = given.pop("points"), np.array(given.pop("labels"), np.int64), given.pop("classes")
    with pytest.raises(ValueError, match=what):
        next_questions(points, labels, classes, **given)
