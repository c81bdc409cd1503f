"""The review as a command: the page's address, what it answers, what is kept, and the rows at its end."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from running_review import Running, reviewing

from stereokit.errors import LockedError, MissingError, OutputError, Status, UsageError
from stereokit.workflows import label_examine, review_settings
from stereokit.workflows.events import Row
from stereokit.workflows.label_map import make_map
from stereokit.workflows.label_map_settings import MapSettings
from stereokit.workflows.label_review import CLIP_SCHEMA, SUMMARY_SCHEMA, review
from stereokit.workflows.review_settings import ReviewSettings

RATE = 22_050
HOSTILE = "<img src=x onerror=alert(1)>.wav"


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight tones and noises, one silent clip, one broken one, one with a name that means harm."""
    folder = tmp_path_factory.mktemp("sounds")
    random = np.random.default_rng(0)
    time = np.arange(RATE // 4) / RATE
    for number in range(4):
        tone = np.sin(2 * np.pi * (200.0 + 20.0 * number) * time) * np.exp(-8.0 * time)
        soundfile.write(folder / f"tone{number}.wav", tone, RATE)
        noise = random.normal(size=len(time)) * np.exp(-(20.0 + number) * time) / 8.0
        soundfile.write(folder / f"noise{number}.wav", noise, RATE)
    soundfile.write(folder / HOSTILE, np.sin(900.0 * time), RATE)
    soundfile.write(folder / "silent.wav", np.zeros(2000), RATE)
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00")
    return folder


@pytest.fixture(scope="module")
def running(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with reviewing(sounds, tmp_path_factory.mktemp("decisions") / "review.sqlite") as started:
        yield started


@pytest.fixture(scope="module")
def names(running: Running) -> list[str]:
    return running.page.get("set").json()["names"]


def verdict(running: Running, clip: int) -> list[object]:
    return running.page.get("set").json()["verdicts"][clip]


def test_the_page_and_all_that_it_loads_are_there(running):
    page = running.page.get("")
    assert page.status_code == 200
    loaded = [part.split('"')[0] for mark in ('src="', 'href="') for part in page.text.split(mark)[1:]]
    files = [name for name in loaded if name.endswith((".js", ".css"))]
    assert len(files) == 7
    assert [running.page.get(name).status_code for name in files] == [200] * 7


def test_the_set_has_all_clips_that_can_be_heard(running, names):
    answer = running.page.get("set").json()
    assert len(names) == 10
    assert HOSTILE in names
    assert "broken.wav" not in names
    assert answer["classes"] == ["tone", "noise"]
    assert any("broken.wav" in text for text in running.messages)
    coordinates = np.frombuffer(running.page.get("map").content, "<f4").reshape(10, 2)
    silent = names.index("silent.wav")
    assert np.isnan(coordinates[silent]).all()
    assert np.isfinite(np.delete(coordinates, silent, axis=0)).all()


def test_a_clip_can_be_heard_and_seen(running, names):
    number = names.index("tone0.wav")
    content = running.page.get(f"sound/{number}").content
    samples, rate = soundfile.read(io.BytesIO(content))
    assert (samples.shape, rate) == ((RATE // 4, 2), RATE)
    part = running.page.get(f"sound/{number}", headers={"range": "bytes=44-143"})
    assert (part.status_code, part.content) == (206, content[44:144])
    assert running.page.get(f"picture/{number}").content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "path", ["sound/10", "sound/-1", "sound/..%2f..%2fetc%2fpasswd", "sound/", "picture/x", "review.py"]
)
def test_what_is_not_of_the_set_is_not_served(running, path):
    assert running.page.get(path).status_code == 404


def test_a_decision_is_told_to_every_tab_and_can_be_taken_back(running, names):
    clip = names.index("tone1.wav")
    seen = verdict(running, clip)[3]
    made = running.post("decide", wishes=[[clip, "tone", seen]]).json()
    assert made["verdicts"][0][:3] == [clip, "tone", "human"]
    number = made["verdicts"][0][3]
    news = running.page.get("news", params={"last": number - 1, "lesson": 10**6}).json()
    assert [one[:2] for one in news["verdicts"]] == [[clip, "tone"]]
    late = running.post("decide", listener="another", wishes=[[clip, "noise", seen]])
    assert late.status_code == 409
    assert late.json()["verdicts"] == made["verdicts"]
    assert running.post("undo", listener="another").json()["verdicts"] == []
    assert running.post("undo").json()["verdicts"][0][:3] == [clip, None, None]


def test_a_lesson_follows_the_labels(running, names):
    wishes = [[names.index(f"{kind}{number}.wav"), kind, None] for kind in ("tone", "noise") for number in (2, 3)]
    for wish in wishes:
        wish[2] = verdict(running, wish[0])[3]
    running.post("decide", wishes=wishes)
    lesson = None
    for _ in range(200):
        lesson = running.page.get("news", params={"last": 0, "lesson": 1}).json()["lesson"] or lesson
        if lesson is not None and lesson["classes"] == ["noise", "tone"]:
            break
    assert lesson["classes"] == ["noise", "tone"]
    assert not {wish[0] for wish in wishes} & set(lesson["questions"])
    running.post("undo")


@pytest.mark.parametrize(
    "content",
    [
        {"wishes": [[0, "nothing", 0]]},
        {"wishes": []},
        {"wishes": [[99, "tone", 0]]},
        {"wishes": [[-1, "tone", 0]]},
        {"wishes": [[True, "tone", 0]]},
        {"wishes": [[0, 7, 0]]},
        {"wishes": "all"},
        {"wishes": [[0, "tone", 0]], "listener": ""},
        {"wishes": [[0, "tone", 0]], "listener": 7},
        {"wishes": [[0, "tone", 0]], "listener": "x" * 65},
    ],
)
def test_a_request_that_makes_no_sense_decides_nothing(running, content):
    before = running.page.get("set").json()["verdicts"]
    answer = running.page.post("decide", json={"listener": "tab", **content})
    assert answer.status_code == 400
    assert "error" in answer.json()
    assert running.page.get("set").json()["verdicts"] == before


@pytest.mark.parametrize("query", ["", "last=1", "last=x&lesson=0", "last=-1&lesson=0", "last=0&lesson=1e3"])
def test_news_since_nothing_that_is_known_is_refused(running, query):
    assert running.page.get(f"news?{query}").status_code == 400


def test_a_new_class_is_there_at_once_and_a_hostile_one_stays_text(running):
    assert running.post("classes", name="<b>bold</b>").json()["classes"][-1] == "<b>bold</b>"
    assert running.post("classes", name="a\u202eb").status_code == 400


def test_what_is_exported_has_everything_and_whose_word_it_is(running, names):
    clip = names.index("tone0.wav")
    running.post("decide", wishes=[[clip, "tone", verdict(running, clip)[3]]])
    table = list(csv.DictReader(io.StringIO(running.page.get("labels.csv").text)))
    assert [row["file_name"] for row in table] == names
    assert (table[clip]["label"], table[clip]["provenance"], table[clip]["confidence"]) == ("tone", "human", "1.0")
    assert all(row["label"] == "" for row in table if row["provenance"] == "")
    passed = names.index("noise0.wav")
    running.post("decide", wishes=[[passed, None, verdict(running, passed)[3]]])
    told = list(csv.DictReader(io.StringIO(running.page.get("labels.csv?told=1").text)))
    assert (told[passed]["label"], told[passed]["provenance"]) == ("", "human")
    running.post("undo")
    manifest = [json.loads(line) for line in running.page.get("metadata.jsonl").text.splitlines()]
    assert manifest[clip] == {**manifest[clip], "file_name": "tone0.wav", "label": "tone", "provenance": "human"}
    running.post("undo")


def test_the_rows_at_the_end_are_what_was_decided(sounds, tmp_path):
    decisions = tmp_path / "review.sqlite"
    labels = tmp_path / "labels.csv"
    labels.write_text("file_name,label\ntone0.wav,tone\nnoise0.wav,noise\n", "utf-8")
    with reviewing(sounds, decisions, labels=str(labels), classes=()) as running:
        names = running.page.get("set").json()["names"]
        running.post("decide", wishes=[[names.index("tone3.wav"), "tone", 0], [names.index("tone0.wav"), "noise", 0]])
        running.post("decide", wishes=[[names.index("tone2.wav"), None, 0]])
        running.finish()
        assert running.status is Status.SOME_FAILED
        rows = {row.fields["file_name"]: row.fields for row in running.rows if row.schema == CLIP_SCHEMA}
        told = {name: (row["label"], row["provenance"], row["status"]) for name, row in rows.items()}
        assert told["tone0.wav"] == ("noise", "human", "done")
        assert told["noise0.wav"] == ("noise", "given", "done")
        assert told["tone3.wav"] == ("tone", "human", "done")
        assert told["silent.wav"] == (None, None, "open")
        assert told["tone2.wav"] == (None, "human", "passed")
        summary = running.rows[-1]
        assert summary.schema == SUMMARY_SCHEMA
        assert {name: summary.fields[name] for name in ("clips", "human", "given", "open", "passed", "refused")} == {
            "clips": 10, "human": 2, "given": 1, "open": 6, "passed": 1, "refused": 1,
        }  # fmt: skip

    events = review(ReviewSettings((str(sounds),), decisions, results=True), [])
    later = [event.fields for event in events if isinstance(event, Row)]
    assert [(row["file_name"], row["label"]) for row in later if row.get("label")] == [
        ("tone0.wav", "noise"), ("tone3.wav", "tone"),
    ]  # fmt: skip


def test_a_second_review_of_the_same_decisions_is_told_who_works_there(running):
    path = running.settings.output
    with pytest.raises(LockedError, match=r"review\.sqlite is in use by process"):
        list(review(ReviewSettings(running.settings.sources, path, layout="pca", jobs=1), []))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"layout": "nothing"}, "--layout 'nothing': choose from"),
        ({"features": "nothing"}, "--features 'nothing': choose from"),
        ({"classes": ("a\x07",)}, "a class cannot be called"),
        ({"results": True}, "--results: there are no decisions"),
        ({"labels": "nothing.csv"}, "nothing.csv"),
    ],
)
def test_words_that_make_no_sense_are_refused(sounds, tmp_path, words, told):
    with pytest.raises(UsageError, match=told):
        list(review(ReviewSettings((str(sounds),), tmp_path / "review.sqlite", **words), []))
    assert not (tmp_path / "review.sqlite").exists()


