"""``stereokit prep`` on a data set that is there: only what changed is done, with the end of a run from nothing."""

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from stereokit.data import build_work, units
from stereokit.data.build_place import STAGING
from stereokit.data.catalogue import CATALOGUE, Catalogue
from stereokit.data.dataset import DESCRIPTION
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA
from stereokit.data.workers import map_files
from stereokit.workflows import prep_job
from stereokit.writing import locked

pytestmark = pytest.mark.usefixtures("quick_builds")

Run = Callable[..., SimpleNamespace]


def sound(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng([seed, *path.name.encode()]).integers(-9000, 9000, (40, 2), dtype=np.int16)
    soundfile.write(path, samples, 44_100)
    return path


def files(folder: Path) -> dict[str, bytes]:
    """All that a run from nothing would leave."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name not in (LOCK, CATALOGUE))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def state(folder: Path) -> dict[str, tuple[int, ...]]:
    """What any write would change, of every file and folder: number, size, and both time stamps."""
    stats = {str(path): path.stat(follow_symlinks=False) for path in (folder, *folder.rglob("*"))}
    return {name: (one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for name, one in stats.items()}


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / METADATA).read_text().splitlines()]


def told(result: SimpleNamespace) -> dict[str, list[str]]:
    """The names of the sources or inputs of each status."""
    found: dict[str, list[str]] = {}
    for row in result.rows:
        if row["schema"] == "stereokit.prep.clip/1":
            found.setdefault(row["status"], []).append(Path(row.get("source", row["path"])).name)
    return {status: sorted(names) for status, names in found.items()}


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    for name in "abcdef":
        sound(tmp_path / "set" / "kick" / f"{name}.wav")
    return tmp_path / "set"


@pytest.fixture
def built(tmp_path: Path, sounds: Path, run: Run) -> Path:
    assert run("prep", sounds, "-o", tmp_path / "ds").status == 0
    return tmp_path / "ds"


@pytest.fixture
def again(tmp_path: Path, sounds: Path, run: Run, built: Path) -> Run:
    """Run once more, and hold the result against a run from nothing unless the sources are not all there."""

    def run_again(*words: object, is_fresh: bool = True) -> SimpleNamespace:
        result = run("prep", sounds, "-o", built, *words)
        if is_fresh:
            shutil.rmtree(tmp_path / "fresh", ignore_errors=True)
            run("prep", sounds, "-o", tmp_path / "fresh", *words)
            assert files(built) == files(tmp_path / "fresh")
        summary = result.rows[-1]
        parts = ("done", "unchanged", "refused", "excluded", "dropped")
        assert summary["found"] == sum(summary[part] for part in parts)
        return result

    return run_again


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the sources that are made from now on."""
    made: list[str] = []
    prepare = prep_job.prepare

    def counting(task: Any, preparation: Any) -> Any:
        made.append(Path(task.key).name)
        return prepare(task, preparation)

    monkeypatch.setattr(prep_job, "prepare", counting)
    return made


def test_a_second_run_tells_a_summary_and_writes_nothing_at_all(tmp_path: Path, again: Run, built: Path) -> None:
    before = state(tmp_path)
    result = again(is_fresh=False)
    assert state(tmp_path) == before
    assert result.status == 0
    (summary,) = result.rows
    assert (summary["done"], summary["unchanged"], summary["clips"], summary["found"]) == (0, 6, 6, 6)
    assert summary["fingerprint"] == json.loads((built / DESCRIPTION).read_text())["fingerprint"]


def test_a_second_run_opens_nothing_for_writing(sounds: Path, built: Path, run: Run, monkeypatch: Any) -> None:
    for name in ("write_file", "make_folder", "move_file", "remove_file", "locked", "sync_batch"):
        for module in ("build", "build_work", "build_switch", "preparation"):
            monkeypatch.setattr(f"stereokit.data.{module}.{name}", None, raising=False)
    monkeypatch.setattr("stereokit.data.build.Catalogue", None)
    assert run("prep", sounds, "-o", built).status == 0


def test_a_second_run_in_a_folder_that_cannot_be_written_is_done(sounds: Path, built: Path, run: Run) -> None:
    for folder in (built, built / "train"):
        folder.chmod(0o555)
    try:
        assert run("prep", sounds, "-o", built).status == 0
    finally:
        for folder in (built, built / "train"):
            folder.chmod(0o755)


def test_quiet_says_nothing_when_all_is_well(sounds: Path, built: Path, run: Run) -> None:
    result = run("prep", sounds, "-o", built, "-q")
    assert (result.status, result.out, result.err) == (0, "", "")


def test_a_second_run_of_procedural_sounds_does_nothing(tmp_path: Path, run: Run, counted: list[str]) -> None:
    words = ("prep", "--synth", "drums", "--count", 5, "--only", "kick", "--only", "tom", "--rate", 8000)
    first = run(*words, "-o", tmp_path / "ds")
    assert len(counted) == 5
    before = state(tmp_path)
    second = run(*words, "-o", tmp_path / "ds")
    assert (len(counted), state(tmp_path)) == (5, before)
    for key in ("found", "clips", "excluded", "fingerprint"):
        assert first.rows[-1][key] == second.rows[-1][key]


def test_new_and_changed_sources_are_made_and_no_others(sounds: Path, again: Run, counted: list[str]) -> None:
    sound(sounds / "kick" / "new.wav")
    sound(sounds / "kick" / "b.wav", seed=1)
    result = again(is_fresh=False)
    assert counted == ["b.wav", "new.wav"]
    assert told(result) == {"changed": ["b.wav"], "done": ["new.wav"]}
    assert (result.rows[-1]["done"], result.rows[-1]["unchanged"]) == (2, 5)
    assert again().status == 0


def test_a_new_time_stamp_alone_changes_no_clip(sounds: Path, again: Run, counted: list[str], built: Path) -> None:
    before = files(built)
    os.utime(sounds / "kick" / "c.wav", ns=(1, 1))
    result = again(is_fresh=False)
    assert (counted, told(result), files(built)) == ([], {}, before)
    assert not (built / STAGING).exists()
    unchanged = state(built)
    again(is_fresh=False)
    assert state(built) == unchanged


def test_deleted_sources_keep_their_clips_unless_told_otherwise(sounds: Path, again: Run, built: Path) -> None:
    before = {name: data for name, data in files(built).items() if name.endswith(".wav")}
    (sounds / "kick" / "a.wav").unlink()
    kept = again(is_fresh=False)
    assert (kept.status, told(kept), kept.rows[-1]["kept"], kept.rows[-1]["unchanged"]) == (0, {}, 1, 5)
    assert before.items() <= files(built).items()
    unchanged = state(built)
    assert again(is_fresh=False).rows[-1]["kept"] == 1
    assert state(built) == unchanged
    removed = again("--deleted", "remove")
    assert told(removed) == {"removed": ["a.wav"]}
    assert (removed.rows[-1]["removed"], removed.rows[-1]["kept"], removed.rows[-1]["clips"]) == (1, 0, 5)


def test_a_source_that_comes_back_is_what_it_was(sounds: Path, again: Run, built: Path, counted: list[str]) -> None:
    shutil.move(sounds / "kick" / "a.wav", sounds.parent)
    again(is_fresh=False)
    shutil.move(sounds.parent / "a.wav", sounds / "kick")
    assert told(again(is_fresh=False)) == {}
    assert counted == []
    again()


def test_an_empty_source_empties_no_data_set(sounds: Path, run: Run, built: Path) -> None:
    before = state(built)
    shutil.rmtree(sounds / "kick")
    for deleted in ("keep", "remove"):
        assert run("prep", sounds, "-o", built, "--deleted", deleted).status == 4
    assert state(built) == before


def test_a_renamed_source_is_told_with_its_old_name(sounds: Path, again: Run, built: Path) -> None:
    (sounds / "kick" / "a.wav").rename(sounds / "kick" / "z.wav")
    result = again()
    assert told(result) == {"renamed": ["z.wav"], "removed": ["a.wav"]}
    (renamed,) = (row for row in result.rows if row["status"] == "renamed")
    assert renamed["from"] == "set/kick/a.wav"
    assert (result.rows[-1]["renamed"], result.rows[-1]["done"], result.rows[-1]["kept"]) == (1, 1, 0)


def test_rows_of_what_changed_are_a_set_for_the_next_command(
    tmp_path: Path, sounds: Path, run: Run, again: Run
) -> None:
    sound(sounds / "kick" / "new.wav")
    sound(sounds / "kick" / "b.wav", seed=1)
    (sounds / "kick" / "a.wav").rename(sounds / "kick" / "z.wav")
    changed = again(is_fresh=False)
    result = run("prep", "-", "-o", tmp_path / "next", stdin=changed.out)
    assert {row["given_source"] for row in rows(tmp_path / "next")} == {
        f"set/kick/{name}.wav" for name in ("new", "b", "z")
    }
    assert result.status == 0


def test_a_source_that_fails_is_told_once_and_counts_on(sounds: Path, again: Run, run: Run, built: Path) -> None:
    bad = sounds / "kick" / "bad.wav"
    bad.write_bytes(b"no sound")
    (sounds / "gone.wav").symlink_to("nowhere")
    first = again(is_fresh=False)
    assert (first.status, told(first)) == (3, {"failed": ["bad.wav", "gone.wav"]})
    assert (first.rows[-1]["refused"], first.rows[-1]["still_failing"]) == (2, 0)
    unchanged = state(built)
    second = again(is_fresh=False)
    assert (second.status, told(second), second.rows[-1]["still_failing"]) == (3, {}, 2)
    assert "2 inputs still fail" in second.err
    accepted = again("--accept-failed", is_fresh=False)
    assert (accepted.status, accepted.rows[-1]["still_failing"]) == (0, 2)
    assert "still fail" not in accepted.err
    assert state(built) == unchanged
    (sounds / "also-bad.wav").write_bytes(b"no sound either")
    third = again("--accept-failed", is_fresh=False)
    assert (third.status, told(third), third.rows[-1]["still_failing"]) == (3, {"failed": ["also-bad.wav"]}, 2)
    again()


def test_what_failed_is_tried_again_when_anything_was_done_to_it(
    sounds: Path, again: Run, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = sounds / "kick" / "bad.wav"
    bad.write_bytes(b"no sound")
    again(is_fresh=False)
    counted.clear()
    again(is_fresh=False)
    assert counted == []
    bad.chmod(0o600)
    again(is_fresh=False)
    assert counted == ["bad.wav"]
    monkeypatch.setattr(units, "_attempt", lambda: "another version")
    assert told(again(is_fresh=False)) == {"failed": ["bad.wav"]}
    assert counted == ["bad.wav", "bad.wav"]
    sound(bad)
    assert told(again()) == {"done": ["bad.wav"]}


def test_a_source_that_goes_bad_loses_its_clip(sounds: Path, again: Run) -> None:
    (sounds / "kick" / "a.wav").write_bytes(b"no sound")
    result = again(is_fresh=False)
    assert (result.status, told(result), result.rows[-1]["clips"]) == (3, {"failed": ["a.wav"]}, 5)
    again()


def test_strict_leaves_a_data_set_as_it_was(sounds: Path, run: Run, built: Path) -> None:
    before = files(built)
    sound(sounds / "kick" / "new.wav")
    (sounds / "kick" / "bad.wav").write_bytes(b"no sound")
    assert run("prep", sounds, "-o", built, "--strict").status == 4
    assert files(built) == before


def test_other_labels_change_rows_and_no_clip(tmp_path: Path, sounds: Path, run: Run, counted: list[str]) -> None:
    table, target = tmp_path / "labels.csv", tmp_path / "labelled"
    table.write_text("file_name,label\nset/kick/a.wav,tom\n")
    words = ("prep", sounds, "-o", target, "--labels", table)
    run(*words)
    made = len(counted)
    table.write_text("file_name,label,room\nset/kick/a.wav,tom,hall\nset/kick/b.wav,hat,\n")
    result = run(*words)
    assert told(result) == {"changed": ["a.wav", "b.wav"]}
    assert len(counted) == made
    assert {row["label"] for row in rows(target)} == {"tom", "hat", None}
    run("prep", sounds, "-o", tmp_path / "fresh", "--labels", table)
    assert files(target) == files(tmp_path / "fresh")


def test_another_assignment_moves_clips_between_splits(
    tmp_path: Path, sounds: Path, run: Run, counted: list[str]
) -> None:
    table, target = tmp_path / "assign.csv", tmp_path / "assigned"
    words = ("prep", sounds, "--assign", table, "-o")
    for split in ("test", "validation"):
        table.write_text(f"group,split\nset/kick/a.wav,{split}\n")
        result = run(*words, target)
        assert {row["split"] for row in rows(target) if row["source"] == "set/kick/a.wav"} == {split}
    assert told(result) == {"changed": ["a.wav"]}
    assert len(counted) == 6
    run(*words, tmp_path / "fresh")
    assert files(target) == files(tmp_path / "fresh")


def test_what_only_leaves_out_goes_though_deleted_clips_stay(tmp_path: Path, sounds: Path, run: Run) -> None:
    table, target = tmp_path / "labels.csv", tmp_path / "only"
    words = ("prep", sounds, "--labels", table, "--only", "tom", "-o")
    table.write_text("file_name,label\nkick/a.wav,tom\nkick/b.wav,tom\n")
    table.rename(sounds / "labels.csv")
    words = ("prep", sounds, "--labels", sounds / "labels.csv", "--only", "tom", "-o")
    run(*words, target)
    assert len(rows(target)) == 2
    (sounds / "labels.csv").write_text("file_name,label\nkick/a.wav,tom\nkick/b.wav,hat\n")
    result = run(*words, target)
    assert told(result) == {"removed": ["b.wav"]}
    run(*words, tmp_path / "fresh")
    assert files(target) == files(tmp_path / "fresh")


@pytest.mark.parametrize("harm", ["gone", "other", "manifest", "description", "edited"])
def test_what_was_damaged_in_the_data_set_is_made_again(again: Run, built: Path, harm: str) -> None:
    clip = next(iter(sorted((built / "train").glob("*.wav"))))
    path = {"manifest": built / METADATA, "edited": built / METADATA, "description": built / DESCRIPTION}.get(
        harm, clip
    )
    text = path.read_bytes()
    path.unlink()
    if harm in ("other", "edited"):
        path.write_bytes(text[:-9])
    assert again().status == 0


def test_a_kept_clip_that_is_lost_is_no_longer_promised(sounds: Path, again: Run, built: Path) -> None:
    (sounds / "kick" / "a.wav").unlink()
    again(is_fresh=False)
    next((built).glob("*/a-*.wav")).unlink()
    result = again(is_fresh=False)
    assert (result.status, result.rows[-1]["kept"], result.rows[-1]["clips"]) == (0, 0, 5)
    again()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate", 22_050), "--rate 22050, not 44100"),
        (("--length", 0.5, "--bits", 24), "--length 0.5, not none; --bits 24, not 16"),
        (("--split", "0.5,0.5,0"), "--split 0.5,0.5,0.0, not 0.8,0.1,0.1"),
        (("--group", "folder", "--split", "1,0,0"), "--group folder, not none"),
        (("--only", "kick"), "--only kick, not none"),
    ],
)
def test_other_settings_are_refused_by_name_and_force_rebuilds(
    *, tmp_path: Path, sounds: Path, run: Run, built: Path, words: tuple[object, ...], said: str
) -> None:
    before = state(built)
    result = run("prep", sounds, "-o", built, *words)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert "--force rebuilds it" in result.err
    assert state(built) == before
    assert run("prep", sounds, "-o", built, *words, "--force").status == 0
    run("prep", sounds, "-o", tmp_path / "fresh", *words)
    assert files(built) == files(tmp_path / "fresh")
    assert run("prep", sounds, "-o", built, *words).rows[-1]["unchanged"] == 6


