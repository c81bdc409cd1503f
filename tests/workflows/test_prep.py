"""What ``stereokit prep`` tells and leaves behind: rows, statuses, plans, signals, locks, full disks."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stereokit.data.build_place import STAGING
from stereokit.data.catalogue import CATALOGUE
from stereokit.data.dataset import DESCRIPTION
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA
from stereokit.writing import locked

Run = Callable[..., SimpleNamespace]

COMMAND = (sys.executable, "-m", "stereokit", "prep")
# So many that no machine makes them before a signal arrives.
ENDLESS = ("--synth", "drums", "--count", "20000", "--rate", "8000")


pytestmark = pytest.mark.usefixtures("quick_builds")


def sound(path: Path, frames: int = 50, channels: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(len(path.name)).integers(-9000, 9000, (frames, channels), dtype=np.int16)
    soundfile.write(path, samples, 44_100)
    return path


def fill(folder: Path, count: int = 6, label: str = "kick") -> Path:
    for index in range(count):
        sound(folder / label / f"{index}.wav")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the lock, the catalogue, and what is not in place yet."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in (LOCK, CATALOGUE))
    paths = (path for path in paths if STAGING not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def clips(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if name.endswith(".wav")}


def metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / METADATA).read_text().splitlines()]


# rows


def test_a_row_a_clip_then_a_summary_that_adds_up(tmp_path: Path, run: Run) -> None:
    sound(fill(tmp_path / "set") / "snare" / "mono.wav", channels=1)
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds")
    assert result.status == 0
    *rows, summary = result.rows
    assert len(rows) == 7
    for row in rows:
        assert (row["schema"], row["status"]) == ("stereokit.prep.clip/1", "done")
        assert row["duration_s"] == pytest.approx(50 / 44_100)
        assert Path(row["path"]).is_file()
        assert row["path"].startswith(f"{tmp_path}/ds/{row['split']}/")
        assert row["label"] == row["source"].split("/")[1]
    assert (summary["schema"], summary["status"], summary["dataset"]) == ("stereokit.prep/1", "done", f"{tmp_path}/ds")
    assert summary["found"] == summary["clips"] == 7
    assert summary["train"] + summary["validation"] + summary["test"] == 7
    assert summary["labels"] == {"kick": 6, "snare": 1}
    assert (summary["mono"], summary["without_side"], summary["refused"], summary["excluded"]) == (1, 1, 0, 0)
    assert summary["fingerprint"] == json.loads((tmp_path / "ds" / DESCRIPTION).read_text())["fingerprint"]


def test_a_bad_file_costs_itself_and_is_told_with_its_reason(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set")
    (tmp_path / "set" / "bad.wav").write_bytes(b"no sound")
    (tmp_path / "set" / "empty.flac").touch()
    (tmp_path / "set" / "gone.wav").symlink_to("nowhere")
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds")
    assert result.status == 3
    failed = {Path(row["path"]).name: row["reason"] for row in result.rows if row["status"] == "failed"}
    assert set(failed) == {"bad.wav", "empty.flac", "gone.wav"}
    assert failed["empty.flac"] == "is empty"
    for name, reason in failed.items():
        assert f"{name}: {reason}" in result.err
    assert (result.rows[-1]["found"], result.rows[-1]["clips"], result.rows[-1]["refused"]) == (9, 6, 3)
    assert len(clips(tmp_path / "ds")) == 6


def test_what_is_given_twice_is_used_once_and_told(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set", 3)
    result = run("prep", tmp_path / "set", f"{tmp_path}/set/", tmp_path / "set", "-o", tmp_path / "ds")
    assert result.status == 3
    assert len(clips(tmp_path / "ds")) == 3
    reasons = [row["reason"] for row in result.rows if row["status"] == "failed"]
    assert len(reasons) == result.rows[-1]["refused"] == 3
    assert all("is the same file as" in reason for reason in reasons)


def test_the_manifest_in_a_source_gives_its_labels_and_columns(tmp_path: Path, run: Run) -> None:
    run("prep", fill(tmp_path / "set", 5), "-o", tmp_path / "first")
    assert run("prep", tmp_path / "first", "-o", tmp_path / "second").status == 0
    rows = metadata(tmp_path / "second")
    assert {row["label"] for row in rows} == {"kick"}
    assert {row["given_source"] for row in rows} == {f"set/kick/{index}.wav" for index in range(5)}


def test_equal_sounds_in_two_splits_are_told(tmp_path: Path, run: Run) -> None:
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", np.full((9, 2), 77, np.int16), 44_100)
    (tmp_path / "list.txt").write_text("a.wav\nb.wav\n")
    (tmp_path / "assign.csv").write_text("group,split\nlist/a.wav,train\nlist/b.wav,test\n")
    words = ("prep", tmp_path / "list.txt", "-o", tmp_path / "ds", "--assign", tmp_path / "assign.csv")
    assert "1 sounds are in more than one split" in run(*words).err


@pytest.mark.parametrize("bad", ["bad.wav", "dangling.wav"])
def test_strict_with_a_bad_file_does_nothing_and_says_which(tmp_path: Path, run: Run, bad: str) -> None:
    fill(tmp_path / "set")
    if bad == "bad.wav":
        (tmp_path / "set" / bad).write_bytes(b"no sound")
    else:
        (tmp_path / "set" / bad).symlink_to("nowhere")
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--strict")
    assert result.status == 4
    assert "--strict: 1 inputs were refused" in result.err
    assert [Path(row["path"]).name for row in result.rows if row["status"] == "failed"] == [bad]
    assert not (tmp_path / "ds").exists()


def test_strict_without_a_bad_file_is_no_different(tmp_path: Path, run: Run) -> None:
    assert run("prep", fill(tmp_path / "set"), "-o", tmp_path / "ds", "--strict").status == 0


def test_nothing_but_bad_files_is_status_4_with_every_reason_and_no_folder(tmp_path: Path, run: Run) -> None:
    (tmp_path / "set").mkdir()
    for index in range(3):
        (tmp_path / "set" / f"{index}.wav").write_bytes(b"no sound")
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds")
    assert result.status == 4
    assert "no data set: all of 3 inputs were refused" in result.err
    assert [row["status"] for row in result.rows] == ["failed"] * 3
    assert not (tmp_path / "ds").exists()


@pytest.mark.parametrize("words", [(), ("--dry-run",), ("--only", "snare")])
def test_nothing_to_prepare_is_status_4_and_no_folder(tmp_path: Path, run: Run, words: tuple[str, ...]) -> None:
    (tmp_path / "set").mkdir()
    if words == ("--only", "snare"):
        fill(tmp_path / "set")
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", *words)
    assert result.status == 4
    assert "no usable sound" in result.err
    assert not (tmp_path / "ds").exists()


def test_too_quiet_for_loudness_is_refused_by_name_and_silence_is_fine_for_peak(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set", 2)
    soundfile.write(tmp_path / "set" / "quiet.wav", np.ones((400, 2), np.int16), 44_100)
    soundfile.write(tmp_path / "set" / "silent.wav", np.zeros((400, 2), np.int16), 44_100)
    by_loudness = run("prep", tmp_path / "set", "-o", tmp_path / "loudness", "--normalize", "loudness")
    failed = {Path(row["path"]).name: row["reason"] for row in by_loudness.rows if row["status"] == "failed"}
    assert by_loudness.status == 3
    assert "too quiet" in failed["quiet.wav"]
    by_peak = run("prep", tmp_path / "set", "-o", tmp_path / "peak", "--normalize", "peak")
    assert by_peak.status == 0
    assert by_peak.rows[-1]["clips"] == 4


def test_clips_that_pass_full_scale_are_counted_and_told(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set", 2)
    soundfile.write(tmp_path / "set" / "loud.wav", np.full((40, 2), 1.5, np.float32), 44_100, "FLOAT")
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds")
    assert result.status == 0
    assert result.rows[-1]["turned_down"] == 1
    assert "1 clips passed full scale and were turned down" in result.err
    (loud,) = [row for row in metadata(tmp_path / "ds") if row["is_limited"]]
    assert loud["source"] == "set/loud.wav"
    assert loud["gain_db"] == pytest.approx(20 * np.log10(1 / 1.5), abs=1e-4)


GOOD, BAD = "good", "bad"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    mix=st.lists(st.tuples(st.sampled_from([GOOD, BAD, "link", "six"]), st.sampled_from(["kick", "hat"])), max_size=7),
    only=st.booleans(),
)
def test_every_input_is_a_clip_or_refused_or_excluded(run: Run, mix: list[tuple[str, str]], *, only: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "set"
        folder.mkdir()
        for index, (kind, label) in enumerate(mix):
            path = folder / label / f"{index}.wav"
            sound(path, channels=6 if kind == "six" else 2)
            if kind == BAD:
                path.write_bytes(path.read_bytes()[:60])
            elif kind == "link":
                path.unlink()
                path.symlink_to("nowhere")
        result = run("prep", folder, "-o", Path(name) / "ds", *(("--only", "kick") if only else ()))
        kinds = Counter(kind for kind, label in mix if not only or label == "kick" or kind == "link")
        excluded = sum(only and label == "hat" and kind != "link" for kind, label in mix)
        failed = [row for row in result.rows if row["status"] == "failed"]
        assert len(failed) == sum(kinds.values()) - kinds[GOOD]
        if kinds[GOOD]:
            summary = result.rows[-1]
            assert result.status == (3 if failed else 0)
            assert summary["found"] == len(mix) == summary["clips"] + summary["refused"] + summary["excluded"]
            assert (summary["clips"], summary["excluded"]) == (kinds[GOOD], excluded)
        else:
            assert result.status == 4
            assert not (Path(name) / "ds").exists()


def test_rows_on_a_terminal_are_a_table_without_what_a_terminal_acts_on(tmp_path: Path, run: Run) -> None:
    sound(tmp_path / "set" / "\x1b[31mred\u202e" / "a.wav")
    (tmp_path / "set" / "\x1b[31mgone\u202e.wav").symlink_to("nowhere")
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", terminal=True)
    assert result.status == 3
    assert "\\x1b[31mred\\u202e" in result.out
    assert "\\x1b[31mgone\\u202e.wav: cannot be read" in result.err
    # the progress bar's own colours are no names
    assert not {"\x1b", "\u202e"} & set(result.out)
    assert "\x1b[31mgone" not in result.err
    assert "\u202e" not in result.err


# words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give one or more SRC, or --synth"),
        (("SET", "--count", "3"), "--count goes with --synth"),
        (("--synth", "stabs"), "--count N"),
        (("--synth", "bells", "--count", "1"), "--synth bells: choose from drums, stabs"),
        (("SET", "--synth", "stabs", "--count", "1"), "--synth makes its own sounds"),
        (("--synth", "stabs", "--count", "0"), "--count"),
        (("--synth", "stabs", "--count", "1", "--group", "folder"), "--synth makes its own sounds"),
        (("SET", "--length", "0"), "--length 0.0"),
        (("SET", "--length", "nan"), "--length nan"),
        (("SET", "--length", "inf"), "--length inf"),
        (("SET", "--length", "1e30"), "at most 6087 s"),
        (("SET", "--target", "-3"), "--target goes with --normalize"),
        (("SET", "--normalize", "peak", "--target", "1"), "--target 1.0"),
        (("SET", "--normalize", "peak", "--target", "nan"), "--target nan"),
        (("SET", "--normalize", "peak", "--target", "-inf"), "--target -inf"),
        (("SET", "--rate", "999"), "--rate"),
        (("SET", "--bits", "8"), "--bits"),
        (("SET", "--split", "0.5,0.5"), "--split"),
        (("SET", "--labels", "gone.csv"), "gone.csv"),
        (("SET", "--assign", "gone.csv"), "gone.csv: cannot be read"),
        (("SET", "--group", "machine"), "--group machine: no such column"),
        (("gone",), "gone: No such file"),
        (("",), "an empty name"),
        (("--synth", "stabs", "--count", "1", "--only", "kick"), "--only kick: stabs have the labels"),
        (("--synth", "stabs", "--count", "1", "--rate", "1000"), "--rate 1000: stabs need"),
    ],
)
def test_a_wrong_command_line_is_status_2_with_the_reason_and_no_folder(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "SET")
    result = run("prep", *words, "-o", "ds")
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert not (tmp_path / "ds").exists()


def test_groups_that_leave_a_split_empty_stop_and_files_only_warn(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set", 8)
    grouped = run("prep", tmp_path / "set", "-o", tmp_path / "grouped", "--group", "folder")
    assert grouped.status == 2
    assert "--split" in grouped.err
    assert "--assign" in grouped.err
    assert not (tmp_path / "grouped").exists()
    single = run("prep", tmp_path / "set", "-o", tmp_path / "single", "--split", "0.999,0.001,0")
    assert single.status == 0
    assert "validation: no clip is left in it" in single.err


def test_groups_never_cross_splits_and_a_split_by_hand_wins(tmp_path: Path, run: Run) -> None:
    groups = [f"machine {index}" for index in range(12)]
    for group in groups:
        fill(tmp_path / "set" / group, 3)
    (tmp_path / "assign.csv").write_text("group,split\nmachine 4,test\nmachine 7,validation\n")
    words = ("--group", "folder", "--assign", tmp_path / "assign.csv", "--split", "0.4,0.3,0.3")
    assert run("prep", tmp_path / "set", "-o", tmp_path / "ds", *words).status == 0
    splits: dict[str, set[str]] = {}
    for row in metadata(tmp_path / "ds"):
        assert row["group"] == row["source"].split("/")[1]
        splits.setdefault(row["group"], set()).add(row["split"])
    assert set(splits) == set(groups)
    assert all(len(one) == 1 for one in splits.values())
    assert (splits["machine 4"], splits["machine 7"]) == ({"test"}, {"validation"})
    description = json.loads((tmp_path / "ds" / DESCRIPTION).read_text())
    assert description["settings"]["assigned"] == {"machine 4": "test", "machine 7": "validation"}


def test_an_assignment_can_come_through_a_pipe_which_is_read_once(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set", 3)
    reading, writing = os.pipe()
    os.write(writing, b"group,split\nset/kick/0.wav,test\n")
    os.close(writing)
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--assign", f"/dev/fd/{reading}")
    os.close(reading)
    assert result.status == 0
    assert json.loads((tmp_path / "ds" / DESCRIPTION).read_text())["settings"]["assigned"] == {"set/kick/0.wav": "test"}
    assert "--assign names" not in result.err


# plans


def files_and_folders(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def test_a_dry_run_lists_what_would_be_written_and_writes_nothing(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set")
    (tmp_path / "set" / "gone.wav").symlink_to("nowhere")
    before = files_and_folders(tmp_path)
    plan = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--dry-run")
    assert files_and_folders(tmp_path) == before
    assert plan.status == 3
    *rows, summary = plan.rows
    assert Counter(row["status"] for row in rows) == {"planned": 6, "failed": 1}
    assert (summary["status"], summary["clips"]) == ("planned", 6)
    assert run("prep", tmp_path / "set", "-o", tmp_path / "ds").status == 3
    planned = {row["path"] for row in rows if row["status"] == "planned"}
    assert planned == {f"{tmp_path}/ds/{name}" for name in clips(tmp_path / "ds")}


def test_a_dry_run_over_a_finished_data_set_leaves_it_alone(tmp_path: Path, run: Run) -> None:
    run("prep", fill(tmp_path / "set"), "-o", tmp_path / "ds")
    before = files(tmp_path / "ds")
    words = ("prep", tmp_path / "set", "-o", tmp_path / "ds", "--dry-run")
    again, forced = run(*words), run(*words, "--force")
    assert (again.status, again.rows[-1]["clips"], again.rows[-1]["unchanged"]) == (0, 0, 6)
    assert (forced.status, forced.rows[-1]["clips"], forced.rows[-1]["unchanged"]) == (0, 6, 0)
    assert files(tmp_path / "ds") == before


# procedural sounds


@pytest.mark.parametrize(("voice", "labels"), [("stabs", {"A", "F", "D#"}), ("drums", {"kick", "snare", "tom"})])
def test_procedural_sounds_are_as_many_as_asked_for_and_labelled(
    tmp_path: Path, run: Run, voice: str, labels: set[str]
) -> None:
    result = run("prep", "--synth", voice, "--count", 30, "-o", tmp_path / "ds", "--rate", 8000, "--seed", 3)
    assert result.status == 0
    rows = metadata(tmp_path / "ds")
    assert len(rows) == 30
    assert len({row["sha256"] for row in rows}) == 30
    assert labels & {row["label"] for row in rows}
    assert None not in {row["label"] for row in rows}
    assert {row["source"] for row in rows} == {f"{voice}/{voice}-{index:06d}" for index in range(30)}
    recorded = json.loads((tmp_path / "ds" / DESCRIPTION).read_text())["settings"]
    assert (recorded["synth"], recorded["count"], recorded["seed"]) == (voice, 30, 3)


@pytest.mark.parametrize("voice", ["stabs", "drums"])
def test_the_first_of_many_procedural_sounds_are_the_same_bytes_and_another_seed_is_other(
    tmp_path: Path, run: Run, voice: str
) -> None:
    for name, count, seed in (("few", 7, 0), ("many", 20, 0), ("other", 7, 1)):
        words = ("--count", count, "--seed", seed, "--rate", 8000, "-o", tmp_path / name)
        assert run("prep", "--synth", voice, *words).status == 0
    few, many, other = (clips(tmp_path / name) for name in ("few", "many", "other"))
    assert few.items() < many.items()
    assert few.keys() == other.keys()
    assert not few.items() & other.items()


def test_only_keeps_procedural_sounds_of_its_labels_as_they_were(tmp_path: Path, run: Run) -> None:
    words = ("prep", "--synth", "drums", "--count", 40, "--rate", 8000)
    run(*words, "-o", tmp_path / "all")
    result = run(*words, "-o", tmp_path / "some", "--only", "kick", "--only", "snare")
    wanted = {row["file_name"] for row in metadata(tmp_path / "all") if row["label"] in ("kick", "snare")}
    assert 0 < len(wanted) < 40
    everything = clips(tmp_path / "all")
    assert clips(tmp_path / "some") == {name: everything[name] for name in wanted}
    summary = result.rows[-1]
    assert (summary["found"], summary["clips"], summary["excluded"]) == (40, len(wanted), 40 - len(wanted))


def test_rows_of_prep_are_a_set_to_score_on_a_pipe(tmp_path: Path, run: Run) -> None:
    made = {
        name: run("prep", "--synth", "stabs", "--count", 8, "--seed", seed, "-o", tmp_path / name)
        for seed, name in enumerate(("gen", "ref"))
    }
    by_pipe = run("score", "-", tmp_path / "ref", stdin=made["gen"].out)
    by_folder = run("score", tmp_path / "gen", tmp_path / "ref")
    assert by_pipe.status == by_folder.status == 0
    assert by_pipe.rows[-1]["n_gen"] == 8
    assert by_pipe.rows[-1]["gen"]["refused"] == 0
    assert [by_pipe.rows[-1][key] for key in ("cov", "mmd", "nna")] == [
        by_folder.rows[-1][key] for key in ("cov", "mmd", "nna")
    ]


def test_rows_of_prep_with_failed_ones_can_be_prepared_again_from_a_pipe(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "set", 3)
    (tmp_path / "set" / "bad.wav").write_bytes(b"no sound")
    first = run("prep", tmp_path / "set", "-o", tmp_path / "first")
    second = run("prep", "-", "-o", tmp_path / "second", stdin=first.out)
    assert (first.status, second.status) == (3, 0)
    assert second.rows[-1]["found"] == second.rows[-1]["clips"] == 3
    assert {row["label"] for row in metadata(tmp_path / "second")} == {"kick"}


# interruptions and resources


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``stereokit prep -o TARGET`` as a process group and wait for its first clips."""
    started: list[subprocess.Popen[str]] = []

    def run_until_first_clips(target: Path, *words: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, "-o", str(target), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        started.append(process)
        deadline = time.monotonic() + 30
        while not any(target.glob(".stereokit-new/*/*.wav")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return process

    yield run_until_first_clips
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("number", "status", "jobs", "to_group"),
    [(signal.SIGTERM, 143, 1, False), (signal.SIGTERM, 143, 2, True), (signal.SIGINT, 130, 2, True)],
    ids=["SIGTERM", "SIGTERM to workers too", "Ctrl-C"],
)
def test_a_signal_in_the_middle_leaves_nothing_half_written_and_the_next_run_completes(
    *, tmp_path: Path, run: Run, start: Callable[..., subprocess.Popen[str]], number: int, status: int, jobs: int,
    to_group: bool,
) -> None:  # fmt: skip
    run("prep", fill(tmp_path / "set"), "-o", tmp_path / "old")
    before = files(tmp_path / "old")
    target = tmp_path / ("old" if jobs == 2 else "new")
    process = start(target, *ENDLESS, "--jobs", jobs, "--force")
    if to_group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == status
    assert "Traceback" not in told
    assert told.splitlines()[-1] == f"stereokit: {'terminated' if status == 143 else 'interrupted'}"
    assert not clips(tmp_path / "new")
    assert files(tmp_path / "old") == before
    assert run("prep", tmp_path / "set", "-o", target, "--force").status == 0
    assert files(target) == before


def test_a_killed_run_is_completed_by_the_next(
    tmp_path: Path, run: Run, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start(tmp_path / "ds", *ENDLESS, "--jobs", 1)
    process.kill()
    process.communicate(timeout=30)
    assert not (tmp_path / "ds" / DESCRIPTION).exists()
    assert run("prep", fill(tmp_path / "set"), "-o", tmp_path / "ds").status == 0
    assert run("prep", tmp_path / "set", "-o", tmp_path / "clean").status == 0
    assert files(tmp_path / "ds") == files(tmp_path / "clean")


@pytest.mark.slow
def test_ten_kills_end_in_the_bytes_of_a_run_that_nobody_disturbed(
    tmp_path: Path, run: Run, environment: dict[str, str]
) -> None:
    source = fill(tmp_path / "set", 150)
    (source / "bad.wav").write_bytes(b"no sound")
    assert run("prep", source, "-o", tmp_path / "wanted").status == 3
    words = [*COMMAND, str(source), "-o", str(tmp_path / "ds"), "--jobs", "2"]
    for number in range(10):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        time.sleep(0.5 + 0.15 * number)
        process.kill()
        process.wait()
        if (tmp_path / "ds" / DESCRIPTION).exists():
            # It was too late for that kill: there must be work for the next.
            for more in range(40):
                sound(source / f"more-{number}-{more}.wav")
            assert run("prep", source, "-o", tmp_path / "wanted").status == 3
    assert run("prep", source, "-o", tmp_path / "ds").status == 3
    assert files(tmp_path / "ds") == files(tmp_path / "wanted")


def test_of_two_processes_one_works_and_the_other_is_told_so(
    tmp_path: Path, run: Run, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start(tmp_path / "ds", *ENDLESS, "--jobs", 1)
    second = run("prep", *ENDLESS, "-o", tmp_path / "ds")
    assert (second.status, second.rows) == (75, [])
    assert f"is in use by process {process.pid}" in second.err


def test_a_second_process_on_the_same_data_set_is_told_who_is_at_it(tmp_path: Path, run: Run) -> None:
    run("prep", fill(tmp_path / "set"), "-o", tmp_path / "ds")
    before = files(tmp_path / "ds")
    with locked(tmp_path / "ds" / LOCK):
        result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--force")
    assert result.status == 75
    assert f"is in use by process {os.getpid()}" in result.err
    assert files(tmp_path / "ds") == before
    assert run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--force").status == 0


def test_a_file_in_the_place_of_the_parent_is_an_output_error(tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").write_text("mine")
    result = run("prep", fill(tmp_path / "set"), "-o", tmp_path / "file" / "ds")
    assert (result.status, len(result.err.splitlines()[-1:])) == (74, 1)
    assert "cannot make the folder" in result.err


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_parent_is_an_output_error(tmp_path: Path, run: Run) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    assert run("prep", fill(tmp_path / "set"), "-o", tmp_path / "locked" / "ds").status == 74


@pytest.mark.parametrize(("target", "jobs", "count"), [("old", 2, 110), ("new", 1, 5)])
def test_a_full_disk_is_status_74_in_one_line_and_leaves_no_trace(
    *, tmp_path: Path, run: Run, environment: dict[str, str], target: str, jobs: int, count: int
) -> None:
    run("prep", fill(tmp_path / "set"), "-o", tmp_path / "old")
    before = files(tmp_path / "old")
    # Each clip is 80 KB, and no file may grow beyond 75 KB.
    limited = ["bash", "-c", 'ulimit -f 75; exec "$@"', "bash", *COMMAND]
    words = ["--synth", "drums", "--count", str(count), "--rate", "33000", "--jobs", str(jobs), "--force", "-o", target]
    result = subprocess.run(
        [*limited, *words], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False, timeout=60
    )
    assert result.returncode == 74
    errors = [line for line in result.stderr.splitlines() if not line.startswith("stereokit: warning: ")]
    assert len(errors) == 1
    assert errors[0].startswith("stereokit: cannot write ")
    assert errors[0].endswith("File too large")
    assert result.stdout == ""
    assert files(tmp_path / "old") == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("is_told_early", [False, True])
def test_a_reader_that_has_gone_gives_141_and_a_whole_data_set_or_none(
    tmp_path: Path, environment: dict[str, str], *, is_told_early: bool
) -> None:
    fill(tmp_path / "set")
    if is_told_early:
        # A refused input is told at once, a clip when all are in place.
        (tmp_path / "set" / "gone.wav").symlink_to("nowhere")
    words = [str(tmp_path / "set"), "-o", str(tmp_path / "ds")]
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 141
    assert "Traceback" not in told
    if is_told_early:
        assert not (tmp_path / "ds").exists()
    else:
        assert set(clips(tmp_path / "ds")) == {row["file_name"] for row in metadata(tmp_path / "ds")}
        assert (tmp_path / "ds" / DESCRIPTION).exists()


def test_listed_names_that_are_not_utf_8_are_refused_by_name(tmp_path: Path, environment: dict[str, str]) -> None:
    good = sound(tmp_path / "good.wav")
    result = subprocess.run(
        [*COMMAND, "-", "-o", str(tmp_path / "ds")],
        input=b"caf\xe9.wav\n" + os.fsencode(good) + b"\n",
        capture_output=True,
        env={**environment, "PYTHONIOENCODING": "utf-8:strict"},
        check=False,
        timeout=60,
    )
    assert result.returncode == 3
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows[0]["path"] == "caf\\udce9.wav"
    assert rows[-1]["clips"] == 1
