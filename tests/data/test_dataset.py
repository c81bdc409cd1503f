"""A data set on disk: its layout and rows, whole or not at all, and the same bytes from the same inputs."""

import hashlib
import json
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from stereokit.data import build_switch, build_work, preparation
from stereokit.data.build_place import STAGING, Place, look_at
from stereokit.data.catalogue import CATALOGUE
from stereokit.data.dataset import DESCRIPTION, fingerprint
from stereokit.data.isolation import isolated_results
from stereokit.data.preparation import Preparation, Prepared, Task, prepare
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA
from stereokit.errors import OutputError, Terminated, UsageError
from stereokit.workflows import prep as workflow
from stereokit.workflows import prep_job
from stereokit.writing import move_file, write_file

Run = Callable[..., SimpleNamespace]

COLUMNS = {
    "file_name", "label", "split", "group", "source", "is_mono_source", "source_rate_hz", "source_frames",
    "source_encoding", "sample_rate_hz", "frames", "has_side", "peak", "gain_db", "is_limited", "sha256",
    "is_silent", "is_dual_mono", "is_nearly_mono", "is_inverted", "is_one_sided", "clipped_frames", "dc_left",
    "dc_right", "true_peak_db", "loudness_lufs", "side_distance", "image_class", "correlation", "balance_db",
    "side_mid_db", "mono_loss_db", "padded_frames", "is_swap_suspect",
}  # fmt: skip
BY_HAND = {"0": "train", "1": "validation", "2": "test"}


def fill(folder: Path, count: int = 12, *, frames: int = 60, seed: int = 0) -> Path:
    """Write ``count`` sounds, alike only in their names: kick/0.wav, snare/1.wav, hat/2.wav ..."""
    for index in range(count):
        path = folder / ("kick", "snare", "hat")[index % 3] / f"{index}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = np.random.default_rng([seed, index]).integers(-9000, 9000, (frames, 2), dtype=np.int16)
        soundfile.write(path, samples, 44_100)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the lock, the catalogue, and what is not in place yet."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in (LOCK, CATALOGUE))
    paths = (path for path in paths if STAGING not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / METADATA).read_text().splitlines()]


pytestmark = pytest.mark.usefixtures("quick_builds")


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    return fill(tmp_path / "sounds")


@pytest.fixture
def built(tmp_path: Path, sounds: Path, run: Run) -> Path:
    assert run("prep", sounds, "-o", tmp_path / "ds", "--split", "0.4,0.3,0.3").status == 0
    return tmp_path / "ds"


def test_a_data_set_is_three_folders_a_manifest_and_a_description(built: Path) -> None:
    assert {path.name for path in built.iterdir()} == {
        *("train", "validation", "test", METADATA, DESCRIPTION, LOCK, CATALOGUE)
    }
    rows = metadata(built)
    clips = {path.relative_to(built).as_posix() for path in built.rglob("*.wav")}
    assert {row["file_name"] for row in rows} == clips
    assert len(clips) == 12
    assert all((built / name).stat().st_mode & 0o777 == 0o666 & ~current_umask() for name in clips)


def current_umask() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0o022
    return int(re.findall(r"Umask:\s*(\d+)", status.read_text())[0], 8)


def test_rows_are_sorted_and_hold_every_column(built: Path, sounds: Path) -> None:
    rows = metadata(built)
    names = [row["file_name"] for row in rows]
    assert names == sorted(names, key=str.encode)
    for row in rows:
        assert set(row) == COLUMNS
        written, rate = soundfile.read(built / row["file_name"], dtype="int16", always_2d=True)
        given, _ = soundfile.read(sounds.parent / row["source"], dtype="int16", always_2d=True)
        assert np.array_equal(written, given)
        assert row["sha256"] == hashlib.sha256((built / row["file_name"]).read_bytes()).hexdigest()
        assert row["label"] == Path(row["source"]).parent.name
        assert row["file_name"].split("/")[0] == row["split"]
        assert row["group"] == row["source"]
        assert (rate, len(written)) == (row["sample_rate_hz"], row["frames"]) == (44_100, 60)
        assert (row["source_rate_hz"], row["source_frames"], row["source_encoding"]) == (44_100, 60, "PCM_16")
        assert (row["is_mono_source"], row["has_side"], row["is_limited"], row["gain_db"]) == (False, True, False, 0.0)
        assert row["peak"] == np.abs(given.astype(int)).max() / 32768


