"""``score --paired --report`` and ``--plot``: what the page and the picture hold, and where they cannot be."""

import base64
import io
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread

from stereokit.metrics.paired.measure import measure_pair, pair_widths
from stereokit.metrics.paired.pair import open_pair
from stereokit.workflows import score_pair_pictures, score_pair_shown
from stereokit.workflows.report_pictures import png_of
from stereokit.workflows.score_pair_settings import MeasuredPair
from stereokit.workflows.score_pair_shown import shown_pairs

Run = Callable[..., SimpleNamespace]
RATE = 8000
HOSTILE = "<img src=x onerror=alert(1)> & 'q' \"q\" $x^$ \u202egpj.wav"


class Reader(HTMLParser):
    """Notes elements with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(path: str) -> Reader:
    return Reader(Path(path).read_text("utf-8"))


def is_svg(path: str) -> bool:
    root = ET.fromstring(Path(path).read_bytes())  # noqa: S314 - written by the test
    return root.tag == "{http://www.w3.org/2000/svg}svg"


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, "PCM_16")
    return path


def noise(seed: int, frames: int = 1600) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, (frames, 2))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two sets in which the command runs: gen/0.wav is nearest to its target, gen/2.wav farthest.

    Pages show one pair of each kind, and pictures are not painted: that would take most of the time here.
    """
    monkeypatch.setattr(score_pair_shown, "PAIRS", 1)
    monkeypatch.setattr(score_pair_pictures, "png_of", lambda figure: b"no picture")
    monkeypatch.chdir(tmp_path)
    for k in range(3):
        write(Path("ref") / f"{k}.wav", noise(k))
        write(Path("gen") / f"{k}.wav", noise(k) + noise(k + 10) * (k + 1) / 4)
    return tmp_path


def test_the_page_says_the_verdict_and_every_figure_by_view(run: Run, here: Path) -> None:
    row = run("score", "gen", "ref", "--paired", "--report", "r.html").rows[0]
    text = read("r.html").text
    assert row["verdict"] in text
    for view in ("left_right", "mid", "side"):
        for figure in row[view].values():
            assert f"{figure['mean']:.4g} ± {figure['sd']:.2g}" in text
    assert f"{row['stsd_emd']['mean']:.4g}" in text
    for note in row["notes"]:
        assert note in text


def test_the_nearest_and_the_farthest_pair_can_be_heard_side_by_side(run: Run, here: Path) -> None:
    run("score", "gen", "ref", "--paired", "--report", "r.html")
    page = read("r.html")
    players = page.all("audio")
    named = [one["aria-label"].split(",")[0] for one in players]
    assert named == ["estimate: gen/2.wav", "target: ref/2.wav", "estimate: gen/0.wav", "target: ref/0.wav"]
    data = [one["src"].removeprefix("data:audio/wav;base64,") for one in players]
    for path, sound in zip(("gen/2.wav", "ref/2.wav", "gen/0.wav", "ref/0.wav"), data, strict=True):
        found, rate = soundfile.read(io.BytesIO(base64.b64decode(sound, validate=True)))
        np.testing.assert_array_equal(found, soundfile.read(path)[0])
        assert rate == RATE
    assert len(page.all("img")) == 2 + 4


