"""What ``stereokit generate`` leaves behind: the same clips whichever are asked for, whole or not at all."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import toy_family

from stereokit.cli.app import run as run_command_line
from stereokit.cli.streams import Streams
from stereokit.data import staging
from stereokit.data.sources import find_sources
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA
from stereokit.errors import OutputError, Terminated
from stereokit.models._capabilities import sample_blocks
from stereokit.models._run import load_run
from stereokit.training import device
from stereokit.training.checkpoint import MODEL
from stereokit.workflows import generate as workflow
from stereokit.workflows.generate import DESCRIPTION
from stereokit.writing import locked

Run = Callable[..., SimpleNamespace]

# A process of its own that knows the toy.
PROGRAM = """
import toy_family
with toy_family.installed():
    from stereokit.cli.start import main
    main()
"""
COMMAND = (sys.executable, "-c", PROGRAM, "generate")
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # no power fails here, and a sync waits for all that other programs write
    monkeypatch.setattr("os.sync", lambda: None)
    with toy_family.installed():
        yield


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    return toy_family.write_run(tmp_path / "run")


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, but not the lock: it holds the last process's number."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != LOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def clips(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if name.endswith(".wav")}


def metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / METADATA).read_text().splitlines()]


def sent(*words: object) -> SimpleNamespace:
    """Run the command line with a binary stdout, as a pipe is one."""
    binary, err = io.BytesIO(), io.StringIO()
    streams = Streams(io.StringIO(), io.TextIOWrapper(binary), err)
    status = run_command_line([str(word) for word in words], streams)
    return SimpleNamespace(status=int(status), data=binary.getvalue(), err=err.getvalue())


# clips and rows


def test_clips_a_manifest_and_a_description_are_written_and_a_row_a_clip_is_told(
    tmp_path: Path, run: Run, trained: Path
) -> None:
    result = run("generate", trained, "-n", 5, "-o", tmp_path / "gen", "--seed", 3)
    assert result.status == 0
    assert {path.name for path in (tmp_path / "gen").iterdir()} == {
        *(f"00000{index}.wav" for index in range(5)), METADATA, DESCRIPTION, LOCK,
    }  # fmt: skip
    *rows, summary = result.rows
    for index, (row, kept) in enumerate(zip(rows, metadata(tmp_path / "gen"), strict=True)):
        assert row["schema"] == "stereokit.generate.clip/1"
        assert row["path"] == f"{tmp_path}/gen/{kept['file_name']}"
        assert all(row[name] == value for name, value in kept.items() if name != "file_name")
        data = Path(row["path"]).read_bytes()
        samples, rate = soundfile.read(row["path"], dtype="float32")
        assert (row["index"], row["seed"], row["sample_rate_hz"], row["frames"]) == (index, 3, rate, len(samples))
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["peak"] == pytest.approx(np.abs(samples).max(), abs=1e-4)
        assert (row["family"], row["preset"], row["gain_db"], row["has_side"]) == ("toy", "tiny", 0.0, True)
        assert samples.shape == (800, 2)
    assert summary["schema"] == "stereokit.generate/1"
    assert (summary["clips"], summary["turned_down"], summary["silent"]) == (5, 0, 0)
    assert summary["run"] == rows[0]["run"] == json.loads((tmp_path / "gen" / DESCRIPTION).read_text())["run"]


def test_the_same_seed_gives_the_same_bytes_however_many_are_asked_for(tmp_path: Path, run: Run, trained: Path) -> None:
    run("generate", trained, "-n", 20, "-o", tmp_path / "many")
    run("generate", trained, "-n", 3, "-o", tmp_path / "few")
    run("generate", trained, "-n", 3, "-o", tmp_path / "later", "--start", 6)
    run("generate", trained, "-n", 20, "-o", tmp_path / "other", "--seed", 1)
    many = clips(tmp_path / "many")
    assert len(set(many.values())) == 20
    assert clips(tmp_path / "few") == {name: many[name] for name in sorted(many)[:3]}
    assert clips(tmp_path / "later") == {name: many[name] for name in sorted(many)[6:9]}
    assert not set(clips(tmp_path / "other").values()) & set(many.values())


def test_rows_and_paths_are_what_other_commands_read(tmp_path: Path, run: Run, trained: Path) -> None:
    result = run("generate", trained, "-n", 8, "-o", tmp_path / "gen")
    found = find_sources("-", result.out.splitlines())
    assert [source.path.name for source in found.sources] == sorted(clips(tmp_path / "gen"))
    assert found.refused == []
    scored = run("score", "-", tmp_path / "gen", stdin=result.out)
    assert scored.status == 0
    assert scored.rows[-1]["n_gen"] == scored.rows[-1]["duplicates_across"] == 8
    assert run("prep", tmp_path / "gen", "-o", tmp_path / "ds").status == 0


@pytest.mark.parametrize("bits", ["16", "24", "float"])
def test_a_clip_over_full_scale_is_turned_down_as_a_whole_and_its_gain_recorded(
    tmp_path: Path, run: Run, bits: str
) -> None:
    quiet = toy_family.write_run(tmp_path / "quiet", gain=0.5)
    loud = toy_family.write_run(tmp_path / "loud", gain=4.0)
    for name, folder in (("q", quiet), ("l", loud)):
        assert run("generate", folder, "-n", 3, "-o", tmp_path / name, "--bits", bits).status == 0
    for row in metadata(tmp_path / "l"):
        before, _ = soundfile.read(tmp_path / "q" / row["file_name"])
        after, _ = soundfile.read(tmp_path / "l" / row["file_name"])
        assert 0.99996 < np.abs(after).max() <= 1.0
        assert row["gain_db"] < -9.0
        # one factor for both channels: the image is as it was
        np.testing.assert_allclose(after, before * 8.0 * 10.0 ** (row["gain_db"] / 20.0), atol=5e-4)
    assert "3 clips passed full scale" in run("generate", loud, "-n", 3, "-o", tmp_path / "again").err


def largest_step(samples: np.ndarray) -> float:
    """Return the largest step of the last 10 ms, the one from the last sample to silence included."""
    return float(np.abs(np.diff(np.concatenate([samples[-80:], np.zeros((1, 2))]), axis=0)).max())


@pytest.mark.parametrize("ending", ["sudden", "faded"])
def test_no_clip_ends_with_a_click_and_one_that_fades_by_itself_is_left_alone(
    tmp_path: Path, run: Run, ending: str
) -> None:
    folder = toy_family.write_run(tmp_path / "run", ending=ending)
    run("generate", folder, "-n", 4, "-o", tmp_path / "gen", "--bits", "float")
    (made,) = sample_blocks(load_run(folder).model, 4, 0)
    if ending == "sudden":
        assert made[:, :, -1].abs().amax() > 0.1
    for index, name in enumerate(sorted(clips(tmp_path / "gen"))):
        samples, _ = soundfile.read(tmp_path / "gen" / name, dtype="float32")
        before = made[index].numpy().T
        assert not samples[-1].any()
        assert largest_step(samples) <= largest_step(before)
        kept = -80 if ending == "sudden" else None
        np.testing.assert_array_equal(samples[:kept], before[:kept])


def test_sounds_without_side_and_silent_ones_are_counted(tmp_path: Path, run: Run) -> None:
    mono = toy_family.write_run(tmp_path / "mono", is_wide=False)
    result = run("generate", mono, "-n", 3, "-o", tmp_path / "gen")
    assert result.rows[-1]["without_side"] == 3
    assert not any(row["has_side"] for row in metadata(tmp_path / "gen"))
    silent = toy_family.write_run(tmp_path / "silent", gain=0.0)
    result = run("generate", silent, "-n", 3, "-o", tmp_path / "nothing")
    assert (result.status, result.rows[-1]["silent"]) == (0, 3)
    assert "3 clips are silent" in result.err


# the pipe


@pytest.mark.parametrize("bits", ["16", "24", "float"])
def test_one_wav_on_a_pipe_holds_the_clips_of_the_folder_one_after_another(
    tmp_path: Path, run: Run, trained: Path, bits: str
) -> None:
    run("generate", trained, "-n", 7, "-o", tmp_path / "gen", "--bits", bits)
    result = sent("generate", trained, "-n", 7, "-o", "-", "--bits", bits, "--quiet")
    assert (result.status, result.err) == (0, "")
    assert int.from_bytes(result.data[4:8], "little") == len(result.data) - 8
    samples, rate = soundfile.read(io.BytesIO(result.data))
    parts = [soundfile.read(tmp_path / "gen" / name)[0] for name in sorted(clips(tmp_path / "gen"))]
    assert rate == 8_000
    np.testing.assert_array_equal(samples, np.concatenate(parts))


def test_a_pipe_gets_sound_and_no_rows_even_with_json(trained: Path) -> None:
    assert (
        sent("generate", trained, "-n", 2, "-o", "-").data == sent("generate", trained, "-n", 2, "-o-", "--json").data
    )


def test_a_terminal_gets_no_bytes(run: Run, trained: Path) -> None:
    result = run("generate", trained, "-n", 2, "-o", "-", terminal=True)
    assert result.status == 2
    assert result.out == ""
    assert result.err == "stereokit: -o -: standard output is a terminal; send it to a file or a pipe\n"


def test_more_than_a_wav_file_holds_is_refused_before_anything_is_sent(trained: Path) -> None:
    result = sent("generate", trained, "-n", 10**9, "-o", "-")
    assert (result.status, result.data) == (2, b"")
    assert "at most 1342177 of these clips" in result.err


@pytest.mark.slow
def test_a_reader_that_leaves_ends_it_with_141_and_without_a_word(trained: Path) -> None:
    words = [*COMMAND, trained, "-n", "100000", "-o", "-"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdout.read(4) == b"RIFF"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 141


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_stdout_is_status_74_and_one_line(trained: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        words = [*COMMAND, trained, "-n", "3", "-o", "-"]
        result = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=ENVIRONMENT)
    assert result.returncode == 74
    assert result.stderr == "stereokit: cannot write to standard output: No space left on device\n"


# what is refused


def test_a_folder_with_something_in_it_is_refused_and_force_replaces_only_what_is_ours(
    tmp_path: Path, run: Run, trained: Path
) -> None:
    target = tmp_path / "gen"
    assert run("generate", trained, "-n", 6, "-o", target).status == 0
    before = files(target)
    result = run("generate", trained, "-n", 2, "-o", target, "--seed", 1)
    assert (result.status, files(target)) == (2, before)
    assert "--force" in result.err
    (target / "notes.txt").write_text("mine")
    assert run("generate", trained, "-n", 2, "-o", target, "--seed", 1, "--force").status == 0
    assert set(files(target)) == {"000000.wav", "000001.wav", METADATA, DESCRIPTION, "notes.txt"}
    assert clips(target).items().isdisjoint(before.items())


@pytest.mark.parametrize("kind", ["other", "run", "data set"])
def test_a_folder_of_another_kind_is_refused_even_with_force(
    tmp_path: Path, run: Run, trained: Path, kind: str
) -> None:
    target = trained if kind == "run" else tmp_path / "there"
    if kind == "other":
        target.mkdir()
        (target / "000000.wav").write_bytes(b"mine")
    if kind == "data set":
        run("prep", "--synth", "drums", "--count", 20, "-o", target)
    before = files(target)
    result = run("generate", trained, "-n", 2, "-o", target, "--force")
    assert (result.status, files(target)) == (2, before)
    assert "holds other files" in result.err
    assert run("generate", trained, "-n", 2, "-o", tmp_path / "gen").status == 0
    assert run("prep", "--synth", "drums", "--count", 20, "-o", tmp_path / "gen", "--force").status == 2


def test_a_family_that_makes_nothing_is_told_with_those_that_do(tmp_path: Path, run: Run) -> None:
    deaf = toy_family.write_run(tmp_path / "deaf", family="deaf")
    result = run("generate", deaf, "-n", 2, "-o", tmp_path / "gen")
    assert result.status == 2
    assert "deaf is none" in result.err
    assert "toy" in result.err
    assert not (tmp_path / "gen").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["-n", "0"], 2, "'0'"),
        (["-n", "-3"], 2, "-3"),
        ([], 2, "'--count' / '-n'"),
        (["-n", "1", "--bits", "8"], 2, "'8'"),
        (["-n", "1", "--start", "-1"], 2, "-1"),
        (["-n", "1", "--device", "tpu"], 2, "tpu"),
        (["-n", "1", "-o", ""], 2, "is empty"),
        (["-n", "1", "-o", "-", "--dry-run"], 2, "--dry-run"),
    ],
)
def test_wrong_words_are_refused_with_their_value(
    *, tmp_path: Path, run: Run, trained: Path, words: list[str], status: int, said: str
) -> None:
    result = run("generate", trained, "-o", tmp_path / "gen", *words)
    assert (result.status, result.out) == (status, "")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_a_missing_device_is_status_5(tmp_path: Path, run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    result = run("generate", trained, "-n", 1, "-o", tmp_path / "gen", "--device", "cuda")
    assert result.status == 5
    assert "usable: cpu" in result.err
    assert not (tmp_path / "gen").exists()


def test_a_run_that_cannot_be_read_is_status_4_and_leaves_nothing(tmp_path: Path, run: Run, trained: Path) -> None:
    data = (trained / MODEL).read_bytes()
    (trained / MODEL).write_bytes(data[: len(data) // 2])
    for given in (trained, tmp_path / "gone", tmp_path):
        result = run("generate", given, "-n", 1, "-o", tmp_path / "gen")
        assert (result.status, result.out, result.err.count("\n")) == (4, "", 1)
        assert not (tmp_path / "gen").exists()


def test_a_model_that_makes_nan_is_status_4_and_leaves_nothing(
    tmp_path: Path, run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        toy_family.Model, "sample", lambda self, draw, condition: torch.full((draw.count, 2, self.frames), torch.nan)
    )
    result = run("generate", trained, "-n", 1, "-o", tmp_path / "gen")
    assert result.status == 4
    assert "NaN" in result.err
    assert not (tmp_path / "gen").exists()


def test_without_torch_the_extra_is_named_and_the_status_is_5(trained: Path) -> None:
    program = "import sys; sys.modules['torch'] = None\nfrom stereokit.cli.start import main\nmain()"
    words = [sys.executable, "-c", program, "generate", trained, "-n", "1", "-o", "gen"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 5
    assert result.stderr == "stereokit: torch is not installed: pip install 'stereokit[train]'\n"


def test_a_dry_run_tells_what_would_be_there_and_writes_nothing(tmp_path: Path, run: Run, trained: Path) -> None:
    result = run("generate", trained, "-n", 3, "-o", tmp_path / "gen", "--dry-run")
    assert result.status == 0
    *rows, summary = result.rows
    assert [(row["status"], Path(row["path"]).name) for row in rows] == [
        ("planned", "000000.wav"), ("planned", "000001.wav"), ("planned", "000002.wav"),
    ]  # fmt: skip
    assert summary["status"] == "planned"
    assert find_sources("-", result.out.splitlines()).sources == []
    assert not (tmp_path / "gen").exists()


def test_on_a_terminal_few_clips_are_listed_and_many_are_counted(tmp_path: Path, run: Run, trained: Path) -> None:
    out = run("generate", trained, "-n", 23, "-o", tmp_path / "gen", terminal=True).out
    assert "000019.wav" in out
    assert "000020.wav" not in out
    assert "... and 3 more" in out
    assert "{" not in out


def test_quiet_says_nothing(tmp_path: Path, run: Run) -> None:
    loud = toy_family.write_run(tmp_path / "loud", gain=4.0)
    result = run("generate", loud, "-n", 2, "-o", tmp_path / "gen", "--quiet")
    assert (result.status, result.out, result.err) == (0, "", "")


# whole or not at all

FAULTS = {OutputError("the disk is full"): 74, KeyboardInterrupt(): 130, Terminated(): 143, RuntimeError("bug"): 70}
FULL, *OTHERS = FAULTS
STEPS = [
    *((workflow, "write_file", 5, fault) for fault in FAULTS),
    (workflow, "append_file", 6, FULL),
    (workflow, "encode", 1, OTHERS[0]),
    (staging, "write_file", 1, FULL),
    (staging, "sync_batch", 1, OTHERS[1]),
    *((staging, "move_file", call, FULL) for call in (1, 4, 8, 9, 15)),
    (staging, "move_file", 7, OTHERS[2]),
]


def failing(function: Callable[..., Any], *, call: int, fault: BaseException) -> Callable[..., Any]:
    calls = 0

    def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise fault
        return function(*arguments, **options)

    return wrapped


def step_name(value: object) -> str:
    return str(getattr(value, "__name__", type(value).__name__ if isinstance(value, BaseException) else value))


@pytest.mark.parametrize(("module", "name", "call", "fault"), STEPS, ids=step_name)
def test_a_failure_midway_leaves_the_old_clips_whole_and_no_new_ones(
    *, tmp_path: Path, run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, call: int,
    fault: BaseException,
) -> None:  # fmt: skip
    assert run("generate", trained, "-n", 6, "-o", tmp_path / "old").status == 0
    before = files(tmp_path / "old")
    for target in ("old", "new"):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, failing(getattr(module, name), call=call, fault=fault))
            result = run("generate", trained, "-n", 7, "-o", tmp_path / target, "--seed", 1, "--force")
        # a new folder needs fewer moves than the fifteen of one that is replaced
        if target == "new" and (name, call) == ("move_file", 15):
            continue
        assert result.status == FAULTS[fault]
        assert (result.out, "Traceback" in result.err) == ("", False)
    assert files(tmp_path / "old") == before
    if (name, call) != ("move_file", 15):
        assert not (tmp_path / "new").exists()
        assert run("generate", trained, "-n", 7, "-o", tmp_path / "new").status == 0


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_leaves_no_clip_and_after_a_kill_the_next_run_completes(
    tmp_path: Path, run: Run, trained: Path, number: int, status: int
) -> None:
    target = tmp_path / "gen"
    words = [*COMMAND, trained, "-n", "1000000", "-o", target]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not list(target.glob(".stereokit-new/*.wav")):
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, b"Traceback" in err) == (status, b"", False)
    if number != signal.SIGKILL:
        assert not target.exists()
    assert clips(target) == {} or number == signal.SIGKILL
    assert list(target.glob("*.wav")) == []
    assert run("generate", trained, "-n", 3, "-o", target).status == 0
    assert set(files(target)) == {"000000.wav", "000001.wav", "000002.wav", METADATA, DESCRIPTION}


def test_a_folder_that_another_process_fills_is_status_75(tmp_path: Path, run: Run, trained: Path) -> None:
    (tmp_path / "gen").mkdir()
    with locked(tmp_path / "gen" / LOCK):
        result = run("generate", trained, "-n", 3, "-o", tmp_path / "gen")
    assert result.status == 75
    assert clips(tmp_path / "gen") == {}


MEMORY = """
import resource, sys, toy_family
with toy_family.installed():
    from stereokit.cli.app import run
    from stereokit.cli.streams import system_streams
    assert run(sys.argv[1:], system_streams()) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("target", ["-", "gen"])
def test_a_thousand_clips_need_no_more_memory_than_four(tmp_path: Path, target: str) -> None:
    trained = toy_family.write_run(tmp_path / "run", seconds=2.0)
    peaks = []
    for count in ("4", "1000"):
        words = [sys.executable, "-c", MEMORY, "generate", trained, "-n", count, "-o", target, "--force"]
        result = subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=True)
        peaks.append(int(result.stderr.split()[-1]) / (1024 if sys.platform != "darwin" else 2**20))
    # all clips together are 122 MiB
    assert peaks[1] - peaks[0] < 20
