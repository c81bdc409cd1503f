"""``stereokit label map``: words to rows, pictures, pages and maps that more clips are placed in."""

import base64
import csv
import hashlib
import io
import json
import re
import shutil
import sys

import drum_folder
import numpy as np
import pytest
import soundfile

from stereokit.metrics.layouts import _form
from stereokit.workflows.label_map_page import map_page
from stereokit.workflows.label_map_picture import map_picture

QUICK = ("--layout", "pca", "--features", "mfcc")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    drum_folder.stay_here(monkeypatch)


@pytest.fixture(scope="module")
def drums(tmp_path_factory):
    """Sounds that no test changes."""
    return drum_folder.write_drums(tmp_path_factory.mktemp("clips") / "drums")


@pytest.fixture
def own(drums, tmp_path):
    """Sounds that a test adds to."""
    return shutil.copytree(drums, tmp_path / "own")


def places(result):
    """Return the place of each clip by its name."""
    return {row["file_name"]: (row["x"], row["y"], row["z"]) for row in result.rows[:-1]}


def test_a_row_a_clip_says_where_it_lies_and_kinds_lie_together(run, drums):
    result = run("label", "map", drums, *QUICK, "--labels", drums / "labels.csv", "--dimensions", 3)
    assert result.status == 0, result.err
    *rows, summary = result.rows
    assert {row["schema"] for row in rows} == {"stereokit.label.map.clip/1"}
    assert [row["file_name"] for row in rows] == sorted(row["file_name"] for row in rows)
    assert all(row["status"] == "done" and row["reason"] is None for row in rows)
    assert rows[0]["label"] == "hat"
    assert rows[5]["label"] is None
    found = np.array([[row["x"], row["y"], row["z"]] for row in rows])
    apart = np.linalg.norm(found[:, None] - found, axis=2)
    np.fill_diagonal(apart, np.inf)
    kinds = np.array([row["file_name"].split("/")[0] for row in rows])
    assert (kinds[apart.argmin(axis=1)] == kinds).mean() > 0.9
    assert (summary["clips"], summary["placed"], summary["different"]) == (18, 18, 18)
    assert (summary["layout"], summary["dimensions"], summary["features"]) == ("pca", 3, "mfcc")
    assert summary["labels"] == {"hat": 4, "kick": 4, "tom": 4}


def test_a_map_is_the_same_every_time_and_equal_clips_share_a_place(run, own):
    shutil.copy(own / "tom/tom-1.wav", own / "tom/tom-copy.wav")
    first, again = (run("label", "map", own, *QUICK) for _ in range(2))
    assert first.out == again.out
    found = places(first)
    assert found["tom/tom-copy.wav"] == found["tom/tom-1.wav"]
    assert found["tom/tom-0.wav"] != found["tom/tom-1.wav"]
    assert found["tom/tom-0.wav"][2] is None
    assert first.rows[-1]["different"] == 18


@pytest.mark.parametrize("features", ["mfcc", "portrait"])
def test_clips_of_a_saved_map_come_back_to_their_places_and_new_ones_lie_near_their_like(
    run, drums, tmp_path, features
):
    words = ("--layout", "tsne", "--features", features, "--perplexity", 4)
    before = places(run("label", "map", drums, *words, "--save", tmp_path / "a.npz"))
    kept = (tmp_path / "a.npz").read_bytes()
    again = run("label", "map", drums / "hat", "--into", tmp_path / "a.npz")
    assert again.status == 0, again.err
    assert places(again) == {name: before[f"hat/{name}"] for name in sorted(places(again))}
    (tmp_path / "new").mkdir()
    soundfile.write(tmp_path / "new/new.wav", drum_folder.sound("kick", 7), drum_folder.RATE)
    result = run("label", "map", tmp_path / "new", "--into", tmp_path / "a.npz")
    (row,) = result.rows[:-1]
    there = np.array([before[name][:2] for name in before])
    nearest = list(before)[np.linalg.norm(there - (row["x"], row["y"]), axis=1).argmin()]
    assert nearest.startswith("kick/")
    assert result.rows[-1]["layout"] == "tsne"
    assert result.rows[-1]["features"] == features
    assert (tmp_path / "a.npz").read_bytes() == kept


