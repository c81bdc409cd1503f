"""The teacher of a review: tells the rest from few labels, asks about what it does not know, learns when told to."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from stereokit.workflows.review_desk import Verdict
from stereokit.workflows.review_teacher import Teacher, learn

GROUPS, EACH = 3, 20
TRUTH = [f"class {number // EACH}" for number in range(GROUPS * EACH)]


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    random = np.random.default_rng(0)
    centres = 10.0 * np.eye(GROUPS, 5)
    return np.repeat(centres, EACH, axis=0) + random.normal(size=(GROUPS * EACH, 5))


def verdict(label: str | None, *, is_passed: bool = False) -> Verdict:
    return Verdict(label, "human" if is_passed or label is not None else None, None, 0)


def known(*clips: int, passed: Sequence[int] = ()) -> list[Verdict]:
    return [verdict(TRUTH[clip] if clip in clips else None, is_passed=clip in passed) for clip in range(len(TRUTH))]


PLACES = np.arange(GROUPS * EACH)


def test_without_a_label_nothing_is_told_and_all_groups_are_asked_about(points):
    lesson = learn(points, PLACES, known(), seed=0, number=1)
    assert (lesson.classes, set(lesson.told.tolist())) == ([], {-1})
    assert {TRUTH[clip] for clip in lesson.questions[:GROUPS]} == set(TRUTH)


def test_one_class_alone_tells_nothing(points):
    lesson = learn(points, PLACES, known(0, 1), seed=0, number=1)
    assert lesson.classes == ["class 0"]
    assert set(lesson.told.tolist()) == {-1}
    assert not set(lesson.questions.tolist()) & {0, 1}


def test_a_few_labels_tell_the_rest(points):
    lesson = learn(points, PLACES, known(0, 1, 20, 21, 40, 41), seed=0, number=1)
    assert [lesson.classes[one] for one in lesson.told] == TRUTH
    assert ((lesson.confidence > 0.0) & (lesson.confidence <= 1.0)).all()


def test_clips_without_a_place_are_neither_told_nor_asked_about(points):
    places = PLACES[PLACES % 2 == 0]
    lesson = learn(points[places], places, known(0, 20, 40), seed=0, number=1)
    assert (lesson.told[1::2] == -1).all()
    assert (lesson.told[places] >= 0).all()
    assert (lesson.questions % 2 == 0).all()


def test_what_was_passed_is_not_asked_about_again_but_told(points):
    lesson = learn(points, PLACES, known(0, 20, 40, passed=range(1, 15)), seed=0, number=1)
    assert not set(range(1, 15)) & set(lesson.questions.tolist())
    assert {lesson.classes[one] for one in lesson.told[1:15]} == {"class 0"}


def test_the_same_labels_teach_the_same(points):
    first, second = (learn(points, PLACES, known(0, 20, 40), seed=1, number=1) for _ in range(2))
    assert np.array_equal(first.questions, second.questions)
    assert np.array_equal(first.confidence, second.confidence)


def test_a_teacher_learns_anew_when_it_is_told_to(points):
    labels = known()
    asked = threading.Semaphore(0)

    def now() -> Sequence[Verdict]:
        asked.release()
        return list(labels)

    with Teacher(points, PLACES, now, seed=0) as teacher:
        assert teacher.lesson.number == 1
        for clip in (0, 20, 40):
            labels[clip] = verdict(TRUTH[clip])
        teacher.tell()
        assert asked.acquire(timeout=10)
        assert asked.acquire(timeout=10)
    # its block waits for the lesson under way
    assert teacher.lesson.number == 2
    assert teacher.lesson.classes == sorted(set(TRUTH))


def test_the_last_lesson_knows_all_labels_also_those_that_came_while_it_learned(points):
    labels, learning, go_on = known(), threading.Event(), threading.Event()

    def now() -> Sequence[Verdict]:
        found = list(labels)
        if threading.current_thread() is not threading.main_thread():
            learning.set()
            go_on.wait(10)
        return found

    with Teacher(points, PLACES, now, seed=0) as teacher:
        teacher.tell()
        learning.wait(10)
        for clip in (0, 20, 40):
            labels[clip] = verdict(TRUTH[clip])
        teacher.tell()
        threading.Timer(0.2, go_on.set).start()
    assert teacher.last_lesson().classes == sorted(set(TRUTH))


def test_a_lesson_that_fails_is_told_to_who_asks(points):
    calls = []

    def broken() -> Sequence[Verdict]:
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("no labels")
        return known()

    with Teacher(points, PLACES, broken, seed=0) as teacher:
        teacher.tell()
        teacher._thread.join(timeout=10)
        with pytest.raises(RuntimeError, match="learning from the labels has failed"):
            _ = teacher.lesson