def test_force_makes_everything_anew_without_what_is_gone(sounds: Path, again: Run, counted: list[str]) -> None:
    (sounds / "kick" / "a.wav").unlink()
    result = again("--force", is_fresh=False)
    assert counted == ["b.wav", "c.wav", "d.wav", "e.wav", "f.wav"]
    assert (result.rows[-1]["done"], result.rows[-1]["kept"]) == (5, 0)
    again()


def test_a_dry_run_plans_what_changed_and_writes_nothing(tmp_path: Path, sounds: Path, run: Run, built: Path) -> None:
    sound(sounds / "kick" / "new.wav")
    sound(sounds / "kick" / "b.wav", seed=1)
    (sounds / "kick" / "a.wav").unlink()
    before = state(tmp_path)
    result = run("prep", sounds, "-o", built, "--dry-run", "--deleted", "remove")
    assert state(tmp_path) == before
    planned = {Path(row["source"]).name: row["change"] for row in result.rows[:-1]}
    assert planned == {"new.wav": "new", "b.wav": "changed", "a.wav": "removed"}
    summary = result.rows[-1]
    assert (summary["clips"], summary["unchanged"], summary["removed"], summary["status"]) == (2, 4, 1, "planned")


def test_a_data_set_of_before_a_setting_existed_was_made_with_its_default(again: Run, run: Run, built: Path) -> None:
    connection = sqlite3.connect(built / CATALOGUE)
    ((text,),) = connection.execute("SELECT value FROM description WHERE name = 'settings'")
    older = {name: value for name, value in json.loads(text).items() if name not in ("trim_silence", "encoding")}
    connection.execute("UPDATE description SET value = ? WHERE name = 'settings'", (json.dumps(older),))
    connection.commit()
    connection.close()
    assert again().rows[-1]["unchanged"] == 6
    assert "--bits 24, not 16" in run("prep", built.parent / "set", "-o", built, "--bits", 24).err


