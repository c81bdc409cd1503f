"""Decisions of listeners: nothing is lost, nobody overwrites another, all can be taken back."""

import sqlite3
from pathlib import Path

import pytest

from stereokit.data.decisions import ConflictError, Decisions, Wish
from stereokit.errors import BadInputError, OutputError, UsageError


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    return Decisions(tmp_path / "review.sqlite")


def labels(decisions: Decisions) -> dict[str, str | None]:
    return {clip: one.label for clip, one in decisions.last().items()}


def decide(decisions: Decisions, listener: str = "a", **wanted: str | None) -> None:
    last = decisions.last()
    wishes = [Wish(clip, label, last[clip].number if clip in last else 0) for clip, label in wanted.items()]
    decisions.decide(wishes, listener=listener)


def test_what_was_decided_is_there_when_the_file_is_opened_again(decisions, tmp_path):
    decide(decisions, k="kick", s="snare")
    decide(decisions, k="tom")
    again = Decisions(tmp_path / "review.sqlite")
    assert labels(again) == {"k": "tom", "s": "snare"}
    assert again.last() == decisions.last()


def test_who_has_not_seen_the_last_decision_changes_nothing(decisions):
    decide(decisions, k="kick")
    with pytest.raises(ConflictError) as raised:
        decisions.decide([Wish("s", "snare", 0), Wish("k", "tom", 0)], listener="b")
    assert [(one.clip, one.label) for one in raised.value.decisions] == [("k", "kick")]
    assert labels(decisions) == {"k": "kick"}


def test_taking_back_goes_step_by_step_to_the_very_start(decisions, tmp_path):
    decide(decisions, k="kick")
    decide(decisions, k="tom", s="snare")
    decide(decisions, k="clap")
    seen = []
    while decisions.take_back(listener="a"):
        seen.append(labels(decisions))
    assert seen == [{"k": "tom", "s": "snare"}, {"k": "kick", "s": None}, {"k": None, "s": None}]
    assert {clip: one.state for clip, one in Decisions(tmp_path / "review.sqlite").last().items()} == {"k": 0, "s": 0}


def test_what_was_taken_back_can_be_decided_and_taken_back_again(decisions):
    decide(decisions, k="kick")
    decisions.take_back(listener="a")
    decide(decisions, k="tom")
    decide(decisions, k="clap")
    decisions.take_back(listener="a")
    assert labels(decisions) == {"k": "tom"}
    decisions.take_back(listener="a")
    assert labels(decisions) == {"k": None}
    assert decisions.take_back(listener="a") == []


def test_nobody_takes_back_what_another_decided(decisions):
    decide(decisions, listener="a", k="kick", s="snare")
    decide(decisions, listener="b", k="tom")
    assert [one.clip for one in decisions.take_back(listener="a")] == ["s"]
    assert labels(decisions) == {"k": "tom", "s": None}
    decisions.take_back(listener="b")
    assert labels(decisions) == {"k": "kick", "s": None}


def test_a_label_has_the_time_at_which_it_was_given_also_after_others_were_taken_back(decisions, tmp_path, monkeypatch):
    times = iter(["t1", "t2", "t3"])
    monkeypatch.setattr("stereokit.data.decisions._now", lambda: next(times))
    decide(decisions, k="kick")
    decide(decisions, k="tom")
    decisions.take_back(listener="a")
    assert decisions.last()["k"].decided_at == "t1"
    assert Decisions(tmp_path / "review.sqlite").last()["k"].decided_at == "t1"


def test_since_tells_what_is_new(decisions):
    decide(decisions, k="kick", s="snare")
    decide(decisions, k="tom")
    assert [(one.clip, one.number) for one in decisions.since(1)] == [("s", 2), ("k", 3)]
    assert decisions.since(3) == []


def test_classes_keep_their_order_and_are_there_once(decisions):
    for name in ("snare", "kick", "snare"):
        decisions.add_class(name)
    assert decisions.classes() == ["snare", "kick"]


def test_another_programs_file_is_refused_and_stays_as_it_is(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"other\.sqlite: is no list of decisions"):
        Decisions(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(tmp_path):
    path = tmp_path / "kick.wav"
    path.write_bytes(b"RIFF" * 400)
    with pytest.raises(BadInputError, match="is no list of decisions, or damaged"):
        Decisions(path)
    assert path.read_bytes() == b"RIFF" * 400


def test_a_file_of_ours_that_holds_something_else_is_refused(decisions, tmp_path):
    decide(decisions, k="kick")
    decisions.close()
    with sqlite3.connect(tmp_path / "review.sqlite") as connection:
        connection.execute("UPDATE decisions SET label = x'00ff'")
    with pytest.raises(BadInputError, match=r"review\.sqlite: is damaged: decision 1 is not what it should be"):
        Decisions(tmp_path / "review.sqlite")


def test_a_file_that_cannot_be_written_is_told_before_anything_is_decided(decisions, tmp_path):
    decide(decisions, k="kick")
    decisions.check_writable()
    # where SQLite's journal has to be
    (tmp_path / "review.sqlite-journal").mkdir()
    with pytest.raises(OutputError, match=r"cannot use .*review\.sqlite"):
        decisions.check_writable()
    assert labels(decisions) == {"k": "kick"}
