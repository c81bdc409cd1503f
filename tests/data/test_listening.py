"""A study's file: what was answered stays, and another study is not taken for it."""

import sqlite3
from pathlib import Path

import pytest

from stereokit.data.listening import Listening, existing
from stereokit.data.study import AnsweredError, StudyPair, Turn
from stereokit.errors import BadInputError, UsageError

PAIR = StudyPair(("1.wav", "1.wav"), ("aa", "bb"), (-3.5, 0.0), 44_100)
WITH_REFERENCE = StudyPair(("2.wav", "2.wav", "2.flac"), ("cc", "dd", "ee"), (0.0, -1.0, -2.0), 8_000)
TURNS = [Turn(1, is_control=False, is_a_first=True), Turn(0, is_control=False, is_a_first=False)]
DESCRIPTION = {"a": "/one", "b": "/two", "reference": None, "seed": 0}


@pytest.fixture
def file(tmp_path: Path):
    opened = Listening(tmp_path / "study.sqlite")
    opened.begin(DESCRIPTION, [PAIR, WITH_REFERENCE])
    yield opened
    opened.close()


def test_pairs_and_words_come_back_as_they_were(file: Listening):
    assert file.pairs() == [PAIR, WITH_REFERENCE]
    assert file.description() == DESCRIPTION


def test_a_listener_gets_trials_that_are_theirs_and_tell_nothing(file: Listening):
    ann, bob = file.join("Ann", "musicians", TURNS), file.join("Bob", None, TURNS[::-1])
    assert [trial.turn for trial in file.trials(ann.number)] == TURNS
    assert [trial.turn for trial in file.trials(bob.number)] == TURNS[::-1]
    tokens = [trial.token for trial in file.trials()] + [ann.token, bob.token]
    assert len(set(tokens)) == len(tokens)
    assert min(map(len, tokens)) >= 16
    assert file.listener_of(ann.token) == ann
    assert [one.group for one in file.listeners()] == ["musicians", None]


def test_who_joins_again_goes_on_with_their_own_trials(file: Listening):
    ann = file.join("Ann", "musicians", TURNS)
    assert file.join("Ann", "others", TURNS[::-1]) == ann
    assert [trial.turn for trial in file.trials(ann.number)] == TURNS


def test_the_first_answer_stays_in_the_file_of_another_reader_too(file: Listening):
    ann = file.join("Ann", None, TURNS)
    token = file.trials(ann.number)[0].token
    file.answer(token, "a")
    with pytest.raises(AnsweredError):
        file.answer(token, "b")
    other = existing(file.path)
    assert [trial.answer for trial in other.trials(ann.number)] == ["a", None]
    other.close()


@pytest.mark.parametrize(
    ("description", "pairs", "said"),
    [
        (DESCRIPTION | {"seed": 1}, [PAIR, WITH_REFERENCE], "a study with seed 0, this one has 1"),
        (DESCRIPTION | {"reference": "/x"}, [PAIR, WITH_REFERENCE], 'a study with reference none, this one has "/x"'),
        (DESCRIPTION, [PAIR], r"a study of other pairs \(2, here 1\)"),
        (
            DESCRIPTION,
            [StudyPair(PAIR.names, ("aa", "zz"), PAIR.gains_db, 44_100), WITH_REFERENCE],
            "1.wav was another sound",
        ),
    ],
)
def test_another_study_is_told_apart(file: Listening, description, pairs, said: str):
    with pytest.raises(UsageError, match=said):
        file.begin(description, pairs)
    assert file.description() == DESCRIPTION
    assert file.pairs() == [PAIR, WITH_REFERENCE]


def test_the_same_study_goes_on(file: Listening):
    ann = file.join("Ann", None, TURNS)
    file.begin(DESCRIPTION, [PAIR, WITH_REFERENCE])
    assert file.listeners() == [ann]


def test_a_file_that_is_none_is_refused_and_left_alone(tmp_path: Path):
    for name in ("missing.sqlite", "empty.sqlite"):
        (tmp_path / "empty.sqlite").touch()
        with pytest.raises(UsageError, match="no study was begun there"):
            existing(tmp_path / name)
    assert not (tmp_path / "missing.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("a diary, longer than the header of a database would be, not to be lost")
    with pytest.raises(BadInputError, match=r"text\.sqlite"):
        existing(tmp_path / "text.sqlite")
    foreign = sqlite3.connect(tmp_path / "other.sqlite")
    foreign.execute("CREATE TABLE mail (text)")
    foreign.close()
    with pytest.raises(UsageError, match="is no listening study of stereokit"):
        Listening(tmp_path / "other.sqlite")