def test_a_cluster_gets_paths_that_hold_everywhere_and_gives_the_same_bytes(
    sounds: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def there(function: Any, orders: Any, *, address: str, folder: Path, witness: Path, limits: object) -> Any:
        assert address == "tcp://127.0.0.1:8786"
        seen.extend(
            [folder, witness, *(path for one in orders for path in (*one.inputs, one.task.source, one.task.target))]
        )
        return map_files(function, orders, jobs=1, chunk=1, inline_up_to=0)

    monkeypatch.setattr(prep_job, "map_cluster", there)
    monkeypatch.chdir(sounds.parent)
    assert run("prep", "set", "-o", "near").status == 0
    assert run("prep", "set", "-o", "far", "--cluster", "tcp://127.0.0.1:8786").status == 0
    assert len(seen) == 2 + 3 * 6
    assert all(path.is_absolute() for path in seen)
    assert files(Path("near")) == files(Path("far"))


def test_work_by_other_versions_is_told(sounds: Path, run: Run, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {**prep_job.PrepJob.versions(None), "soxr": "9.9"}  # type: ignore[arg-type]
    monkeypatch.setattr(prep_job.PrepJob, "versions", lambda _: mine)
    assert "made by" not in run("prep", sounds, "-o", built).err
    sound(sounds / "kick" / "new.wav")
    assert "not 9.9: new clips may differ in their last bits" in run("prep", sounds, "-o", built).err
    sound(sounds / "kick" / "newer.wav")
    assert "made by" not in run("prep", sounds, "-o", built).err


# the catalogue


def test_the_catalogue_can_lie_elsewhere_and_belongs_to_one_data_set(tmp_path: Path, sounds: Path, run: Run) -> None:
    words = ("prep", sounds, "--catalog", tmp_path / "catalogue", "-o")
    assert run(*words, tmp_path / "ds").status == 0
    assert not (tmp_path / "ds" / CATALOGUE).exists()
    before = state(tmp_path)
    assert run(*words, tmp_path / "ds").rows[-1]["unchanged"] == 6
    assert state(tmp_path) == before
    forgotten = run("prep", sounds, "-o", tmp_path / "ds")
    assert (forgotten.status, forgotten.out) == (2, "")
    assert "has no catalogue" in forgotten.err
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / LOCK).touch()
    other = run(*words, tmp_path / "other")
    assert other.status == 2
    assert f"belongs to {tmp_path}/ds" in other.err


@pytest.mark.parametrize("kind", ["database", "text"])
def test_another_programs_file_is_no_catalogue_and_stays(tmp_path: Path, sounds: Path, run: Run, kind: str) -> None:
    place = tmp_path / "theirs"
    if kind == "text":
        place.write_text("mine, and longer than the header of a database " * 40)
    else:
        shutil.copy(theirs(tmp_path / "made"), place)
    before = place.read_bytes()
    result = run("prep", sounds, "-o", tmp_path / "ds", "--catalog", place)
    assert result.status in (2, 4)
    assert str(place) in result.err
    assert place.read_bytes() == before
    assert not (tmp_path / "ds").exists()


def theirs(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (number)")
    connection.commit()
    connection.close()
    return path


def test_a_damaged_catalogue_is_told_and_force_makes_all_anew(sounds: Path, again: Run, run: Run, built: Path) -> None:
    (built / CATALOGUE).write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    before = files(built)
    result = run("prep", sounds, "-o", built)
    assert (result.status, result.out) == (4, "")
    assert f"{CATALOGUE}: is damaged" in result.err
    assert "--force" in result.err
    assert files(built) == before
    assert run("prep", sounds, "-o", built, "--force").status == 0
    again()


def test_a_data_set_of_an_older_version_is_rebuilt_by_force_only(
    sounds: Path, again: Run, run: Run, built: Path
) -> None:
    (built / CATALOGUE).unlink()
    stray = built / "train" / "listed.wav"
    stray.write_bytes(b"old")
    with (built / METADATA).open("a") as lines:
        lines.write('{"file_name": "train/listed.wav"}\n')
    result = run("prep", sounds, "-o", built)
    assert (result.status, result.out) == (2, "")
    assert "has no catalogue" in result.err
    assert "--force rebuilds it" in result.err
    assert run("prep", sounds, "-o", built, "--force").status == 0
    assert not stray.exists()
    again()


def test_a_second_process_is_told_who_works_and_changes_nothing(sounds: Path, run: Run, built: Path) -> None:
    with locked(built / LOCK):
        assert run("prep", sounds, "-o", built).status == 0
        sound(sounds / "kick" / "new.wav")
        before = files(built)
        result = run("prep", sounds, "-o", built)
    assert result.status == 75
    assert f"is in use by process {os.getpid()}" in result.err
    assert files(built) == before


# the report


def test_a_report_holds_what_the_run_did_however_it_ends(tmp_path: Path, sounds: Path, run: Run, built: Path) -> None:
    (sounds / "kick" / "bad.wav").write_bytes(b"no sound")
    sound(sounds / "kick" / "new.wav")
    result = run("prep", sounds, "-o", built, "--report", tmp_path / "report.json", "-q")
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["schema"], report["command"], report["status"]) == ("stereokit.build-report/1", "prep", 3)
    assert [row["status"] for row in report["rows"]] == [row["status"] for row in result.rows]
    assert any("bad.wav" in line for line in report["warnings"])
    run("prep", sounds, "-o", built, "--report", tmp_path / "report.json", "--rate", 8000)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["status"], report["rows"]) == (2, [])
    assert "--rate 8000, not 44100" in report["error"]


