"""``score --report`` and ``--plot``: what the page and the picture hold, and what happens where they cannot be made."""

import base64
import io
import shutil
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

from stereokit.metrics.protocol import PROTOCOLS, protocol_with
from stereokit.workflows import score_shown
from stereokit.workflows.score_sets import measure_set
from stereokit.workflows.score_shown import shown_of

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


def write(path: Path, *, width: float, seconds: float = 0.1, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mid, side = np.random.default_rng(seed).uniform(-0.4, 0.4, (2, round(seconds * RATE)))
    soundfile.write(path, np.stack([mid + width * side, mid - width * side], axis=1), RATE)


def measured(folder: Path, protocol=PROTOCOLS["paper"]):
    words = {"only": (), "with_labels": False, "drop_silent": False, "jobs": 1}
    return returned(measure_set(folder.name, str(folder), [], protocol, **words))


def returned(steps):
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two sets, gen and ref, in which the command runs; gen/3.wav is far from every reference.

    Pages show one pair of each kind: drawing takes most of the time here.
    """
    monkeypatch.setattr(score_shown, "PAIRS", 1)
    monkeypatch.chdir(tmp_path)
    for k in range(4):
        write(Path("ref") / f"{k}.wav", width=0.2 * (k + 1), seed=k)
        write(Path("gen") / f"{k}.wav", width=0.2 * (k + 1) + 0.01 * k + 0.4 * (k == 3), seed=100 + k)
    return tmp_path


def read(path: str) -> Reader:
    return Reader(Path(path).read_text("utf-8"))


def is_svg(path: str) -> bool:
    root = ET.fromstring(Path(path).read_bytes())  # noqa: S314 - written by the test
    return root.tag == "{http://www.w3.org/2000/svg}svg"


def sounds(page: Reader) -> list[tuple[np.ndarray, int]]:
    data = [one["src"].removeprefix("data:audio/wav;base64,") for one in page.all("audio")]
    return [soundfile.read(io.BytesIO(base64.b64decode(one, validate=True))) for one in data]


def test_the_page_says_the_verdict_and_every_figure_beside_what_a_perfect_generator_gets(run: Run, here: Path) -> None:
    row = run("score", "gen", "ref", "--report", "r.html").rows[0]
    text = read("r.html").text
    verdict = row["verdict"]
    assert verdict[0].upper() + verdict[1:] in text
    assert "a perfect generator" in text
    for name in ("cov", "mmd", "nna"):
        assert f"{row[name]:.4g}" in text
        assert row["expected"][name] is None or f"{row['expected'][name]:.4g}" in text
    for note in row["notes"]:
        assert note in text


def test_the_result_is_the_same_with_and_without_the_page(run: Run, here: Path) -> None:
    assert run("score", "gen", "ref").out == run("score", "gen", "ref", "--report", "r.html", "--plot", "p.svg").out


def test_checks_baseline_audit_and_training_clips_are_on_the_page(run: Run, here: Path) -> None:
    run("score", "gen", "ref", "--save", "best.json")
    options = ["--audit", "--train", "ref", "--baseline", "best.json", "--fail-if", "cov>=0", "--statistics"]
    done = run("score", "gen", "ref", "--report", "r.html", *options)
    assert done.status == 1
    text = read("r.html").text
    for word in ("cov>=0", "fails", "baseline", "inverted", "image class NNN", "Against the clips trained on", " to "):
        assert word in text


def test_figures_of_vectors_and_labels_are_on_the_page(run: Run, here: Path) -> None:
    for name in ("gen", "ref"):
        labels = "".join(f'{{"file_name": "{k}.wav", "label": "{"<tom>" if k < 2 else "hat"}"}}\n' for k in range(4))
        Path(name, "metadata.jsonl").write_text(labels)
    words = ("score", "gen", "ref", "--feature", "mfcc", "--per-label", "--report", "r.html")
    *labels, row = run(*words).rows
    text = read("r.html").text
    for one in (row, *labels):
        assert f"{one['frechet']['value']:.4g}" in text
        assert f"{one['kernel_mmd']['value']:.4g}" in text
    assert f"standard error {row['kernel_mmd']['standard_error']:.4g}" in text
    section = text[text.index("By label") :]
    assert section.index("<tom>") < section.index("hat") < section.index("How wide are they")


def test_refused_inputs_are_on_the_page_by_name(run: Run, here: Path) -> None:
    Path("gen/text.wav").write_text("no sound")
    assert run("score", "gen", "ref", "--report", "r.html").status == 3
    assert "gen/text.wav" in read("r.html").text


def test_nothing_is_asked_for_from_outside_and_no_script_runs(run: Run, here: Path) -> None:
    run("score", "gen", "ref", "--report", "r.html")
    page = read("r.html")
    assert not page.all("script")
    for name, attributes in page.elements:
        for key in ("src", "href", "srcset", "poster", "action", "data"):
            assert (attributes.get(key) or "data:").startswith("data:"), (name, key)


def test_a_hostile_name_stays_text_on_the_page_and_in_the_picture(run: Run, here: Path) -> None:
    Path("gen").rename(HOSTILE)
    Path(HOSTILE, "3.wav").rename(Path(HOSTILE, "$\\frac{<script>alert(1)<script>.wav"))
    assert run("score", HOSTILE, "ref", "--report", "r.html", "--plot", "p.svg").status == 0
    page = read("r.html")
    assert not page.all("script")
    assert not [attributes for _, attributes in page.elements if "onerror" in attributes]
    assert all(image["src"].startswith("data:") for image in page.all("img"))
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "<script>alert(1)<script>" in page.text
    # What turns the direction of writing would show another name than the file has.
    assert "\u202e" not in page.text
    assert is_svg("p.svg")


def test_a_name_that_is_no_text_is_shown_by_its_bytes(run: Run, here: Path) -> None:
    Path("gen/3.wav").rename("gen/\udcff.wav")
    assert run("score", "gen", "ref", "--report", "r.html").status == 3
    assert "gen/\\udcff.wav" in read("r.html").text


def test_each_player_plays_the_clip_it_names_beside_its_nearest_reference(run: Run, here: Path) -> None:
    run("score", "gen", "ref", "--report", "r.html")
    page = read("r.html")
    names = [one["aria-label"] for one in page.all("audio")]
    assert len(names) == 2 * 2
    for (samples, rate), name in zip(sounds(page), names, strict=True):
        path = name.split(": ")[1].split(",")[0]
        assert name.startswith("generated: gen/" if path.startswith("gen") else "reference: ref/")
        expected, expected_rate = soundfile.read(path)
        assert rate == expected_rate
        assert samples == pytest.approx(expected, abs=1.0 / 32768)
    assert [name.split(":")[0] for name in names] == ["generated", "reference"] * 2


def test_the_clip_farthest_from_all_references_is_the_first_of_the_far_ones(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_shown, "PAIRS", 4)
    shown = returned(shown_of(measured(Path("gen")), measured(Path("ref")), PROTOCOLS["paper"], jobs=1, device=None))
    assert (shown.farthest[0].generated, shown.farthest[0].reference) == ("gen/3.wav", "ref/3.wav")
    distances = [pair.distance for pair in shown.nearest + shown.farthest[::-1]]
    assert distances == sorted(distances)
    assert len({pair.generated for pair in shown.nearest + shown.farthest}) == 4


def test_long_and_too_loud_clips_are_cut_and_turned_down(run: Run, here: Path) -> None:
    time = np.arange(5 * RATE) / RATE
    for name in ("gen", "ref"):
        shutil.rmtree(name)
        Path(name).mkdir()
        loud = 3.0 * np.sin(2 * np.pi * 100 * time)
        soundfile.write(f"{name}/a.wav", np.stack([loud, 0 * loud], axis=1), RATE, "FLOAT")
    assert run("score", "gen", "ref", "--report", "r.html").status == 0
    page = read("r.html")
    (first, _), (_, _) = sounds(page)
    assert first.shape == (score_shown.HEARD_S * RATE, 2)
    assert np.abs(first).max() == pytest.approx(1.0, abs=1e-3)
    assert "the first 4 s" in page.text
    assert "Farthest" not in page.text


@pytest.mark.parametrize(
    "options",
    [
        ["--feature", "logmel"],
        ["--feature", "pca-angle", "--range", "quantile"],
        ["--feature", "side-distance", "--range", "full"],
        ["--length", "0.05"],
        ["--shape"],
        ["--sizes", "all", "--distance", "l2"],
    ],
    ids=" ".join,
)
def test_every_feature_has_its_page_and_picture(run: Run, here: Path, options: list[str]) -> None:
    Path("gen/0.wav").unlink()
    write(Path("ref/4.wav"), width=0.5, seconds=0.27)
    assert run("score", "gen", "ref", "--report", "r.html", "--plot", "p.png", *options).status == 0
    assert len(read("r.html").all("img")) == 2 + 2 * 2


def test_silent_and_mono_clips_have_pictures(run: Run, here: Path) -> None:
    for name in ("gen", "ref"):
        shutil.rmtree(name)
        Path(name).mkdir()
        soundfile.write(f"{name}/silent.wav", np.zeros((400, 2)), RATE)
        soundfile.write(f"{name}/short.wav", np.full(1, 0.5), RATE)
    assert run("score", "gen", "ref", "--report", "r.html", "--plot", "p.png").status == 0
    assert "silent" in read("r.html").text


def test_equal_inputs_give_equal_bytes_wherever_they_lie(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--report", "r.html", "--plot", "p.svg", "--feature", "std")
    run("score", "gen", "ref", *options)
    shutil.copytree(here, here / "elsewhere")
    first = [Path(name).read_bytes() for name in ("r.html", "p.svg")]
    monkeypatch.chdir(here / "elsewhere")
    run("score", "gen", "ref", *options, "--jobs", "2")
    assert [Path(name).read_bytes() for name in ("r.html", "p.svg")] == first
    assert str(here).encode() not in first[0] + first[1]


def test_the_picture_is_of_the_kind_that_its_name_says(run: Run, here: Path) -> None:
    run("score", "gen", "ref", "--plot", "p.PNG")
    run("score", "gen", "ref", "--plot", "p.svg")
    assert imread(io.BytesIO(Path("p.PNG").read_bytes())).shape[1] > 1000
    assert is_svg("p.svg")


@pytest.mark.parametrize(("option", "name"), [("--plot", "p.jpg"), ("--plot", "p"), ("--report", "r.png")])
def test_a_name_of_another_kind_is_refused_before_any_work(run: Run, here: Path, option: str, name: str) -> None:
    done = run("score", "gen", "ref", option, name)
    assert (done.status, done.rows) == (2, [])
    assert f"{option} {name}: its name must end in" in done.err


@pytest.mark.parametrize("option", ["--report", "--plot"])
def test_a_missing_folder_is_told_before_any_work(run: Run, here: Path, option: str) -> None:
    name = {"--report": "no/r.html", "--plot": "no/p.png"}[option]
    for words in ((), ("--paired",)):
        done = run("score", "gen", "ref", *words, option, name)
        assert (done.status, done.rows) == (74, [])
        assert done.err == f"stereokit: cannot write {name}: its folder is missing\n"


def test_without_matplotlib_the_line_names_the_extra(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = ("score_report", "score_pictures", "score_shown", "report_pictures")
    for name in [one for one in sys.modules if one.startswith("matplotlib") or one.endswith(pictures)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for option in ("--report=r.html", "--plot=p.png"):
        done = run("score", "gen", "ref", option)
        assert (done.status, done.rows) == (5, [])
        assert "pip install 'stereokit[plot]'" in done.err
    assert run("score", "gen", "ref").status == 0


def test_an_old_page_is_replaced_and_nothing_is_left_beside_it(run: Run, here: Path) -> None:
    Path("r.html").write_text("old")
    run("score", "gen", "ref", "--report", "r.html")
    assert Path("r.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in here.iterdir()) == ["gen", "r.html", "ref"]


def test_courses_over_time_are_the_quantiles_of_the_clips_that_last_so_long(here: Path) -> None:
    write(Path("ref/long.wav"), width=0.2, seconds=0.2)
    clips = measured(Path("ref"))
    course = returned(shown_of(clips, clips, PROTOCOLS["paper"], jobs=1, device=None)).courses["reference"]
    short = np.array([one.sequence[:, 0] for source, one in clips.clips if source.path.name != "long.wav"])
    (long,) = [one.sequence[:, 0] for source, one in clips.clips if source.path.name == "long.wav"]
    both = np.vstack([short, long[: short.shape[1]]])
    assert course.bands[:, : short.shape[1]] == pytest.approx(np.quantile(both, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0))
    assert course.bands[:, short.shape[1] :] == pytest.approx(np.tile(long[short.shape[1] :], (5, 1)))
    assert course.times == pytest.approx(0.02 + 0.01 * np.arange(len(long)))


def test_courses_are_of_width_whatever_is_compared(here: Path) -> None:
    courses = []
    for protocol in (PROTOCOLS["paper"], protocol_with("paper", feature="correlation")):
        sets = [measured(Path(name), protocol) for name in ("gen", "ref")]
        courses.append(returned(shown_of(*sets, protocol, jobs=1, device=None)).courses["generated"])
    assert courses[0].bands == pytest.approx(courses[1].bands)


def test_courses_of_a_large_set_come_from_some_of_its_clips_and_the_page_says_so(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_shown, "_COURSE_CLIPS", 2)
    run("score", "gen", "ref", "--report", "r.html")
    assert "Drawn from 2 of 4 reference clips and 2 of 4 generated clips" in read("r.html").text


def test_a_long_clip_is_drawn_in_few_columns(here: Path) -> None:
    write(Path("long/a.wav"), width=0.3, seconds=20.0)
    clips = measured(Path("long"))
    course = returned(shown_of(clips, clips, PROTOCOLS["paper"], jobs=1, device=None)).courses["reference"]
    assert len(course.times) <= 400
    assert course.times[-1] == pytest.approx(20.0, abs=0.1)
    assert course.bands[2, 0] == pytest.approx(clips.clips[0][1].sequence[:5, 0].mean())