def test_equal_maps_are_equal_files(run, drums, tmp_path):
    for name in ("a", "b"):
        outputs = {kind: tmp_path / f"{name}.{kind}" for kind in ("npz", "png", "html")}
        words = ("--save", outputs["npz"], "--plot", outputs["png"], "--html", outputs["html"])
        assert run("label", "map", drums, *QUICK, "--labels", drums / "labels.csv", *words).status == 0
        places = np.arange(12.0).reshape(4, 3)
        svg = map_picture(places, ["_a", "$b$", None, "\u65e5"], "four $", kind="svg")
        (tmp_path / f"{name}.svg").write_bytes(svg)
    for kind in ("npz", "png", "svg", "html"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes(), kind
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    with np.load(tmp_path / "a.npz") as kept:
        assert kept["coordinates"].shape == (18, 2)
        assert json.loads(kept["labels"].tobytes())[0] == "hat"


def test_the_csv_is_a_table_of_places(run, drums):
    rows = list(csv.DictReader(io.StringIO(run("label", "map", drums, *QUICK, "--csv").out)))
    assert len(rows) == 18
    assert float(rows[0]["x"]) == pytest.approx(places(run("label", "map", drums, *QUICK))["hat/hat-0.wav"][0])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_so_few_clips_have_a_map_of_their_main_axes_and_it_is_said(run, drums, tmp_path, count):
    few = [drums / f"kick/kick-{number}.wav" for number in range(count)]
    result = run("label", "map", *few, "--features", "mfcc", "--save", tmp_path / "few.npz")
    assert result.status == 0, result.err
    assert "too few for umap, so this is the map of their main axes (pca)" in result.err
    assert (result.rows[-1]["layout"], result.rows[-1]["asked_layout"]) == ("pca", "umap")
    assert len(result.rows) == count + 1
    again = run("label", "map", *few, "--into", tmp_path / "few.npz")
    assert places(again) == places(result)


def test_clips_that_are_all_the_same_lie_in_one_place(run, own):
    for number in range(7):
        shutil.copy(own / "hat/hat-0.wav", own / f"hat/same-{number}.wav")
    result = run("label", "map", *(own / f"hat/same-{number}.wav" for number in range(7)), "--features", "mfcc")
    assert result.status == 0, result.err
    assert "only 1 clip, or all the same" in result.err
    assert set(places(result).values()) == {(0.0, 0.0, None)}


def test_fewer_clips_than_a_parameter_asks_for_are_told(run, drums):
    result = run("label", "map", drums, "--layout", "tsne", "--perplexity", 30, "--features", "mfcc")
    assert result.status == 0
    assert "--perplexity 30: only 18 different clips, so it was 5.66667" in result.err
    assert result.rows[-1]["parameters"] == {"perplexity": pytest.approx(17 / 3)}


def test_silence_has_no_place_and_what_is_no_sound_is_refused(run, own):
    soundfile.write(own / "silent.wav", np.zeros((800, 2)), drum_folder.RATE)
    (own / "broken.wav").write_bytes(b"RIFF")
    result = run("label", "map", own, *QUICK)
    assert result.status == 3
    assert "broken.wav" in result.err
    (row,) = [row for row in result.rows if row.get("file_name") == "silent.wav"]
    assert (row["status"], row["x"], row["y"], row["reason"]) == ("abstained", None, None, "is silent")
    summary = result.rows[-1]
    assert (summary["clips"], summary["placed"], summary["abstained"], summary["refused"]) == (19, 18, 1, 1)
    assert run("label", "map", own, *QUICK, "--strict").status == 4
    alone = run("label", "map", own / "silent.wav", *QUICK)
    assert (alone.status, alone.out) == (4, "")
    assert "all are silent" in alone.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--layout", "mds"], "--layout 'mds': choose from pca, tsne, umap"),
        (["--layout", "pca", "--neighbours", "3"], "--neighbours: pca has no parameters"),
        (["--perplexity", "3"], "--perplexity: umap has --neighbours and --min-distance"),
        (["--min-distance", "2"], "--min-distance 2: must be from 0 to 1"),
        (["--layout", "tsne", "--guided", "--labels", "metadata"], "--guided: labels can guide umap, not tsne"),
        (["--guided"], "--guided needs --labels FILE or metadata"),
        (["--features", "nothing"], "--features 'nothing': choose from portrait,"),
        (["--plot", "map.jpg"], "--plot map.jpg: give a name that ends in .png or .svg"),
        (["--force"], "--force and --dry-run go with --save, --plot or --html"),
        (["--html", "/same.html", "--save", "/same.html"], "--save and --html name the same file"),
        (["--dimensions", "4"], "'--dimensions': '4'"),
    ],
)
def test_words_that_do_not_go_together_are_refused_before_anything_is_heard(run, drums, words, told):
    result = run("label", "map", drums, *words)
    assert (result.status, result.out) == (2, "")
    assert told in result.err