# kills


class Moments:
    """Copies of a folder as it was before each of a run's writes: what a kill at that moment leaves."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self._folder = folder
        self._copies = copies
        self._last: dict[str, bytes] = {}
        self.folders: list[Path] = []
        self.is_on = False

    def heard(self, event: str, words: tuple[Any, ...]) -> None:
        """Take part in everything that this process asks of the system."""
        is_write = event in {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
        if event == "open":
            is_write = isinstance(words[0], str) and bool(words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if is_write:
            self.keep()

    def keep(self) -> None:
        if not self.is_on or not self._folder.exists():
            return
        self.is_on = False
        content = {str(path): path.read_bytes() for path in self._folder.rglob("*") if path.is_file()}
        if content != self._last:
            self._last = content
            self.folders.append(self._copies / str(len(self.folders)))
            shutil.copytree(self._folder, self.folders[-1])
        self.is_on = True


_MOMENTS: list[Moments] = []


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, Path], Moments]:
    """Watch the writes of this process; a commit of the catalogue counts as one, too."""

    def watch(folder: Path, copies: Path) -> Moments:
        if not _MOMENTS:
            # Python has no way to take such a hook back: it stays and looks up who listens.
            sys.addaudithook(lambda event, words: [one.heard(event, words) for one in _MOMENTS if one.is_on] and None)
        moments = Moments(folder, copies)
        _MOMENTS[:] = [moments]
        commit = Catalogue._commit

        def commit_between(catalogue: Catalogue) -> None:
            moments.keep()
            commit(catalogue)
            moments.keep()

        monkeypatch.setattr(Catalogue, "_commit", commit_between)
        monkeypatch.setattr(build_work, "_BATCH_S", 0.0)
        return moments

    return watch


# Variants are made in a second round, and what is a near-duplicate is known after the first.
TWO_ROUNDS = ("--augment", "swap", "--degrade", "quantise:8", "--near-duplicates", "drop")


@pytest.mark.parametrize(
    ("is_new", "more"),
    [(True, ()), (False, ()), pytest.param(True, TWO_ROUNDS, marks=pytest.mark.slow)],
    ids=["new", "update", "two rounds"],
)
def test_a_kill_before_any_write_is_finished_by_the_next_run_with_the_same_bytes(
    *, tmp_path: Path, sounds: Path, run: Run, built: Path, watched: Callable[[Path, Path], Moments], is_new: bool,
    more: tuple[str, ...],
) -> None:  # fmt: skip
    target = tmp_path / "new" if is_new else built
    words = ("prep", sounds, "--deleted", "remove", *more, "-o")
    sound(sounds / "kick" / "b.wav", seed=1)
    (sounds / "kick" / "c.wav").rename(sounds / "kick" / "z.wav")
    for name in "adef" if is_new else "adf":
        (sounds / "kick" / f"{name}.wav").unlink()
    (sounds / "bad.wav").write_bytes(b"no sound")
    moments = watched(target, tmp_path / "moments")
    moments.is_on = True
    assert run(*words, target).status == 3
    moments.is_on = False
    wanted = files(target)
    assert len(moments.folders) > 15
    for number, folder in enumerate(moments.folders):
        assert run(*words, folder).status == 3
        assert files(folder) == wanted
        if number % 6 == 0:
            unchanged = state(folder)
            assert run(*words, folder, "--accept-failed").status == 0
            assert state(folder) == unchanged
