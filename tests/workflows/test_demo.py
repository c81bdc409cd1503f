"""What ``stereokit demo`` makes and leaves behind: on a toy family, which takes no time to train."""

import contextlib
import functools
import io
import json
import shutil
import signal
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import toy_family
from rich.console import Console

from stereokit.cli.app import run as run_command_line
from stereokit.cli.streams import Streams
from stereokit.cli.tables import demo_table
from stereokit.errors import LockedError, OutputError, Status, Terminated
from stereokit.workflows import demo as workflow
from stereokit.workflows import demo_report, train_session, train_validation
from stereokit.workflows.demo import DemoSettings
from stereokit.workflows.demo_scores import ScoredSet, reading
from stereokit.workflows.events import Row
from stereokit.writing import locked

Run = Callable[..., SimpleNamespace]
Demo = Callable[..., SimpleNamespace]
LOCK = ".stereokit-lock"
COUNT = 40


@contextlib.contextmanager
def toys() -> Iterator[None]:
    """The demo trains the toy; pictures, which take long, are not drawn; no power fails."""
    small = functools.partial(DemoSettings, family="toy", preset="tiny", assignments=("gain=0.4",))
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch, toy_family.installed():
        patch.setattr(workflow, "DemoSettings", small)
        patch.setattr(demo_report, "clip_picture", lambda clip: clip.samples.tobytes()[:64])
        for name in ("widths_over_time", "width_distributions"):
            patch.setattr(demo_report, name, lambda sets: b"".join(values.tobytes() for values in sets.values()))
        patch.setattr(train_validation, "spectrogram_grid", lambda clips, *_, **__: clips[0].tobytes())
        patch.setattr("os.fsync", lambda descriptor: None)
        patch.setattr("os.sync", lambda: None)
        yield
    torch.set_num_threads(threads)


def run_demo(folder: Path, *words: object) -> SimpleNamespace:
    """Run the command in this process."""
    out, err = io.StringIO(), io.StringIO()
    line = ["demo", "-o", folder, "--count", COUNT, "--device", "cpu", *words]
    status = run_command_line(list(map(str, line)), Streams(io.StringIO(), out, err, {}))
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    return SimpleNamespace(status=int(status), out=out.getvalue(), err=err.getvalue(), rows=rows, folder=folder)


