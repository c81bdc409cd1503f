"""What listeners may ask of a study, and what they cannot learn from it."""

import json
from pathlib import Path

import pytest
import soundfile
from toy_study import LEVELS, folders, held, ready, word_for

from stereokit.data.study import AnsweredError
from stereokit.errors import BadInputError, UsageError
from stereokit.workflows.score_listen_settings import NEAREST, PREFER, ListenSettings
from stereokit.workflows.score_listen_study import Study, UnknownError

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def study(tmp_path: Path):
    with held(folders(tmp_path), controls=1) as made:
        yield made


def test_a_listener_goes_through_all_trials_and_is_done(study: Study):
    state = study.join({"name": " Ann ", "group": "musicians"})
    assert (state["name"], state["group"], state["answered"], state["total"]) == ("Ann", "musicians", 0, 5)
    for number in range(5):
        assert study.state(state["listener"])["answered"] == number
        study.answer({"trial": study.state(state["listener"])["trial"], "answer": "1"})
    last = study.state(state["listener"])
    assert (last["trial"], last["answered"]) == (None, 5)


def test_answers_mean_sides_and_not_places(study: Study):
    study.join({"name": "Ann"})
    for trial in study.file.trials():
        study.answer({"trial": trial.token, "answer": word_for(trial, "b")})
    assert {trial.answer for trial in study.file.trials()} == {"b"}
    assert len({word_for(trial, "b") for trial in study.file.trials()}) == 2


def test_nothing_that_a_page_gets_tells_a_side(study: Study):
    state = study.join({"name": "Ann"})
    told = json.dumps([study.words(), state, study.state(state["listener"])])
    assert not any(word in told for word in [*LEVELS, "take", "is_a_first", "gain"])
    for trial in study.file.trials():
        first, second, reference = (study.sound(trial.token, which) for which in ("1", "2", "x"))
        assert first[:44] == second[:44] == reference[:44]
        assert first != second


def test_a_sound_is_the_side_that_the_trial_says(study: Study):
    study.join({"name": "Ann"})
    by_side: dict[tuple[int, str], set[bytes]] = {}
    for trial in study.file.trials():
        sides = "ab" if trial.turn.is_a_first else "ba"
        for which, side in zip("12", sides, strict=True):
            by_side.setdefault((trial.turn.pair, side), set()).add(study.sound(trial.token, which))
    assert len(by_side) == 8
    assert all(len(contents) == 1 for contents in by_side.values())


def test_an_answer_stays_and_later_trials_wait(study: Study):
    state = study.join({"name": "Ann"})
    first, second = study.file.trials()[:2]
    with pytest.raises(BadInputError, match="comes later"):
        study.answer({"trial": second.token, "answer": "1"})
    study.answer({"trial": first.token, "answer": "1"})
    before = study.file.trials()[0].answer
    with pytest.raises(AnsweredError):
        study.answer({"trial": first.token, "answer": "2"})
    assert study.file.trials()[0].answer == before
    assert study.state(state["listener"])["answered"] == 1


def test_no_difference_is_an_answer_only_where_it_was_allowed(study: Study):
    study.join({"name": "Ann"})
    for word in ("same", "a", "b", "3", "", None, 1, ["1"]):
        with pytest.raises(BadInputError, match="one of 1, 2"):
            study.answer({"trial": study.file.trials()[0].token, "answer": word})


def test_a_known_name_is_told_so_and_goes_on_only_when_it_says_so(study: Study):
    state = study.join({"name": "Ann"})
    study.answer({"trial": state["trial"], "answer": "2"})
    assert study.join({"name": "Ann"}) == {"known": True, "answered": 1, "total": 5}
    again = study.join({"name": "Ann", "group": "other", "again": True})
    assert (again["listener"], again["answered"], again["group"]) == (state["listener"], 1, None)
    assert len(study.file.listeners()) == 1


@pytest.mark.parametrize("name", ["", "   ", None, 5, "a" * 61, "a" * 10_000, "a\nb", "\u202eAnn", "a\x00b", "\ud800"])
def test_a_name_that_cannot_be_one_is_refused_in_a_line(study: Study, name: object):
    with pytest.raises(BadInputError, match="a name has 1 to 60 letters that show") as told:
        study.join({"name": name})
    assert len(str(told.value)) < 80
    assert study.file.listeners() == []


@pytest.mark.parametrize("name", [HOSTILE, "Ünïcödé 名前", "'; DROP TABLE trials; --", "../../etc/passwd"])
def test_a_hostile_name_is_a_name(study: Study, name: str):
    assert study.join({"name": name})["name"] == name
    assert [one.name for one in study.file.listeners()] == [name]


