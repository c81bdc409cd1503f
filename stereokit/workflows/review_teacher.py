"""What is learned while clips are labelled: what the others probably are, and which to ask about next.

A thread of its own learns anew from all labels whenever they have changed; what it has learned last is always there.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.propagation._form import UNKNOWN
from stereokit.metrics.questions import next_questions, told_of_all
from stereokit.workflows.review_desk import Verdict

QUESTIONS = 200


@dataclass(frozen=True)
class Lesson:
    """What was learned from some labels.

    Attributes
    ----------
    number
        It grows with each lesson.
    classes
        Their names.
    told
        The number of the class that each clip probably has, -1 where nothing is told; shape (n,).
    confidence
        How sure that is, calibrated, from 0 to 1; shape (n,). A clip with a label is told without its own.
    questions
        Clips to ask about, the most useful first.
    """

    number: int
    classes: list[str]
    told: NDArray[np.int64]
    confidence: NDArray[np.float64]
    questions: NDArray[np.int64]


def learn(
    points: NDArray[np.float64], places: NDArray[np.int64], verdicts: Sequence[Verdict], *, seed: int, number: int
) -> Lesson:
    """Learn from labels.

    Parameters
    ----------
    points
        Of the clips that have a place, shape (m, d).
    places
        Which clips these are, shape (m,); the others are silent, and nothing is told or asked of them.
    verdicts
        What is known of all n clips. Only those that are open are asked about.
    seed
        Of what is drawn.
    number
        Of the lesson.
    """
    labels = [verdict.label for verdict in verdicts]
    classes = sorted({label for label in labels if label is not None})
    numbers = {name: place for place, name in enumerate(classes)}
    known = np.array([UNKNOWN if (name := labels[clip]) is None else numbers[name] for clip in places], np.int64)
    scores = told_of_all(points, known, len(classes), seed=seed)
    is_told = scores.any(axis=1)
    told, confidence = np.full(len(labels), UNKNOWN), np.zeros(len(labels))
    if is_told.any():
        told[places[is_told]], confidence[places[is_told]] = scores[is_told].argmax(axis=1), scores[is_told].max(axis=1)
    is_open = np.array([verdicts[clip].is_open for clip in places], np.bool_)
    asked = next_questions(points, known, len(classes), count=QUESTIONS, seed=seed, scores=scores, askable=is_open)
    return Lesson(number, classes, told, confidence, places[asked])


class Teacher:
    """Learns in a thread while its block lasts.

    Parameters
    ----------
    points, places, seed
        As for ``learn``.
    verdicts
        Returns what is known of all clips now.
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        places: NDArray[np.int64],
        verdicts: Callable[[], Sequence[Verdict]],
        *,
        seed: int,
    ) -> None:
        self._points, self._places, self._verdicts, self._seed = points, places, verdicts, seed
        self._changed = threading.Event()
        self._ended = False
        self._is_behind = False
        self._failure: BaseException | None = None
        self._lesson = self._learned(1)
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def lesson(self) -> Lesson:
        """The last lesson.

        Raises
        ------
        RuntimeError
            When learning has failed; decisions are kept all the same.
        """
        if self._failure is not None:
            raise RuntimeError("learning from the labels has failed") from self._failure
        return self._lesson

    def last_lesson(self) -> Lesson:
        """Return, after the block, what is learned from all labels that it has brought.

        Raises
        ------
        RuntimeError
            As ``lesson``.
        """
        if self._is_behind:
            self._is_behind = False
            self._lesson = self._learned(self._lesson.number + 1)
        return self.lesson

    def tell(self) -> None:
        """Say that labels have changed."""
        self._changed.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_behind = self._changed.is_set()
        self._ended = True
        self._changed.set()
        self._thread.join()

    def _work(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            if self._ended:
                return
            try:
                self._lesson = self._learned(self._lesson.number + 1)
            except BaseException as error:  # noqa: BLE001 - told to whoever asks for the lesson
                self._failure = error
                return

    def _learned(self, number: int) -> Lesson:
        return learn(self._points, self._places, self._verdicts(), seed=self._seed, number=number)