def test_a_link_to_decisions_is_those_decisions(running, tmp_path):
    link = tmp_path / "link.sqlite"
    link.symlink_to(running.settings.output)
    with pytest.raises(LockedError, match=r"link\.sqlite is in use by process"):
        list(review(ReviewSettings(running.settings.sources, link, layout="pca", jobs=1), []))


@pytest.mark.parametrize(
    ("label", "told"),
    [("a\u202eb", r"--labels .*: a class cannot be called"), ("x" * 10_000, "a name of 1 to 60 characters")],
)
def test_given_labels_that_no_class_can_have_are_refused_before_anything_is_heard(sounds, tmp_path, label, told):
    labels = tmp_path / "labels.csv"
    labels.write_text(f"file_name,label\ntone0.wav,{label}\n", "utf-8")
    with pytest.raises(UsageError, match=told):
        next(review(ReviewSettings((str(sounds),), tmp_path / "review.sqlite", labels=str(labels)), []))
    assert not (tmp_path / "review.sqlite").exists()


def test_too_many_classes_are_refused_before_anything_is_heard(sounds, tmp_path):
    classes = tuple(f"c{number}" for number in range(300))
    with pytest.raises(UsageError, match="there are 300 classes"):
        next(review(ReviewSettings((str(sounds),), tmp_path / "review.sqlite", classes=classes), []))


