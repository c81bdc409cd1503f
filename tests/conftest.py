"""Fixtures that all tests share."""

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

# Tests run in several processes: threads in each would only wait for each other. Read when torch loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest
import soundfile

from stereokit.cli.app import run as run_command_line
from stereokit.cli.streams import Streams
from stereokit.data import catalogue
from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.tables import METADATA
from stereokit.data.workers import map_files
from stereokit.workflows import prep_job

_MODULES_SHOWN = 40

# Who looks for what nobody thought of runs the campaigns; here each run tries the same, and in little time.
hypothesis.settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
hypothesis.settings.load_profile("quick")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real recordings; its absence skips, or fails where they are required."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("STEREOKIT_TEST_DATA", default)).resolve()
    if not folder.is_dir():
        if os.environ.get("STEREOKIT_REQUIRE_DATA") == "1":
            pytest.fail(f"STEREOKIT_REQUIRE_DATA=1, but there are no recordings at {folder}")
        pytest.skip(f"no recordings at {folder}: set STEREOKIT_TEST_DATA")
    return folder


@pytest.fixture
def data_set(tmp_path: Path) -> Callable[..., Path]:
    """Write a data set as prep leaves it; clip n is n + 1 steps of 16 bit on the left, and -(n + 1) on the right."""

    def write(count: int, *, subtype: str = "PCM_16", **columns: list) -> Path:
        folder = tmp_path / f"set-{len(list(tmp_path.iterdir()))}"
        lines = []
        for index in range(count):
            given = {name: values[index % len(values)] for name, values in columns.items()}
            row = {"split": "train", "label": None, "sample_rate_hz": 8_000, "frames": 8} | given
            name = f"{row['split']}/{index}.wav"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            samples = np.full((row["frames"], 2), [index + 1, -index - 1], np.int16)
            soundfile.write(folder / name, samples, row["sample_rate_hz"], subtype)
            lines.append(json.dumps({"file_name": name, **row}) + "\n")
        (folder / METADATA).write_text("".join(lines))
        (folder / DESCRIPTION).write_text(json.dumps({"schema": DATASET_SCHEMA, "fingerprint": "abc"}))
        return folder

    return write


@pytest.fixture
def quick_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data sets are built in this process, and no power fails: nothing waits for the disk."""

    def in_this_process(function: Callable[[Any], Any], items: Sequence[Any], **_: object) -> Iterator[tuple[int, Any]]:
        return enumerate(map_files(function, items, jobs=1, chunk=1, inline_up_to=0))

    monkeypatch.setattr(prep_job, "isolated_results", in_this_process)
    monkeypatch.setattr(catalogue, "_SYNCHRONOUS", "OFF")
    monkeypatch.setattr("os.sync", lambda: None)


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run() -> Callable[..., SimpleNamespace]:
    """Run the command line in this process: ``run("list", stdin="") -> status, out, err, rows``."""

    def run_words(*words: object, stdin: str = "", terminal: bool = False) -> SimpleNamespace:
        out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
        streams = Streams(io.StringIO(stdin), out, err, {"TERM": "dumb", "COLUMNS": "200"})
        status = run_command_line([str(word) for word in words], streams)
        text = out.getvalue()
        lines = [line for line in text.splitlines() if line.startswith("{")]
        rows = [json.loads(line) for line in lines] if not terminal else []
        return SimpleNamespace(status=int(status), out=text, err=err.getvalue(), rows=rows)

    return run_words


def pytest_itemcollected(item: pytest.Item) -> None:
    """Write a test's marker down: a report's keywords hold the names of folders, too."""
    marker = next((name for name in ("slow", "data", "browser", "gpu") if item.get_closest_marker(name)), "unmarked")
    item.user_properties.append(("marker", marker))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seconds that tests took, by marker; and the modules whose unmarked tests took most."""
    seconds: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                marker = dict(report.user_properties).get("marker", "unmarked")
                seconds[marker] += report.duration
                modules[report.nodeid.partition("::")[0]] += report.duration if marker == "unmarked" else 0.0
    told = ", ".join(f"{marker} {value:.0f} s" for marker, value in sorted(seconds.items()))
    terminalreporter.write_line(f"seconds of work by marker: {told}")
    longest = ", ".join(f"{name} {value:.0f} s" for name, value in modules.most_common(_MODULES_SHOWN) if value >= 1.0)
    terminalreporter.write_line(f"unmarked, most first: {longest}")