def test_groups_are_those_that_were_named(tmp_path: Path):
    with held(folders(tmp_path), groups="musicians, others") as study:
        assert study.words()["groups"] == ["musicians", "others"]
        for group in (None, "", "critics"):
            with pytest.raises(BadInputError, match="choose a group: musicians, others"):
                study.join({"name": "Ann", "group": group})
        assert study.join({"name": "Ann", "group": "others"})["group"] == "others"


def test_what_is_not_there_is_unknown(study: Study):
    study.join({"name": "Ann"})
    token = study.file.trials()[0].token
    for trial, which in ((token, "3"), (token, "a"), ("x" * 16, "1"), ("", "1")):
        with pytest.raises(UnknownError):
            study.sound(trial, which)
    with pytest.raises(UnknownError):
        study.state("nobody")
    for trial in ("x", None, 5, [token]):
        with pytest.raises(UnknownError):
            study.answer({"trial": trial, "answer": "1"})


def test_without_a_reference_there_is_none_to_hear(tmp_path: Path):
    with held(folders(tmp_path)[:2]) as study:
        study.join({"name": "Ann"})
        assert study.words()["question"] == PREFER
        with pytest.raises(UnknownError):
            study.sound(study.file.trials()[0].token, "x")


def test_a_file_that_has_gone_is_not_named_to_listeners(tmp_path: Path):
    given = folders(tmp_path)
    with held(given) as study:
        study.join({"name": "Ann"})
        for folder in given:
            for path in Path(folder).iterdir():
                path.unlink()
        with pytest.raises(BadInputError) as told:
            study.sound(study.file.trials()[0].token, "1")
        assert str(told.value) == "a sound of this trial cannot be read any more"