def sounds(folder: Path) -> dict[str, bytes]:
    """Every sound below a folder, the previews of the training too, and the report."""
    paths = [path for path in folder.rglob("*") if path.suffix in (".wav", ".html") or path.name == "metadata.jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}


@pytest.fixture(autouse=True)
def _toy(request: pytest.FixtureRequest) -> Iterator[None]:
    with contextlib.nullcontext() if request.node.get_closest_marker("slow") else toys():
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A demo that all tests look at and none changes."""
    with toys():
        return run_demo(tmp_path_factory.mktemp("finished") / "demo")


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    """Run the command into ``tmp_path / "demo"``."""
    return functools.partial(run_demo, tmp_path / "demo")


@pytest.fixture
def copied(finished: SimpleNamespace, tmp_path: Path) -> Path:
    """A finished demo of one's own at ``tmp_path / "demo"``."""
    return shutil.copytree(finished.folder, tmp_path / "demo")


class TestAWholeDemo:
    def test_tells_the_figures_of_each_set_and_then_where_everything_is(self, finished: SimpleNamespace):
        assert finished.status == 0, finished.err
        *sets, summary = finished.rows
        assert [row["set"] for row in sets] == ["noise", "generated", "training", "perfect"]
        held_out = len(list((finished.folder / "dataset/test").glob("*.wav")))
        for row in sets:
            assert row["schema"] == "stereokit.demo.set/1"
            assert row["clips"] == held_out // 2
            for feature in ("stsd", "logmel"):
                assert set(row[feature]) == {"cov", "mmd", "nna"}
                assert all(isinstance(value, float) for value in row[feature].values())
        assert summary["schema"] == "stereokit.demo/1"
        assert summary["status"] == "done"
        for name in ("report", "dataset", "run", "generated", "noise"):
            assert Path(summary[name]).exists()
        assert summary["seconds"] > 0
        assert summary["is_nearer_than_noise"] == {
            feature: sets[1][feature]["mmd"] < sets[0][feature]["mmd"] for feature in ("stsd", "logmel")
        }

    def test_leaves_folders_that_the_other_commands_take(self, copied: Path, run: Run):
        assert json.loads((copied / "demo.json").read_text())["schema"] == "stereokit.demo/1"
        generate, score, train = (
            line.split()[1:] for line in demo_report.next_commands(f"{copied}/", "toy", "--preset tiny --set gain=0.4")
        )
        assert run(*generate).status == 0
        assert run(*score).status == 0
        assert run(*train[:-2], "--steps", 2, "--device", "cpu").status == 0

    def test_is_told_step_by_step_and_nothing_of_its_parts_is_lost(self, finished: SimpleNamespace):
        assert [f"{step} of 4" in finished.err for step in (1, 2, 3, 4)] == [True] * 4
        assert "training toy (tiny)" in finished.err

    def test_of_the_same_seed_has_the_same_bytes_and_of_another_seed_others(
        self, finished: SimpleNamespace, demo: Demo, copied: Path
    ):
        assert demo("--force").status == 0
        assert sounds(copied) == sounds(finished.folder)
        assert demo("--force", "--seed", 1).status == 0
        assert sounds(copied)["report.html"] != sounds(finished.folder)["report.html"]

    def test_says_nothing_of_its_place_in_the_report(self, finished: SimpleNamespace):
        assert str(finished.folder.parent) not in (finished.folder / "report.html").read_text()

    def test_shows_eight_held_out_clips_and_as_many_generated_ones_as_there_are(self, finished: SimpleNamespace):
        players = []

        class Reader(HTMLParser):
            def handle_starttag(self, tag, attrs):
                if tag == "audio":
                    players.append(dict(attrs)["aria-label"])

        Reader().feed((finished.folder / "report.html").read_text())
        generated = [path.name for path in sorted((finished.folder / "generated").glob("*.wav"))]
        assert all(label.endswith(")") for label in players[:8]), "held-out clips have the name of their root note"
        assert players[8:-4] == generated[:8]
        assert players[-4:] == [f"{number:06d}.wav" for number in range(4)]

    def test_is_quiet_when_asked(self, demo: Demo):
        result = demo("--quiet")
        assert (result.status, result.out, result.err) == (0, "", "")


class TestTheTable:
    def test_has_a_line_a_set_what_to_read_from_it_and_commands_in_one_piece(self, finished: SimpleNamespace):
        rows = [Row(fields.pop("schema"), fields) for fields in map(dict, finished.rows)]
        console = Console(width=80, file=io.StringIO())
        console.print(demo_table(rows), crop=False)
        out = console.file.getvalue()
        features, titles, *lines = out.splitlines()[:6]
        assert features.split() == ["stsd"] * 3 + ["logmel"] * 3
        assert titles.split() == ["set", "clips", *["COV", "MMD", "1-NNA"] * 2]
        assert [line.split()[0] for line in lines] == ["noise", "generated", "training", "perfect"]
        told = " ".join(out.split())
        assert "lower is nearer" in told
        assert "a perfect generator gets" in told
        assert str(finished.folder / "report.html") in told
        for command in demo_report.next_commands(f"{finished.folder}/", "toy", "--preset tiny --set gain=0.4"):
            assert f"  {command}\n" in out


class TestAFolderThatIsThere:
    def test_with_a_finished_demo_is_left_alone_without_force(self, demo: Demo, copied: Path):
        before = sounds(copied)
        result = demo("--seed", 3)
        assert result.status == Status.USAGE
        assert "--force" in result.err
        assert sounds(copied) == before

    @pytest.mark.parametrize("words", [[], ["--force"]])
    def test_with_other_files_is_left_alone_even_with_force(self, demo: Demo, tmp_path: Path, words: list[str]):
        (tmp_path / "demo").mkdir()
        (tmp_path / "demo/thesis.txt").write_text("mine")
        result = demo(*words)
        assert result.status == Status.USAGE
        assert "holds other files" in result.err
        assert [path.name for path in (tmp_path / "demo").iterdir()] == ["thesis.txt"]

    @pytest.mark.parametrize("text", ['{"schema": "other/1"}', "[]", "{", ""])
    def test_with_a_demo_json_of_another_program_is_left_alone(self, demo: Demo, tmp_path: Path, text: str):
        (tmp_path / "demo").mkdir()
        (tmp_path / "demo/demo.json").write_text(text)
        assert demo("--force").status == Status.USAGE
        assert (tmp_path / "demo/demo.json").read_text() == text

    def test_that_is_a_file_is_refused(self, demo: Demo, tmp_path: Path):
        (tmp_path / "demo").write_text("mine")
        result = demo("--force")
        assert result.status == Status.USAGE
        assert "is a file" in result.err

    def test_that_another_process_fills_is_refused(self, demo: Demo, tmp_path: Path):
        (tmp_path / "demo").mkdir()
        with locked(tmp_path / "demo" / LOCK):
            assert demo().status == LockedError.status

    def test_keeps_what_the_user_has_put_beside_the_parts(self, demo: Demo, copied: Path):
        (copied / "notes.txt").write_text("mine")
        assert demo("--force").status == 0
        assert (copied / "notes.txt").read_text() == "mine"


class TestAnInterruptedDemo:
    @pytest.fixture
    def whole(self, finished: SimpleNamespace) -> dict[str, bytes]:
        return sounds(finished.folder)

    def test_in_training_is_saved_and_goes_on_to_the_same_bytes(
        self, demo: Demo, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        append = train_session.append_line
        seen = []

        def interrupt_once(run: Path, line: dict) -> None:
            append(run, line)
            seen.append(line["step"])
            if seen == [1]:
                signal.raise_signal(signal.SIGTERM)

        monkeypatch.setattr(train_session, "append_line", interrupt_once)
        result = demo()
        assert result.status == Status.TERMINATED
        assert "goes on" in result.err
        assert not (tmp_path / "demo/report.html").exists()
        again = demo()
        assert again.status == 0, again.err
        assert "from step 1" in again.err
        assert sounds(tmp_path / "demo") == whole

    @pytest.mark.parametrize(
        ("part", "error", "status"),
        [
            ("prep", OutputError("disk full"), 74),
            ("generate", KeyboardInterrupt, 130),
            ("write_noise", Terminated, 143),
            ("score_sets", KeyboardInterrupt, 130),
            ("report", OutputError("disk full"), 74),
        ],
    )
    def test_in_any_other_part_is_finished_by_the_same_command(  # noqa: PLR0917
        self, demo: Demo, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part, error, status
    ):
        def fail(*_: object, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(workflow, part, fail)
            assert demo().status == status
        assert not (tmp_path / "demo/report.html").exists()
        assert demo().status == 0
        assert sounds(tmp_path / "demo") == whole

    def test_with_another_seed_trains_anew(self, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        with monkeypatch.context() as patch:
            patch.setattr(workflow, "generate", lambda settings: (_ for _ in ()).throw(KeyboardInterrupt))
            assert demo("--seed", 5).status == 130
        assert demo().status == 0
        assert json.loads((tmp_path / "demo/run/config.json").read_text())["training"]["seed"] == 0

    def test_that_had_made_nothing_leaves_nothing(self, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(workflow, "prep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert demo().status == 130
        assert not (tmp_path / "demo").exists()


class TestTheReading:
    @staticmethod
    def sets(generated: dict[str, float]) -> list[ScoredSet]:
        def one(name: str, width: float, timbre: float) -> ScoredSet:
            scores = {"stsd": width, "logmel": timbre}
            return ScoredSet(
                name, 9, {key: dict.fromkeys(("cov", "mmd", "nna"), value) for key, value in scores.items()}
            )

        return [
            one("noise", 0.5, 20.0),
            one("generated", generated["stsd"], generated["logmel"]),
            one("training", 0.1, 5.0),
            one("perfect", 0.1, 5.0),
        ]

    @pytest.mark.parametrize(
        ("width", "timbre", "verdict"),
        [
            (0.2, 6.0, "nearer to real ones than noise is in width and in timbre."),
            (0.2, 30.0, "nearer to real ones than noise is in width, but not in timbre: there"),
            (0.9, 6.0, "nearer to real ones than noise is in timbre, but not in width: there"),
            (0.9, 30.0, "no nearer to real ones than noise:"),
            (0.5, 20.0, "no nearer to real ones than noise:"),
        ],
    )
    def test_says_what_the_figures_say_and_nothing_better(self, width: float, timbre: float, verdict: str):
        assert verdict in reading(self.sets({"stsd": width, "logmel": timbre}))[-1]

    def test_gives_the_figures_of_all_that_it_names(self):
        first = reading(self.sets({"stsd": 0.25, "logmel": 7.0}))[0]
        assert "Width: a perfect generator gets 0.100, this one 0.250, noise 0.500;" in first
        assert "timbre: a perfect generator gets 5.00, this one 7.00, noise 20.00." in first

    def test_has_a_dash_where_a_null_is_not_known(self):
        sets = self.sets({"stsd": 0.25, "logmel": 7.0})
        sets[-1].figures["stsd"]["mmd"] = None
        assert "a perfect generator gets -" in reading(sets)[0]


@pytest.mark.slow
def test_sample_gan_itself_learns_and_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    threads = torch.get_num_threads()
    monkeypatch.setattr(
        workflow, "DemoSettings", functools.partial(DemoSettings, preset="tiny", assignments=("channels=image",))
    )
    result = run_demo(tmp_path / "demo")
    torch.set_num_threads(threads)
    assert result.status == 0, result.err
    report = (tmp_path / "demo/report.html").read_text()
    assert report.count("<audio ") == 8 + len(list((tmp_path / "demo/generated").glob("*.wav"))) + 4
    assert report.count("data:image/png") == report.count("<audio ") + 2
    assert "sample-gan (--preset tiny --set channels=image" in report