def test_a_file_that_cannot_be_written_is_told_before_anything_is_heard(sounds, tmp_path):
    (tmp_path / "review.sqlite-journal").mkdir()
    with pytest.raises(OutputError, match=r"cannot use .*review\.sqlite"):
        next(review(ReviewSettings((str(sounds),), tmp_path / "review.sqlite"), []))


def test_the_results_of_an_empty_file_are_none_and_it_stays_empty(sounds, tmp_path):
    empty = tmp_path / "review.sqlite"
    empty.touch()
    with pytest.raises(UsageError, match="--results: there are no decisions"):
        list(review(ReviewSettings((str(sounds),), empty, results=True), []))
    assert empty.read_bytes() == b""


def test_without_a_browser_nothing_is_opened(sounds, tmp_path, monkeypatch):
    monkeypatch.setattr(
        review_settings.webbrowser, "get", lambda: (_ for _ in ()).throw(review_settings.webbrowser.Error)
    )
    with pytest.raises(MissingError, match="--open: there is no browser here"):
        next(review(ReviewSettings((str(sounds),), tmp_path / "review.sqlite", opens=True), []))


def test_two_folders_with_the_same_names_are_refused(sounds, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    soundfile.write(other / "tone0.wav", np.ones(1000) / 2, RATE)
    with pytest.raises(UsageError, match=r"'tone0\.wav' among them: give the folder above them"):
        list(review(ReviewSettings((str(sounds), str(other)), tmp_path / "review.sqlite"), []))


def test_a_map_that_is_there_is_taken_as_it_is_and_new_clips_are_placed_in_it(sounds, tmp_path, monkeypatch):
    first = tmp_path / "first"
    first.mkdir()
    for path in sounds.iterdir():
        if "3" not in path.name and "broken" not in path.name:
            (first / path.name).write_bytes(path.read_bytes())
    saved = tmp_path / "drums.npz"
    rows = [
        row.fields for row in make_map(MapSettings((str(first),), layout="pca", save=saved), []) if isinstance(row, Row)
    ]
    drawn = {row["file_name"]: (row["x"], row["y"]) for row in rows if row.get("x") is not None}
    heard = []
    listen = label_examine.map_isolated
    monkeypatch.setattr(
        label_examine, "map_isolated", lambda work, paths, **words: heard.extend(paths) or listen(work, paths, **words)
    )
    with reviewing(sounds, tmp_path / "review.sqlite", map=saved, layout=None) as running:
        assert sorted(Path(path).name for path in heard) == ["broken.wav", "noise3.wav", "silent.wav", "tone3.wav"]
        assert "7 clips are on the map, 2 were placed in it" in running.messages
        names = running.page.get("set").json()["names"]
        coordinates = np.frombuffer(running.page.get("map").content, "<f4").reshape(-1, 2)
        found = dict(zip(names, coordinates.tolist(), strict=True))
        for name, place in drawn.items():
            assert found[name] == pytest.approx(place, rel=1e-6)
        assert np.isfinite(found["tone3.wav"]).all()
        assert not np.isfinite(found["silent.wav"]).any()
        assert len(running.page.get("set").json()["lesson"]["questions"]) == 9


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"dimensions": 3}, "has 3 dimensions, the page shows 2"),
        ({"layout": "pca"}, "--layout: a map that is there is not drawn again"),
        ({"features": "mfcc"}, "--features mfcc: --map .* compares by portrait"),
    ],
)
def test_a_map_of_another_kind_is_refused(sounds, tmp_path, words, told):
    saved = tmp_path / "drums.npz"
    dimensions = words.pop("dimensions", 2)
    list(make_map(MapSettings((str(sounds),), layout="pca", dimensions=dimensions, save=saved), []))
    with pytest.raises(UsageError, match=told):
        list(review(ReviewSettings((str(sounds),), tmp_path / "review.sqlite", map=saved, **words), []))
