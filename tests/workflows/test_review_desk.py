"""The desk of a review: whose word a label is, classes that only grow, requests that make no sense."""

from pathlib import Path

import pytest

from stereokit.data.decisions import ConflictError, Decisions
from stereokit.errors import UsageError
from stereokit.workflows.review_desk import MOST_CLASSES, Desk, ReviewClip, Verdict, class_name


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    clips = [ReviewClip(name, Path(name), given) for name, given in (("a", None), ("b", "kick"), ("c", None))]
    return Desk(clips, Decisions(tmp_path / "review.sqlite"), ["snare", "kick"])


def labels(desk: Desk) -> list[str | None]:
    return [one.label for one in desk.verdicts()]


def test_a_label_is_given_until_somebody_decides(desk):
    assert desk.verdicts()[1] == Verdict("kick", "given", None, 0)
    ((number, verdict),) = desk.decide([(1, "snare", 0)], listener="x")
    assert (number, verdict.label, verdict.provenance, verdict.number) == (1, "snare", "human", 1)
    assert verdict.decided_at is not None


def test_taking_back_brings_what_was_given(desk):
    desk.decide([(0, "snare", 0), (1, "snare", 0)], listener="x")
    desk.take_back(listener="x")
    assert [(one.label, one.provenance) for one in desk.verdicts()] == [(None, None), ("kick", "given"), (None, None)]
    assert desk.verdicts()[1].number > 0


def test_a_given_label_can_be_taken_away(desk):
    desk.decide([(1, None, 0)], listener="x")
    assert labels(desk) == [None, None, None]
    assert [one.is_open for one in desk.verdicts()] == [True, False, True]
    desk.take_back(listener="x")
    assert labels(desk) == [None, "kick", None]


def test_who_looked_too_early_is_told_and_nothing_changes(desk):
    desk.decide([(0, "kick", 0)], listener="x")
    with pytest.raises(ConflictError):
        desk.decide([(2, "kick", 0), (0, "snare", 0)], listener="y")
    assert labels(desk) == ["kick", "kick", None]


def test_classes_keep_their_places_when_more_come(desk):
    assert desk.classes == ["snare", "kick"]
    desk.add_class("  clap ")
    desk.add_class("kick")
    assert desk.classes == ["snare", "kick", "clap"]
    desk.decide([(0, "clap", 0)], listener="x")
    assert desk.classes == ["snare", "kick", "clap"]


def test_a_class_of_an_earlier_session_is_still_a_class(desk):
    desk.add_class("clap")
    desk.decide([(0, "clap", 0)], listener="x")
    assert Desk(desk.clips, desk.decisions, ["kick"]).classes == ["kick", "clap"]


@pytest.mark.parametrize("wishes", [[], [(0, "kick", 0), (0, "snare", 0)], [(0, "nothing", 0)]])
def test_what_makes_no_sense_decides_nothing(desk, wishes):
    with pytest.raises(UsageError):
        desk.decide(wishes, listener="x")
    assert desk.decisions.last() == {}


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb", "\u202eevil", "a\x1b[31m", None, 3])
def test_a_name_that_cannot_be_shown_is_no_class(desk, name):
    with pytest.raises(UsageError):
        desk.add_class(name)
    assert desk.classes == ["snare", "kick"]


def test_a_name_in_two_forms_is_one_class(desk):
    assert class_name("cafe\u0301") == class_name("caf\u00e9")


def test_there_is_an_end_to_classes(tmp_path):
    desk = Desk([], Decisions(tmp_path / "d.sqlite"), [f"c{number}" for number in range(MOST_CLASSES)])
    desk.add_class("c7")
    with pytest.raises(UsageError, match="250 classes already"):
        desk.add_class("one more")


def test_decisions_about_other_clips_are_counted_and_kept(desk):
    desk.decide([(0, "kick", 0)], listener="x")
    other = Desk(desk.clips[1:], desk.decisions, [])
    assert other.strangers == 1
    assert other.since(0) == []


def test_each_change_is_told_on(desk):
    told = []
    desk.changed = lambda: told.append(labels(desk))
    desk.decide([(0, "kick", 0)], listener="x")
    desk.take_back(listener="x")
    assert told == [["kick", "kick", None], [None, "kick", None]]


def test_more_classes_than_there_can_be_are_refused_at_once(tmp_path):
    with pytest.raises(UsageError, match="there are 251 classes: 250 at most"):
        Desk([], Decisions(tmp_path / "d.sqlite"), [f"c{number}" for number in range(MOST_CLASSES + 1)])


def test_a_class_stays_when_its_last_label_is_taken_back(desk):
    desk.decide([(0, "snare", 0)], listener="x")
    later = Desk(desk.clips, desk.decisions, ["kick"])
    later.take_back(listener="x")
    assert later.classes == ["kick", "snare"]
