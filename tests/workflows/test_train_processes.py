"""``stereokit train`` as a user starts it: real processes, real signals, the smallest real family."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stereokit.models._run import load_run

pytestmark = pytest.mark.slow

PROGRAM = (sys.executable, "-m", "stereokit")
TINY = ("--preset", "tiny", "--set", "bank=8", "--set", "validate_every=4", "--device", "cpu")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
LIMIT_S = 180.0


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty sounds of 0.2 s, some of them for validation."""
    folder = tmp_path_factory.mktemp("data") / "ds"
    words = ("--synth", "drums", "--count", "40", "--length", "0.2", "--split", "0.5,0.4,0.1", "-q")
    subprocess.run([*PROGRAM, "prep", *words, "-o", folder], check=True)
    return folder


def start(*words: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*PROGRAM, "train", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT_S)
    return process.returncode, out, err


def wait_for(path: Path, text: str, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + LIMIT_S
    while not (path.exists() and text in path.read_text()):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


def children(process: "subprocess.Popen[str]") -> list[int]:
    task = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in task.read_text().split()]


def contents(folder: Path) -> dict[str, Any]:
    """Everything in a run but the lock and what the clock gives: seconds, and the curve that is drawn over them."""
    found: dict[str, Any] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.name == "log.jsonl":
            lines = map(json.loads, path.read_text().splitlines())
            found[name] = [{key: value for key, value in line.items() if "second" not in key} for line in lines]
        elif path.name == "state.json":
            found[name] = json.loads(path.read_text()) | {"elapsed_s": None}
        elif path.is_file() and path.name not in (".stereokit-lock", "curve.png"):
            found[name] = path.read_bytes()
    return found


def test_a_training_that_is_terminated_and_killed_comes_to_the_same_end(dataset: Path, tmp_path: Path) -> None:
    words = ("sample-gan", dataset, *TINY, "--steps", 5)
    status, _, err = finish(start(*words, "-o", tmp_path / "whole"))
    assert status == 0, err
    run = tmp_path / "parts"
    process = start(*words, "-o", run)
    wait_for(run / "log.jsonl", '"step": 1', process)
    process.send_signal(signal.SIGTERM)
    status, _, err = finish(process)
    assert status == 143, err
    assert err.splitlines()[-1].endswith(f"stereokit train --resume -o {run} goes on")
    process = start("--resume", "-o", run, "--device", "cpu")
    wait_for(run / "log.jsonl", '"step": 3', process)
    process.kill()
    assert finish(process)[0] == -9
    status, _, err = finish(start("--resume", "-o", run, "--device", "cpu"))
    assert status == 0, err
    parts, whole = contents(run), contents(tmp_path / "whole")
    assert parts.keys() == whole.keys()
    assert [name for name in parts if parts[name] != whole[name]] == []
    assert load_run(run)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")
def test_a_signal_to_one_of_two_processes_stops_both_and_the_run_goes_on(dataset: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ("sample-gan", dataset, *TINY, "--devices", 2, "--set", "validate_every=99", "--steps", 90)
    process = start(*words, "-o", run)
    wait_for(run / "log.jsonl", '"step": 2', process)
    (other,) = children(process)
    assert finish(start("--resume", "-o", run, "--device", "cpu"))[0] == 75
    os.kill(other, signal.SIGTERM)
    status, out, err = finish(process)
    assert status == 143, err
    (row,) = map(json.loads, out.splitlines())
    assert row["status"] == "terminated"
    # One process speaks: how it starts, and how it ended.
    assert err.count("\n") == 2, err
    assert not Path(f"/proc/{other}").exists()
    done = row["steps"]
    assert [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()] == [*range(1, done + 1)]
    resumed = finish(start("--resume", "-o", run, "--device", "cpu", "--set", "validate_every=99", "--steps", done + 1))
    assert resumed[0] == 0, resumed[2]
    assert json.loads(resumed[1])["steps"] == done + 1


def test_a_disk_that_fills_up_is_status_74(dataset: Path, tmp_path: Path) -> None:
    # No file may grow past 2 MB: the model does.
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000));"
        "from stereokit.cli.app import main; main()"
    )
    words = [sys.executable, "-c", program, "train", "sample-gan", str(dataset), *TINY, "--steps", "2"]
    result = subprocess.run(
        [*words, "-o", tmp_path / "run"], capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=LIMIT_S
    )
    assert result.returncode == 74, result.stderr
    assert result.stderr.splitlines()[-1].endswith("safetensors: File too large")
    assert not list((tmp_path / "run" / "training").iterdir())
