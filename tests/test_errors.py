"""Statuses: what each error tells a script, and which of several wins."""

import itertools
import random

import pytest

from stereokit import errors
from stereokit.errors import STATUS_MEANINGS, Status, StereokitError, Terminated, worst

FROM_WORST_TO_BEST = [143, 130, 141, 2, 5, 75, 70, 74, 4, 1, 3, 0]


def test_statuses_are_the_numbers_that_scripts_rely_on():
    assert {status.name: int(status) for status in Status} == {
        "DONE": 0,
        "CHECK_FAILED": 1,
        "USAGE": 2,
        "SOME_FAILED": 3,
        "NOTHING_DONE": 4,
        "MISSING": 5,
        "INTERNAL": 70,
        "OUTPUT": 74,
        "LOCKED": 75,
        "INTERRUPTED": 130,
        "CLOSED_PIPE": 141,
        "TERMINATED": 143,
    }


def test_every_status_has_its_place_in_the_precedence_once_and_a_meaning():
    assert sorted(errors._PRECEDENCE) == sorted(Status)
    assert set(STATUS_MEANINGS) == set(Status)
    assert len(set(STATUS_MEANINGS.values())) == len(Status)


@pytest.mark.parametrize(("heavy", "light"), list(itertools.combinations(FROM_WORST_TO_BEST, 2)))
def test_the_heavier_of_two_statuses_wins_in_either_order(heavy: int, light: int):
    assert worst([Status(heavy), Status(light)]) == heavy
    assert worst([Status(light), Status(heavy)]) == heavy


def test_worst_takes_the_first_of_the_precedence_from_any_shuffled_many():
    shuffler = random.Random(1)  # noqa: S311
    for start in range(len(FROM_WORST_TO_BEST)):
        earned = [Status(number) for number in FROM_WORST_TO_BEST[start:]] * 2
        shuffler.shuffle(earned)
        assert worst(iter(earned)) == FROM_WORST_TO_BEST[start]


def test_a_run_that_earned_nothing_is_done():
    assert worst([]) is Status.DONE


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("StereokitError", 70),
        ("UsageError", 2),
        ("BadInputError", 4),
        ("MissingError", 5),
        ("OutputError", 74),
        ("ClosedPipeError", 141),
        ("LockedError", 75),
    ],
)
def test_an_error_knows_its_status(name: str, status: int):
    error = getattr(errors, name)("what, the value, what is allowed")
    assert isinstance(error, StereokitError)
    assert error.status == status
    assert str(error) == "what, the value, what is allowed"


def test_no_error_is_missing_from_the_test_above():
    assert {child.__name__ for child in StereokitError.__subclasses__() if child.__module__ == errors.__name__} == {
        "UsageError",
        "BadInputError",
        "MissingError",
        "OutputError",
        "ClosedPipeError",
        "LockedError",
    }


def test_a_termination_is_not_swallowed_by_code_that_catches_every_exception():
    assert not issubclass(Terminated, Exception)