def test_outputs_stay_unless_they_may_be_replaced_and_a_dry_run_writes_none(run, drums, tmp_path):
    path = tmp_path / "map.npz"
    planned = run("label", "map", drums, *QUICK, "--save", path, "--dry-run")
    assert planned.status == 0
    assert [row["status"] for row in planned.rows] == ["dry run"]
    assert planned.rows[0]["written"] == [str(path)]
    assert not path.exists()
    path.write_text("mine")
    refused = run("label", "map", drums, *QUICK, "--save", path)
    assert refused.status == 2
    assert "is there already; --force replaces it" in refused.err
    assert path.read_text() == "mine"
    assert run("label", "map", drums, *QUICK, "--save", path, "--force").status == 0
    assert path.read_bytes()[:2] == b"PK"
    assert run("label", "map", drums, *QUICK, "--html", tmp_path / "nowhere/map.html").status == 74
    assert run("label", "map", drums, *QUICK, "--html", tmp_path).status == 2


def test_without_its_package_a_picture_or_a_layout_is_status_5_before_anything_is_heard(
    run, drums, monkeypatch, tmp_path
):
    monkeypatch.setattr(_form, "find_spec", lambda name: None)
    result = run("label", "map", drums)
    assert (result.status, result.out) == (5, "")
    assert "umap-learn is not installed: pip install 'stereokit[label]'" in result.err
    monkeypatch.setitem(sys.modules, "stereokit.workflows.label_map_picture", None)
    result = run("label", "map", drums, *QUICK, "--plot", tmp_path / "map.png")
    assert (result.status, result.out) == (5, "")
    assert "--plot needs matplotlib" in result.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--layout", "umap"], "--layout umap: {map} was made with pca"),
        (["--dimensions", "3"], "--dimensions 3: {map} was made with 2"),
        (["--seed", "1"], "--seed 1: {map} was made with 0"),
        (["--perplexity", "5"], "--perplexity 5.0: {map} was made with none"),
        (["--features", "portrait"], "--features portrait: {map} was made with mfcc"),
        (["--guided", "--labels", "metadata"], "--guided: a map that is there is not drawn again"),
        (["--save", "other.npz"], "--save keeps a new map"),
        (["--html", "{map}", "--force"], "--html {map}: is the map that stays"),
    ],
)
def test_what_contradicts_a_map_that_is_there_is_refused(run, drums, tmp_path, words, told):
    path = tmp_path / "map.npz"
    run("label", "map", drums, *QUICK, "--save", path)
    result = run("label", "map", drums, "--into", path, *(word.format(map=path) for word in words))
    assert (result.status, result.out) == (2, "")
    assert told.format(map=path) in result.err
    assert run("label", "map", drums, "--into", path, *QUICK, "--seed", 0, "--dimensions", 2).status == 0


def test_a_picture_and_a_page_of_new_clips_show_them_among_those_of_the_map(run, drums, tmp_path):
    run("label", "map", drums, *QUICK, "--save", tmp_path / "map.npz")
    result = run("label", "map", drums / "hat", "--into", tmp_path / "map.npz", "--html", tmp_path / "new.html")
    assert len(result.rows) == 7
    assert "Map of 24 clips" in (tmp_path / "new.html").read_text()


HOSTILE = "</script><img src=x onerror=alert(1)>&\u202e"


class TestPage:
    PAGE = map_page("A map", "of <all>", np.arange(6.0).reshape(3, 2), ["a", HOSTILE, "c"], ["x", None, HOSTILE])

    def data(self):
        return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', self.PAGE).group(1))

    def test_nothing_that_a_name_holds_ends_an_element(self):
        assert "<img" not in self.PAGE
        assert self.PAGE.count("</script>") == 3
        assert self.data()["names"][1].startswith("</script><img")
        assert "of &lt;all&gt;" in self.PAGE
        assert "\u202e" not in self.PAGE

    def test_its_policy_names_what_it_holds_and_nothing_else(self):
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', self.PAGE).group(1).replace("&#x27;", "'")
        assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:;")
        texts = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", self.PAGE, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert re.findall(r"'sha256-([^']*)'", policy) == digests
        assert "unsafe" not in policy
        assert not re.search(
            r"\son\w+=|\sstyle=|https?://", re.sub(r"<script.*?</script>", "", self.PAGE, flags=re.DOTALL)
        )

    def test_places_are_single_precision_around_their_middle_and_labels_are_numbers(self):
        data = self.data()
        places = np.frombuffer(base64.b64decode(data["coordinates"]), "<f4").reshape(3, 2)
        assert places.tolist() == [[-2.0, -2.0], [0.0, 0.0], [2.0, 2.0]]
        labels = np.frombuffer(base64.b64decode(data["labels"]), "<u2").tolist()
        assert labels == [1, 65535, 0]
        assert data["classes"][1:] == ["x", "no label"]
        assert len(data["colours"]) == 3
