"""What every command promises: one line for an error, the documented status, a clean stdout."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from stereokit.cli import app as app_module
from stereokit.cli.app import run as run_command_line
from stereokit.cli.streams import Streams
from stereokit.errors import (
    BadInputError,
    ClosedPipeError,
    LockedError,
    MissingError,
    OutputError,
    Status,
    StereokitError,
    Terminated,
    UsageError,
)

PROGRAM = [sys.executable, "-m", "stereokit"]


def streams() -> Streams:
    return Streams(io.StringIO(), io.StringIO(), io.StringIO())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), 2),
        (BadInputError("x"), 4),
        (MissingError("x"), 5),
        (StereokitError("x"), 70),
        (ValueError("x"), 70),
        (OutputError("x"), 74),
        (OSError(28, "No space left on device"), 74),
        (LockedError("x"), 75),
        (KeyboardInterrupt(), 130),
        (ClosedPipeError("x"), 141),
        (BrokenPipeError(), 141),
        (Terminated(), 143),
    ],
)
def test_each_error_of_a_command_becomes_its_status_and_at_most_one_line(
    error: BaseException, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(app_module, "app", fail)
    used = streams()
    assert run_command_line(["list"], used) == status
    told = used.stderr.getvalue()
    assert told.count("\n") == (0 if status == 141 else 1)
    assert "Traceback" not in told


def test_debug_raises_the_error_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("inside")

    monkeypatch.setattr(typer.Typer, "__call__", fail)
    with pytest.raises(ValueError, match="inside"):
        run_command_line(["list", "--debug"], streams())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "nonsense"),
        (["score", "only-one"], "ref"),
        (["score", "a", "b", "--nonsense"], "--nonsense"),
        (["score", "a", "b", "--seed", "many"], "many"),
        (["score", "a", "b", "--protocol", "other"], "paper"),
        (["prep", "--output"], "--output"),
        (["prep", "source"], "--output"),
        (["completion", "tcsh"], "bash"),
        (["list", "nonsense"], "feature"),
    ],
)
def test_a_wrong_command_line_has_status_2_and_names_what_is_wrong(run, words: list[str], said: str) -> None:
    result = run(*words)
    assert result.status == Status.USAGE
    assert said in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_a_name_with_escape_sequences_is_shown_escaped(run) -> None:
    result = run("score", "\x1b[31mred", "b")
    assert result.status == Status.USAGE
    assert "\x1b" not in result.err
    assert r"\x1b[31mred" in result.err


def test_without_words_the_help_is_shown_and_the_status_is_usage() -> None:
    result = subprocess.run(PROGRAM, capture_output=True, text=True, check=False)
    assert result.returncode == Status.USAGE
    assert "score" in result.stdout + result.stderr


def test_a_closed_stdout_ends_with_141_and_without_a_word() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([*PROGRAM, "list"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert result.returncode == Status.CLOSED_PIPE
    assert result.stderr == b""


def test_help_into_a_closed_pipe_ends_with_141() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([*PROGRAM, "score", "--help"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert result.returncode == Status.CLOSED_PIPE
    assert b"Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_stdout_ends_with_74_and_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run([*PROGRAM, "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == Status.OUTPUT
    assert result.stderr == "stereokit: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_command_with_its_status_and_one_line(number: int, status: int) -> None:
    # Reading standard input, the command waits until the signal comes.
    process = subprocess.Popen(
        [*PROGRAM, "score", "-", "/"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 20
    wanted = Path(f"/proc/{process.pid}/wchan")
    while time.monotonic() < deadline and "pipe" not in (wanted.read_text() if wanted.exists() else "pipe"):
        time.sleep(0.02)
    if not wanted.exists():
        time.sleep(2)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == status
    assert out == ""
    assert "Traceback" not in err


def test_version_prints_the_version_and_nothing_else() -> None:
    result = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("stereokit 0.")
    assert result.stderr == ""


def test_a_c_locale_does_not_break_on_names_of_any_language(tmp_path: Path) -> None:
    folder = tmp_path / "Schlägel 🥁"
    folder.mkdir()
    environment = os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        [*PROGRAM, "score", folder, folder], capture_output=True, text=True, check=False, env=environment
    )
    assert result.returncode == Status.NOTHING_DONE
    assert "Traceback" not in result.stderr


def test_stdin_may_be_closed_by_the_parent(tmp_path: Path) -> None:
    result = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", *PROGRAM, "score", "-", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == Status.NOTHING_DONE
    assert "Traceback" not in result.stderr