def test_columns_of_the_labels_are_added_and_never_replace_ours(tmp_path: Path, sounds: Path, run: Run) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file_name,label,machine,split,sha256\nkick/0.wav,tom,DMX,mine,00\n")
    assert run("prep", sounds, "-o", tmp_path / "ds", "--labels", table).status == 0
    by_source = {row["source"]: row for row in metadata(tmp_path / "ds")}
    row = by_source["sounds/kick/0.wav"]
    assert (row["label"], row["machine"], row["given_split"], row["given_sha256"]) == ("tom", "DMX", "mine", "00")
    assert row["split"] in ("train", "validation", "test")
    assert len(row["sha256"]) == 64
    assert by_source["sounds/kick/3.wav"]["label"] is None
    assert set(by_source["sounds/kick/3.wav"]) == COLUMNS


def test_file_names_are_ascii_and_unique_ignoring_case(tmp_path: Path, run: Run) -> None:
    names = ["a.wav", "A.wav", "a.flac", "sub/a.wav", "é.wav", "🥁.wav", "con.wav", "x y.wav", "x-y.wav", "x_y.wav"]
    for name in names:
        path = tmp_path / "odd" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros((5, 2), np.int16), 44_100)
    assert run("prep", tmp_path / "odd", "-o", tmp_path / "ds").status == 0
    stems = [Path(row["file_name"]).name for row in metadata(tmp_path / "ds")]
    assert all(re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{8}\.wav", stem) for stem in stems)
    assert len({stem.lower() for stem in stems}) == len(names)


def test_the_description_adds_up_and_records_the_settings(built: Path) -> None:
    description = json.loads((built / DESCRIPTION).read_text())
    rows = metadata(built)
    counts, settings = description["counts"], description["settings"]
    assert counts["found"] == counts["clips"] + counts["refused"] + counts["excluded"] == len(rows)
    assert {split: counts[split] for split in BY_HAND.values()} == Counter(row["split"] for row in rows)
    assert counts["labels"] == {"hat": 4, "kick": 4, "snare": 4} == Counter(row["label"] for row in rows)
    assert description["fingerprint"] == fingerprint(rows)
    assert settings["split"] == [0.4, 0.3, 0.3]
    assert (settings["sample_rate"], settings["encoding"], settings["seed"]) == (44_100, "16", 0)
    assert {"stereokit", "numpy", "soundfile", "soxr"} <= set(description["versions"])


def test_a_fingerprint_changes_with_names_bytes_and_labels_only() -> None:
    row = {"file_name": "train/a.wav", "sha256": "00", "label": "kick", "peak": 0.5}
    prints = {fingerprint([row | change]) for change in ({}, {"file_name": "b"}, {"sha256": "11"}, {"label": None})}
    assert len(prints) == 4
    assert fingerprint([row | {"peak": 0.25}]) == fingerprint([row])


def test_the_order_of_the_sources_does_not_change_a_byte_and_a_sample_does(
    tmp_path: Path, sounds: Path, run: Run
) -> None:
    one, other = fill(tmp_path / "one", 4, seed=1), fill(tmp_path / "other", 5, seed=2)
    for name, given in (("a", (one, other)), ("b", (other, one))):
        assert run("prep", *given, "-o", tmp_path / name).status == 0
    assert files(tmp_path / "a") == files(tmp_path / "b")
    fill(one, 4, seed=3)
    changed = run("prep", one, other, "-o", tmp_path / "c")
    assert changed.rows[-1]["fingerprint"] != json.loads((tmp_path / "a" / DESCRIPTION).read_text())["fingerprint"]


def test_one_process_and_two_give_the_same_bytes_of_every_file(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds = fill(tmp_path / "sounds", 130)
    pools: list[int] = []

    def counted(*words: Any, jobs: int, **rest: Any) -> Iterator[Any]:
        pools.append(jobs)
        return isolated_results(*words, jobs=jobs, **rest)

    monkeypatch.setattr(prep_job, "isolated_results", counted)
    (sounds / "bad.wav").write_bytes(b"no sound")
    rows = {}
    for jobs in (1, 2):
        words = ("--rate", 22_050, "--length", 0.01, "--normalize", "peak", "--jobs", jobs)
        result = run("prep", sounds, "-o", tmp_path / f"ds{jobs}", *words)
        assert result.status == 3
        rows[jobs] = [str(row).replace(f"ds{jobs}", "ds") for row in result.rows]
    assert files(tmp_path / "ds1") == files(tmp_path / "ds2")
    assert len(files(tmp_path / "ds1")) == 130 + 2
    assert rows[1] == rows[2]
    assert pools == [1, 2]


def prepare_after(task: Task, preparation: Preparation, others: int) -> Prepared:
    """Prepare a source; one that is called first waits until so many others have been prepared."""
    while task.key.endswith("first.wav") and len(list(task.target.parents[1].rglob("*.wav"))) < others:
        time.sleep(0.01)
    return prepare(task, preparation)


def test_a_file_that_waits_for_the_others_to_be_prepared_comes_last_and_its_failure_is_told_in_its_place(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds = fill(tmp_path / "sounds", 150)
    shutil.copy(sounds / "hat" / "2.wav", sounds / "hat" / "!first.wav")
    for name in ("a", "b"):
        (sounds / f"{name}.wav").write_bytes(b"no sound")
    assert run("prep", sounds, "-o", tmp_path / "usual", "--jobs", 2).status == 3
    # What its worker has been given beside it may wait, too: two chunks at most.
    late = partial(prepare_after, others=150 - 2 * prep_job._CHUNK_CLIPS)
    monkeypatch.setattr(prep_job, "prepare", late)
    monkeypatch.setattr(prep_job, "isolated_results", partial(isolated_results))
    result = run("prep", sounds, "-o", tmp_path / "late", "--jobs", 2)
    assert [Path(row["path"]).name for row in result.rows if row["status"] == "failed"] == ["a.wav", "b.wav"]
    assert files(tmp_path / "late") == files(tmp_path / "usual")


def test_adding_a_source_moves_and_changes_no_other(tmp_path: Path, sounds: Path, run: Run, built: Path) -> None:
    fill(sounds, 20)
    assert run("prep", sounds, "-o", tmp_path / "more", "--split", "0.4,0.3,0.3").status == 0
    before, after = (
        {name: data for name, data in files(one).items() if name.endswith(".wav")} for one in (built, tmp_path / "more")
    )
    assert before.items() < after.items()
    assert len(after) == 20


def test_a_finished_data_set_is_refused_without_force_and_untouched(sounds: Path, run: Run, built: Path) -> None:
    before = files(built)
    result = run("prep", sounds, "-o", built, "--rate", 8000)
    assert result.status == 2
    assert "--force" in result.err
    assert not result.rows
    assert files(built) == before


def test_force_replaces_removes_what_is_no_longer_named_and_keeps_what_is_not_ours(
    sounds: Path, run: Run, built: Path
) -> None:
    (built / "notes.txt").write_text("mine")
    (built / "train" / "mine.wav").write_bytes(b"mine too")
    shutil.rmtree(sounds / "kick")
    result = run("prep", sounds, "-o", built, "--force", "--split", "0.4,0.3,0.3", "--bits", "24")
    assert result.status == 0
    rows = metadata(built)
    assert len(rows) == 8
    assert set(files(built)) == {row["file_name"] for row in rows} | {
        METADATA,
        DESCRIPTION,
        "notes.txt",
        "train/mine.wav",
    }
    assert {soundfile.info(built / row["file_name"]).subtype for row in rows} == {"PCM_24"}
    assert (built / "train" / "mine.wav").read_bytes() == b"mine too"


def test_force_on_a_new_folder_is_no_error(tmp_path: Path, sounds: Path, run: Run) -> None:
    assert run("prep", sounds, "-o", tmp_path / "new", "--force").status == 0


@pytest.mark.parametrize("words", [(), ("--force",)])
def test_a_folder_with_other_files_is_refused_even_with_force(
    tmp_path: Path, sounds: Path, run: Run, words: tuple[str, ...]
) -> None:
    fill(tmp_path / "mine", 2)
    (tmp_path / "mine" / METADATA).write_text('{"file_name": "kick/0.wav"}\n')
    before = files(tmp_path / "mine")
    result = run("prep", sounds, "-o", tmp_path / "mine", *words)
    assert result.status == 2
    assert "holds other files" in result.err
    assert files(tmp_path / "mine") == before


@pytest.mark.parametrize("text", ['{"name": "mine"}', '{"schema": "other/1"}', "[]", "no json", ""])
def test_another_programs_dataset_json_protects_its_folder_even_from_force(
    tmp_path: Path, sounds: Path, run: Run, text: str
) -> None:
    fill(tmp_path / "mine", 2)
    (tmp_path / "mine" / METADATA).write_text('{"file_name": "kick/0.wav"}\n')
    (tmp_path / "mine" / DESCRIPTION).write_text(text)
    before = files(tmp_path / "mine")
    result = run("prep", sounds, "-o", tmp_path / "mine", "--force")
    assert result.status == 2
    assert "another program's" in result.err
    assert files(tmp_path / "mine") == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        look_at(Place(tmp_path / "file"), force=True)


def test_an_empty_folder_is_filled(tmp_path: Path, sounds: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    assert run("prep", sounds, "-o", tmp_path / "empty").status == 0


def test_a_data_set_inside_its_own_source_is_no_source_of_the_next_run(sounds: Path, run: Run) -> None:
    target = sounds / "prepared"
    first = run("prep", sounds, "-o", target)
    again = run("prep", sounds, "-o", target, "--force")
    assert first.rows == again.rows
    assert again.rows[-1]["clips"] == again.rows[-1]["found"] == 12


def test_a_data_set_cannot_be_rebuilt_from_itself(run: Run, built: Path) -> None:
    before = files(built)
    assert run("prep", built, "-o", built, "--force").status == 4
    assert files(built) == before


FAULTS = {OutputError("the disk is full"): 74, KeyboardInterrupt(): 130, Terminated(): 143, RuntimeError("bug"): 70}


def failing(function: Callable[..., Any], *, call: int, fault: BaseException) -> Callable[..., Any]:
    calls = 0

    def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise fault
        return function(*arguments, **options)

    return wrapped


FULL, *OTHERS = FAULTS

# (module, function, call): while the clips are made, while the last one is written, and the last writes before the
# switch from the old data set to the new one.
STEPS = [
    (prep_job, "prepare", 5, FULL),
    *((prep_job, "prepare", 6, fault) for fault in OTHERS),
    (preparation, "write_file", 12, FULL),
    (build_work, "write_file", 1, FULL),
    (build_work, "write_file", 2, OTHERS[1]),
    (build_work, "sync_batch", 1, OTHERS[0]),
]


def step_name(value: object) -> str:
    return str(getattr(value, "__name__", type(value).__name__ if isinstance(value, BaseException) else value))


@pytest.mark.parametrize(("module", "name", "call", "fault"), STEPS, ids=step_name)
def test_a_failure_midway_leaves_the_old_data_set_whole_and_the_next_run_goes_on(
    *, tmp_path: Path, sounds: Path, run: Run, built: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException,
    module: Any, name: str, call: int,
) -> None:  # fmt: skip
    before = files(built)
    words = ("--force", "--rate", 8000)
    run("prep", sounds, "-o", tmp_path / "wanted", *words)
    for target in (built, tmp_path / "new"):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, failing(getattr(module, name), call=call, fault=fault))
            result = run("prep", sounds, "-o", target, *words)
        assert result.status == FAULTS[fault]
        assert "Traceback" not in result.err
        assert not any(row["schema"] == "stereokit.prep/1" for row in result.rows)
    assert files(built) == before
    assert files(tmp_path / "new") == {}
    for target in (built, tmp_path / "new"):
        counted = failing(write_file, call=12, fault=RuntimeError("all twelve are made again"))
        with monkeypatch.context() as patch:
            patch.setattr(preparation, "write_file", counted)
            assert run("prep", sounds, "-o", target, *words).status == 0
        assert files(target) == files(tmp_path / "wanted")


# The first step takes the old description away, 12 put the new clips in place, one the manifest; then the old clips
# without a successor go, and the last step puts the description in place.
SWITCHES = [
    *(("ds", "move_file", call, FULL) for call in (1, 12, 13, 14)),
    *(("ds", "remove_file", call, fault) for call, fault in zip((1, 2, 7), OTHERS, strict=True)),
    ("new", "move_file", 1, FULL),
    ("new", "move_file", 14, OTHERS[1]),
]


@pytest.mark.parametrize(("target", "name", "call", "fault"), SWITCHES, ids=step_name)
def test_a_failure_while_the_clips_are_put_in_place_is_mended_by_the_next_run(
    *, tmp_path: Path, sounds: Path, run: Run, built: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException,
    target: str, name: str, call: int,
) -> None:  # fmt: skip
    words = ("prep", sounds, "--split", "0,0,1", "--rate", 8000, "-o")
    run(*words, tmp_path / "wanted")
    with monkeypatch.context() as patch:
        patch.setattr(build_switch, name, failing(getattr(build_switch, name), call=call, fault=fault))
        assert run(*words, tmp_path / target, "--force").status == FAULTS[fault]
    # The next run needs neither --force nor the sources' sounds for it.
    monkeypatch.setattr(prep_job, "prepare", failing(prepare, call=1, fault=RuntimeError("nothing is to be made")))
    assert run(*words, tmp_path / target).status == 0
    assert files(tmp_path / target) == files(tmp_path / "wanted")
    assert not (tmp_path / target / STAGING).exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_clips_are_put_in_place_waits_for_the_last_of_them(
    *, sounds: Path, run: Run, built: Path, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    def terminate(*_: object) -> None:
        raise Terminated

    calls = []

    def moving(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 7:
            signal.raise_signal(number)
        move_file(source, target)

    handler = signal.signal(signal.SIGTERM, terminate)
    try:
        monkeypatch.setattr(build_switch, "move_file", moving)
        result = run("prep", sounds, "-o", built, "--force", "--split", "0,0,1")
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert result.status == status
    assert len(calls) == 14
    rows = metadata(built)
    assert {row["split"] for row in rows} == {"test"}
    assert json.loads((built / DESCRIPTION).read_text())["fingerprint"] == fingerprint(rows)
    assert set(files(built)) == {row["file_name"] for row in rows} | {METADATA, DESCRIPTION}


def test_what_a_killed_run_left_behind_is_gone_after_the_next(sounds: Path, run: Run, built: Path) -> None:
    (built / ".stereokit-new" / "train").mkdir(parents=True)
    (built / ".stereokit-new" / "train" / "half.wav").write_bytes(b"half")
    before = {name: data for name, data in files(built).items() if not name.startswith(".")}
    assert run("prep", sounds, "-o", built, "--force", "--split", "0.4,0.3,0.3").status == 0
    assert files(built) == before


def test_a_manifest_that_names_what_lies_outside_makes_nothing_there_vanish(
    tmp_path: Path, sounds: Path, run: Run, built: Path
) -> None:
    victim = tmp_path / "victim.wav"
    victim.write_bytes(b"mine")
    with (built / METADATA).open("a") as file:
        file.write(f'{{"file_name": "../victim.wav"}}\n{{"file_name": "{victim}"}}\nnot json\n{{}}\n[]\n')
    assert run("prep", sounds, "-o", built, "--force").status == 0
    assert victim.read_bytes() == b"mine"
    assert len(metadata(built)) == 12


def test_a_data_set_that_another_run_finished_meanwhile_is_not_replaced_without_force(
    tmp_path: Path, sounds: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = workflow.find_plan
    finished = []

    def slow_plan(*words: object) -> object:
        if not finished:
            finished.append(True)
            assert run("prep", sounds, "-o", tmp_path / "ds", "--rate", 8000).status == 0
            finished.append(files(tmp_path / "ds"))
        return original(*words)

    monkeypatch.setattr(workflow, "find_plan", slow_plan)
    result = run("prep", sounds, "-o", tmp_path / "ds", "--rate", 16_000)
    assert result.status == 2
    assert "--force" in result.err
    assert files(tmp_path / "ds") == finished[1]
