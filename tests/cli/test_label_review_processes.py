"""The review as a process: killed, interrupted, started twice; what was decided stays."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

RATE = 22_050
WORDS = (sys.executable, "-c", "from stereokit.cli.start import main; main()", "label", "review")


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    seconds = np.arange(2000) / RATE
    for number in range(6):
        soundfile.write(folder / f"tone{number}.wav", np.sin(1000.0 * (1 + number) * seconds) / 2, RATE)
    return folder


@contextlib.contextmanager
def started(sounds: Path, decisions: Path, *words: str) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    """A review that serves its page, and a client of it; killed at the end if it is still there."""
    told = decisions.with_suffix(".txt")
    words = ("-o", str(decisions), "--classes", "low,high", "--layout", "pca", "--jobs", "1", *words)
    with (
        told.open("w") as errors,
        subprocess.Popen([*WORDS, str(sounds), *words], stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            while "Ctrl-C ends" not in told.read_text():
                assert process.poll() is None, told.read_text()
                time.sleep(0.05)
            (address,) = re.findall(r"open (http://127\.0\.0\.1:\d+/\S+/)", told.read_text())
            with httpx.Client(base_url=address) as client:
                yield process, client
        finally:
            process.kill()


def decide(page: httpx.Client, clip: int, label: str, seen: int = 0) -> int:
    answer = page.post("decide", json={"listener": "tab", "wishes": [[clip, label, seen]]})
    assert answer.status_code == 200
    return answer.json()["verdicts"][0][3]


def decided(sounds: Path, decisions: Path) -> dict[str, str]:
    done = subprocess.run(
        [*WORDS, str(sounds), "-o", str(decisions), "--results", "--json"], capture_output=True, text=True, check=True
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["file_name"]: row["label"] for row in rows if row.get("label")}


def test_a_review_that_is_killed_loses_nothing_that_was_answered(sounds, tmp_path):
    decisions = tmp_path / "review.sqlite"
    with started(sounds, decisions) as (process, page):
        for clip in range(4):
            decide(page, clip, "low" if clip < 2 else "high")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert decided(sounds, decisions) == {
        "tone0.wav": "low", "tone1.wav": "low", "tone2.wav": "high", "tone3.wav": "high",
    }  # fmt: skip
    with started(sounds, decisions) as (process, page):
        assert [one[1] for one in page.get("set").json()["verdicts"]] == ["low", "low", "high", "high", None, None]
        second = subprocess.run(
            [*WORDS, str(sounds), "-o", str(decisions)], capture_output=True, text=True, check=False
        )
        assert (second.returncode, second.stdout) == (75, "")
        assert f"{decisions} is in use by process {process.pid}" in second.stderr
        port = page.base_url.port
        other = subprocess.run(
            [*WORDS, str(sounds), "-o", str(tmp_path / "other.sqlite"), "--layout", "pca", "--port", str(port)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert other.returncode == 75
        assert f"--port {port} is in use by another program" in other.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


@pytest.mark.parametrize(("ended_by", "status"), [("finish", 0), ("SIGTERM", 143)])
def test_a_review_ends_with_the_status_of_its_end(sounds, tmp_path, ended_by, status):
    with started(sounds, tmp_path / "review.sqlite", "--json") as (process, page):
        decide(page, 5, "high")
        if ended_by == "finish":
            page.post("finish", json={})
        else:
            process.send_signal(signal.SIGTERM)
        rows = [json.loads(line) for line in process.stdout]
        assert process.wait(timeout=30) == status
    labelled = [row["file_name"] for row in rows if row.get("label")]
    assert labelled == (["tone5.wav"] if ended_by == "finish" else [])
    assert decided(sounds, tmp_path / "review.sqlite") == {"tone5.wav": "high"}