class TestPairs:
    def test_clips_of_one_name_are_a_pair_and_their_reference_has_that_name(self, tmp_path: Path):
        given = folders(tmp_path)
        (Path(given[0]) / "take-0.wav").rename(Path(given[0]) / "other.wav")
        settings = ListenSettings(tmp_path / "s", *given)
        found, said = ready(settings)
        assert [pair.names for pair in found.pairs] == [(f"take-{n}.wav",) * 3 for n in (1, 2, 3)]
        assert said == ["3 pairs; 3 clips have no partner and are not heard"]
        assert settings.asked == NEAREST

    def test_both_sides_are_as_loud_as_the_quieter(self, tmp_path: Path):
        (pair, *_) = ready(ListenSettings(tmp_path / "s", *folders(tmp_path)))[0].pairs
        assert pair.gains_db[1] == 0.0
        # four times and twice the amplitude, of other noise
        assert pair.gains_db[0] == pytest.approx(-12.0, abs=1.0)
        assert pair.gains_db[2] == pytest.approx(-6.0, abs=1.0)

    def test_without_a_name_in_common_partners_are_drawn_once_each_and_it_is_said(self, tmp_path: Path):
        given = folders(tmp_path)[:2]
        for path in Path(given[1]).iterdir():
            path.rename(path.with_name(f"b-{path.name}"))
        settings = [ListenSettings(tmp_path / "s", *given, seed=seed) for seed in (0, 0, 1, 2)]
        drawn = [ready(one) for one in settings]
        assert "pairs are drawn at random" in drawn[0][1][0]
        names = [[pair.names for pair in found.pairs] for found, _ in drawn]
        assert names[0] == names[1]
        assert len({tuple(one) for one in names}) > 1
        for side in range(2):
            assert len({pair[side] for pair in names[0]}) == 4

    def test_a_reference_without_names_in_common_is_refused(self, tmp_path: Path):
        given = folders(tmp_path)
        for path in Path(given[2]).iterdir():
            path.rename(path.with_name(f"x-{path.name}"))
        with pytest.raises(BadInputError, match="have one name"):
            ready(ListenSettings(tmp_path / "s", *given))

    def test_so_many_pairs_are_drawn_by_the_seed(self, tmp_path: Path):
        given = folders(tmp_path, pairs=6)
        drawn = [
            [pair.names[0] for pair in ready(ListenSettings(tmp_path / "s", *given, pairs=3, seed=seed))[0].pairs]
            for seed in (0, 0, 1, 2)
        ]
        assert len(set(drawn[0])) == 3
        assert drawn[0] == drawn[1]
        assert len({tuple(one) for one in drawn}) > 1
        with pytest.raises(UsageError, match="--pairs 7: there are 6"):
            ready(ListenSettings(tmp_path / "s", *given, pairs=7))
        with pytest.raises(UsageError, match="--controls 7: at most as many as pairs, 6"):
            ready(ListenSettings(tmp_path / "s", *given, controls=7))

    def test_what_cannot_be_heard_is_refused_by_name_and_replaced_where_pairs_are_drawn(self, tmp_path: Path):
        given = folders(tmp_path)
        (Path(given[0]) / "take-1.wav").write_bytes(b"no sound")
        soundfile.write(Path(given[1]) / "take-2.wav", [[0.1] * 8] * 800, 8_000)
        soundfile.write(Path(given[2]) / "take-3.wav", [[0.0, 0.0]] * 800, 8_000)
        found, said = ready(ListenSettings(tmp_path / "s", *given))
        assert [pair.names[0] for pair in found.pairs] == ["take-0.wav"]
        reasons = [refusal.reason for refusal in found.refused]
        assert ["has 8 channels" in reasons[1], "is silent" in reasons[2]] == [True, True]
        assert sum("take-" in line for line in said) == 3
        drawn, said = ready(ListenSettings(tmp_path / "s", *given, pairs=2))
        assert len(drawn.pairs) == 1
        assert "--pairs 2: only 1 can be heard" in said
        with pytest.raises(BadInputError, match="--strict: 3 inputs were refused"):
            ready(ListenSettings(tmp_path / "s", *given, strict=True))

    def test_an_empty_folder_and_one_without_a_usable_pair_are_refused(self, tmp_path: Path):
        given = folders(tmp_path, pairs=1)
        (tmp_path / "empty").mkdir()
        with pytest.raises(BadInputError, match="empty: has no sound"):
            ready(ListenSettings(tmp_path / "s", given[0], str(tmp_path / "empty")))
        (Path(given[0]) / "take-0.wav").write_bytes(b"")
        with pytest.raises(BadInputError, match="no pair with"):
            ready(ListenSettings(tmp_path / "s", *given))

    def test_a_pair_of_one_file_twice_is_told(self, tmp_path: Path):
        given = folders(tmp_path, pairs=2)[:2]
        (Path(given[0]) / "take-0.wav").write_bytes((Path(given[1]) / "take-0.wav").read_bytes())
        assert "1 pairs are one file twice" in ready(ListenSettings(tmp_path / "s", *given))[1][0]

    def test_sides_of_different_lengths_are_told(self, tmp_path: Path):
        given = folders(tmp_path, pairs=2)[:2]
        soundfile.write(Path(given[0]) / "take-0.wav", [[0.1, -0.1], [-0.1, 0.1]] * 700, 8_000)
        assert "1 pairs differ in length" in ready(ListenSettings(tmp_path / "s", *given))[1][0]

    def test_the_reference_may_be_one_of_the_sides_which_asks_who_hears_a_difference(self, tmp_path: Path):
        given = folders(tmp_path)
        settings = ListenSettings(tmp_path / "s", given[0], given[1], given[0])
        settings.check()
        found, _ = ready(settings)
        assert all(pair.digests[0] == pair.digests[2] for pair in found.pairs)

    def test_mono_clips_are_heard_and_counted(self, tmp_path: Path):
        given = folders(tmp_path, pairs=1)[:2]
        soundfile.write(Path(given[0]) / "take-0.wav", [0.1, -0.1] * 400, 8_000)
        assert "1 clips are mono" in ready(ListenSettings(tmp_path / "s", *given))[1][0]


class TestSettings:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ({"b": "one"}, "A and B are both one"),
            ({"b": "one/../one/"}, "A and B are both one"),
            ({"a": None}, "give two folders"),
            ({"b": None}, "give two folders"),
            ({"b": "-"}, "standard input"),
            ({"pairs": 3, "controls": 4}, "--controls 4: at most as many as pairs, 3"),
            ({"question": "  "}, "--question"),
            ({"question": "a\nb"}, "--question"),
            ({"question": "a" * 201}, "--question"),
            ({"groups": "a,,b"}, "--groups"),
            ({"groups": "a,a"}, "--groups"),
            ({"groups": "a" * 61}, "--groups"),
            ({"plot": Path("x.gif")}, "--plot"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_before_anything_is_read(self, words, said: str):
        with pytest.raises(UsageError, match=said):
            ListenSettings(**({"output": Path("s.sqlite"), "a": "one", "b": "two"} | words)).check()
