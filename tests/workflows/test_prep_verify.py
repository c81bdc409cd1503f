"""``stereokit prep verify``: what is told of a data set's files, and what the next run of prep makes of it."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from stereokit.data.build_place import STAGING
from stereokit.data.catalogue import look
from stereokit.data.records import OutputRecord
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA
from stereokit.errors import UsageError
from stereokit.workflows.prep_verify import read_duration
from stereokit.writing import locked

pytestmark = pytest.mark.usefixtures("quick_builds")

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    for index in range(5):
        samples = np.random.default_rng(index).integers(-9000, 9000, (40, 2), dtype=np.int16)
        soundfile.write(tmp_path / "set" / f"{index}.wav", samples, 44_100)
    return tmp_path / "set"


@pytest.fixture
def built(tmp_path: Path, sounds: Path, run: Run) -> Path:
    assert run("prep", sounds, "-o", tmp_path / "ds").status == 0
    return tmp_path / "ds"


def outputs(folder: Path) -> dict[str, OutputRecord]:
    return dict(look(folder / ".stereokit-catalog.sqlite").outputs)


def test_a_whole_data_set_is_verified_without_a_word_but_the_summary(run: Run, built: Path) -> None:
    assert {output.verified_at for output in outputs(built).values()} == {0.0}
    before = time.time()
    result = run("prep", "verify", built)
    (summary,) = result.rows
    assert (result.status, summary["schema"]) == (0, "stereokit.prep.verify/1")
    assert (summary["files"], summary["verified"], summary["left"]) == (7, 7, 0)
    assert all(output.verified_at >= before for output in outputs(built).values())
    assert run("prep", "verify", built, "-q").out == ""


def test_damaged_missing_and_foreign_files_are_told_and_the_next_run_mends_what_it_can(
    run: Run, sounds: Path, built: Path
) -> None:
    wanted = {path.name: path.read_bytes() for path in built.rglob("*.wav")}
    damaged, missing, *_ = sorted(built.rglob("*.wav"))
    bytes_before = damaged.read_bytes()
    times = damaged.stat()
    damaged.write_bytes(bytes_before[:-1] + b"!")
    # Not even its time stamp tells: only its bytes do.
    os.utime(damaged, ns=(times.st_atime_ns, times.st_mtime_ns))
    missing.unlink()
    (built / "train" / "mine.wav").write_bytes(b"mine")
    result = run("prep", "verify", built)
    assert result.status == 3
    told = {Path(row["path"]).name: row["status"] for row in result.rows[:-1]}
    assert told == {damaged.name: "damaged", missing.name: "missing", "mine.wav": "foreign"}
    assert [result.rows[-1][key] for key in ("damaged", "missing", "foreign")] == [1, 1, 1]
    assert run("prep", sounds, "-o", built).rows[-1]["changed"] == 2
    assert {path.name: path.read_bytes() for path in built.rglob("*.wav")} == {**wanted, "mine.wav": b"mine"}
    assert [row["status"] for row in run("prep", "verify", built).rows[:-1]] == ["foreign"]


def test_a_touched_file_that_is_whole_is_not_made_again(run: Run, sounds: Path, built: Path) -> None:
    next(built.rglob("*.wav")).touch()
    assert run("prep", "verify", built).status == 0
    assert run("prep", sounds, "-o", built).rows[-1]["changed"] == 0


def test_a_short_run_goes_on_where_the_last_one_stopped(run: Run, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(1000))
    monkeypatch.setattr(
        "stereokit.workflows.prep_verify.time", SimpleNamespace(monotonic=lambda: float(next(seconds)), time=time.time)
    )
    first = run("prep", "verify", built, "--at-most", "8s").rows[-1]
    assert 0 < first["verified"] < first["files"] == 7
    assert first["oldest"] is None
    done = {name for name, output in outputs(built).items() if output.verified_at}
    second = run("prep", "verify", built, "--at-most", "8s").rows[-1]
    assert second["verified"] == first["verified"]
    assert len({name for name, output in outputs(built).items() if output.verified_at} - done) == second["verified"]


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("20m", 1200), ("1h30m", 5400), ("0.5h", 1800)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1x", "h", "-1s", "1 h", "1h!"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--at-most"):
        read_duration(text)


def test_what_is_no_data_set_is_refused_and_not_made(tmp_path: Path, run: Run) -> None:
    result = run("prep", "verify", tmp_path / "none")
    assert (result.status, result.out) == (2, "")
    assert "is no finished data set" in result.err
    assert not (tmp_path / "none").exists()


def test_a_data_set_that_is_being_built_is_left_alone(run: Run, built: Path) -> None:
    with locked(built / LOCK):
        assert run("prep", "verify", built).status == 75


def test_a_damaged_manifest_is_told_and_written_again(run: Run, sounds: Path, built: Path) -> None:
    text = (built / METADATA).read_text()
    (built / METADATA).write_text(text.replace("set/", "SET/"))
    assert [row["status"] for row in run("prep", "verify", built).rows[:-1]] == ["damaged"]
    assert run("prep", sounds, "-o", built).status == 0
    assert (built / METADATA).read_text() == text
    assert not (built / STAGING).exists()


# two words


def test_a_source_of_the_name_of_the_second_word_is_still_a_source(
    tmp_path: Path, sounds: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds.rename(tmp_path / "verify")
    monkeypatch.chdir(tmp_path)
    assert run("prep", "verify", "-o", "ds").rows[-1]["clips"] == 5
    assert run("prep", "./verify", "--output=ds").rows[-1]["clips"] == 5
    assert run("prep", "verify", "ds", "--at-most=1m").rows[-1]["verified"] == 7
    assert json.loads((tmp_path / "ds" / "dataset.json").read_text())["counts"]["clips"] == 5