def test_of_a_long_clip_the_beginning_is_heard(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stereokit.workflows.score_pair_shown.HEARD_S", 0.1)
    clip, is_cut = score_pair_shown.heard("gen/0.wav")
    assert (clip.frames, is_cut) == (800, True)
    write(Path("short.wav"), noise(1, 800))
    assert score_pair_shown.heard("short.wav")[1] is False


def test_missing_partners_checks_and_the_baseline_are_on_the_page(run: Run, here: Path) -> None:
    run("score", "gen", "ref", "--paired", "--save", "best.json")
    write(Path("gen/lonely.wav"), noise(1))
    Path("ref/1.wav").unlink()
    options = ["--baseline", "best.json", "--fail-if", "mid.lsd.mean>0"]
    assert run("score", "gen", "ref", "--paired", "--report", "r.html", *options).status == 1
    text = read("r.html").text
    for word in ("gen/lonely.wav", "gen/1.wav", "Clips without a partner: 2 of gen, 0 of ref", "baseline", "fails"):
        assert word in text


def test_the_result_is_the_same_with_and_without_the_page_and_so_is_the_page(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_pair_pictures, "png_of", png_of)
    for name in ("one", "two"):
        done = run("score", "gen", "ref", "--paired", "--report", f"{name}.html", "--plot", f"{name}.svg")
    assert done.out == run("score", "gen", "ref", "--paired").out
    for suffix in ("html", "svg"):
        assert Path(f"one.{suffix}").read_bytes() == Path(f"two.{suffix}").read_bytes()
    pictures = [image["src"].removeprefix("data:image/png;base64,") for image in read("one.html").all("img")]
    assert all(imread(io.BytesIO(base64.b64decode(one))).shape[0] > 300 for one in pictures)


def test_windows_are_drawn_where_they_are_what_is_compared(run: Run, here: Path) -> None:
    write(Path("ref/1.wav"), np.repeat(noise(1)[:, :1], 2, axis=1))
    done = run("score", "gen", "ref", "--paired", "--window", 400, "--report", "r.html", "--plot", "p.svg")
    text = read("r.html").text
    assert "over windows of 400 samples" in text
    assert "12 of left and right, 12 of mid, 8 of side" in text
    assert done.rows[0]["quiet_windows"]["side"] == 4
    assert is_svg("p.svg")


@pytest.mark.parametrize("options", [(), ("--window", "9000")])
def test_silence_one_pair_and_no_window_still_make_a_page(run: Run, here: Path, options: tuple[str, ...]) -> None:
    for folder in ("g", "r"):
        write(Path(folder, "0.wav"), np.zeros((100, 2)))
    done = run("score", "g", "r", "--paired", "--report", "r.html", "--plot", "p.svg", *options)
    assert (done.status, done.err) == (0, "")
    assert is_svg("p.svg")
    assert len(read("r.html").all("audio")) == (0 if options else 2)


def test_nothing_is_asked_for_from_outside_and_a_hostile_name_stays_text(run: Run, here: Path) -> None:
    Path("gen").rename(HOSTILE)
    name = "$\\frac{<script>alert(1)<script>.wav"
    Path(HOSTILE, "2.wav").rename(Path(HOSTILE, name))
    Path("ref", "2.wav").rename(Path("ref", name))
    write(Path(HOSTILE, "<b>lonely.wav"), noise(1))
    run("score", HOSTILE, "ref", "--paired", "--report", "r.html")
    page = read("r.html")
    assert not page.all("script")
    assert not page.all("b")
    for tag, attributes in page.elements:
        assert "onerror" not in attributes
        for key in ("src", "href", "srcset", "poster", "action", "data"):
            assert (attributes.get(key) or "data:").startswith("data:"), (tag, key)
    assert "<script>alert(1)<script>" in page.text
    assert "<b>lonely.wav" in page.text
    assert "\u202e" not in page.text


def test_without_matplotlib_nothing_is_measured(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stereokit.workflows.score_pair_report", None)
    done = run("score", "gen", "ref", "--paired", "--report", "r.html")
    assert (done.status, done.out) == (5, "")
    assert "stereokit[plot]" in done.err
    assert run("score", "gen", "ref", "--paired").status == 0


def shown(pairs: list[tuple[str, str]]) -> score_pair_shown.ShownPairs:
    steps = shown_pairs([MeasuredPair(*pair, measure_pair(pair)) for pair in pairs])
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def test_no_pair_is_both_near_and_far_and_they_come_in_order(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(f"gen/{k}.wav", f"ref/{k}.wav") for k in (1, 2, 0)]
    monkeypatch.setattr(score_pair_shown, "PAIRS", 4)
    found = shown(pairs)
    assert [one.estimate for one in found.nearest] == ["gen/0.wav", "gen/1.wav"]
    assert [one.estimate for one in found.farthest] == ["gen/2.wav"]
    assert found.nearest[0].distance < found.nearest[1].distance < found.farthest[0].distance


def test_a_course_of_many_windows_is_drawn_as_means_of_neighbours(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_pair_shown, "_COLUMNS", 5)
    (one,) = shown([("gen/0.wav", "ref/0.wav")]).nearest
    estimate, _ = pair_widths(open_pair("gen/0.wav", "ref/0.wav")).courses()
    assert len(estimate) == 17
    np.testing.assert_allclose(one.widths[0], [estimate[k : k + 4].mean() for k in range(0, 17, 4)])
    np.testing.assert_allclose(one.times, [0.035, 0.075, 0.115, 0.155, 0.18])
