"""The commands on real recordings, and on every malformed file and hostile name that we have collected."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

Run = Callable[..., SimpleNamespace]

pytestmark = pytest.mark.data

# A part of each reason: what stands behind it is libsndfile's wording.
REFUSED = {
    "bit_rot.flac": "cannot be decoded",
    "declares_255_channels.wav": "has 255 channels",
    "declares_4gib.wav": "is truncated: declares 4294967280 bytes of sound, holds 35280",
    "empty.wav": "is empty",
    "html_named.wav": "cannot be decoded",
    "inf_float.wav": "holds NaN or infinity (first in frame 5)",
    "nan_float.wav": "holds NaN or infinity (first in frame 100)",
    "text_named.wav": "cannot be decoded",
    "truncated.flac": "cannot be decoded",
    "truncated.ogg": "is truncated",
    "truncated_data.wav": "is truncated: declares 35280 bytes of sound, holds 17618",
    "truncated_header.wav": "cannot be decoded",
    "zero_channels.wav": "cannot be decoded",
    "zero_frames.wav": "holds no samples",
    "zero_rate.wav": "cannot be decoded",
}
SIX_CHANNELS = {"six_channels.wav": "has 6 channels"}
USED = {
    "dc_offset.wav", "dual_mono.wav", "inverted_right.wav", "mono.wav", "ok.flac", "ok.ogg", "ok_stereo.wav",
    "one_sample.wav", "over_full_scale_float.wav", "rate_192000_24bit.wav", "rate_8000.wav", "silent.wav",
}  # fmt: skip
UNSAFE = {"\x1b", "\u202e", "\x07", "\r"}


def metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for data sets that several tests look at."""
    return tmp_path_factory.mktemp("targets")


def drums(test_data: Path, run: Run, targets: Path) -> tuple[Path, dict[str, Any]]:
    """Prepare the drums once; later tests read what is there."""
    target = targets / "drums"
    if not (target / "dataset.json").exists():
        folder = test_data / "drums"
        words = ("--labels", folder / "labels.csv", "--group", "machine", "--length", 0.6)
        result = run("prep", folder, "-o", target, *words)
        assert (result.status, "Traceback" in result.err) == (0, False)
        assert result.rows[-1]["schema"] == "stereokit.prep/1"
    return target, json.loads((target / "dataset.json").read_text())["counts"]


def test_every_drum_is_used_or_refused_and_its_length_is_exact(test_data: Path, run: Run, targets: Path) -> None:
    target, counts = drums(test_data, run, targets)
    assert counts["found"] == 1726 == counts["clips"] + counts["refused"] + counts["excluded"]
    rows = metadata(target)
    assert len(rows) == counts["clips"]
    assert {row["frames"] for row in rows} == {26_460}
    for row in rows[::50]:
        info = soundfile.info(target / row["file_name"])
        assert (info.frames, info.channels, info.samplerate, info.subtype) == (26_460, 2, 44_100, "PCM_16")
    labels = Counter(row["label"] or "" for row in rows)
    assert labels == counts["labels"]
    assert set(labels) == {"", "clap", "crash", "hat", "kick", "ride", "shaker", "snare", "tom"}


def test_no_drum_machine_is_in_two_splits(test_data: Path, run: Run, targets: Path) -> None:
    target, counts = drums(test_data, run, targets)
    splits: dict[str, set[str]] = {}
    for row in metadata(target):
        assert row["group"] == row["machine"] == row["source"].split("/")[1]
        splits.setdefault(row["group"], set()).add(row["split"])
    assert len(splits) == 41
    assert all(len(one) == 1 for one in splits.values())
    assert min(counts[split] for split in ("train", "validation", "test")) > 0


def test_what_was_prepared_can_be_scored_as_a_whole_and_by_label(test_data: Path, run: Run, targets: Path) -> None:
    target, counts = drums(test_data, run, targets)
    whole = run("score", target / "test", target / "train")
    assert (whole.status, len(whole.rows)) == (0, 1)
    assert (whole.rows[0]["n_gen_found"], whole.rows[0]["n_ref_found"]) == (counts["test"], counts["train"])
    by_label = run("score", target / "test", target / "train", "--per-label")
    assert by_label.status == 0
    *labels, last = by_label.rows
    assert {row["label"] for row in labels} == {row["label"] or "" for row in metadata(target)}
    assert sum(row["n_gen_found"] for row in labels) == counts["test"]
    assert [last[key] for key in ("cov", "mmd", "nna")] == [whole.rows[0][key] for key in ("cov", "mmd", "nna")]


def test_mono_and_stereo_flac_become_one_data_set(test_data: Path, run: Run, tmp_path: Path) -> None:
    result = run("prep", test_data / "stereo", "-o", tmp_path / "ds", "--normalize", "peak")
    assert result.status == 0
    rows = metadata(tmp_path / "ds")
    mono = {path.stem for path in (test_data / "stereo").glob("*.flac") if soundfile.info(path).channels == 1}
    assert len(rows) == result.rows[-1]["found"] == 105
    assert {Path(row["source"]).stem for row in rows if row["is_mono_source"]} == mono
    assert 0 < len(mono) == result.rows[-1]["mono"]
    for row in rows:
        assert row["peak"] == pytest.approx(10 ** (-1 / 20), rel=1e-5)
        if row["is_mono_source"]:
            assert row["has_side"] is False


def test_music_is_brought_to_another_rate_and_one_loudness(test_data: Path, run: Run, tmp_path: Path) -> None:
    words = ("--rate", 44_100, "--length", 2, "--normalize", "loudness", "--target", "-30")
    result = run("prep", test_data / "genres", "-o", tmp_path / "ds", *words)
    assert result.status == 0
    assert result.rows[-1]["labels"] == {"classical": 35, "jazz": 35}
    assert result.rows[-1]["mono"] == result.rows[-1]["without_side"] == 70
    assert result.rows[-1]["turned_down"] == 0
    rows = metadata(tmp_path / "ds")
    assert {(row["sample_rate_hz"], row["frames"], row["source_rate_hz"]) for row in rows} == {(44_100, 88_200, 22_050)}
    assert len({row["gain_db"] for row in rows}) > 60


def test_exactly_the_broken_files_are_refused_by_prep(test_data: Path, run: Run, tmp_path: Path) -> None:
    result = run("prep", test_data / "broken", "-o", tmp_path / "ds")
    assert result.status == 3
    failed = {Path(row["path"]).name: row["reason"] for row in result.rows if row["status"] == "failed"}
    wanted = REFUSED | SIX_CHANNELS
    assert failed.keys() == wanted.keys()
    for name, reason in wanted.items():
        assert reason in failed[name]
        assert f"{name}: {failed[name]}" in result.err
    rows = metadata(tmp_path / "ds")
    assert {Path(row["source"]).name for row in rows if "/names/" not in row["source"]} == USED
    assert sum("/names/" in row["source"] for row in rows) == 12
    assert "Traceback" not in result.err + result.out


def test_what_is_kept_of_the_awkward_files_is_what_they_hold(test_data: Path, run: Run, tmp_path: Path) -> None:
    run("prep", test_data / "broken", "-o", tmp_path / "ds")
    rows = {Path(row["source"]).name: row for row in metadata(tmp_path / "ds")}
    assert {name for name, row in rows.items() if row["is_mono_source"]} == {"mono.wav"}
    assert {name for name, row in rows.items() if not row["has_side"]} == {"mono.wav", "dual_mono.wav", "silent.wav"}
    assert rows["silent.wav"]["peak"] == 0.0
    assert rows["one_sample.wav"]["frames"] == 1
    assert rows["rate_192000_24bit.wav"]["source_encoding"] == "PCM_24"
    assert rows["over_full_scale_float.wav"]["is_limited"] is True
    for name in ("ok_stereo.wav", "inverted_right.wav", "dc_offset.wav", "ok.flac"):
        written, given = (
            soundfile.read(path, dtype="int16")[0]
            for path in (tmp_path / "ds" / rows[name]["file_name"], test_data / "broken" / name)
        )
        assert np.array_equal(written, given)


@pytest.mark.parametrize("name", sorted(REFUSED | SIX_CHANNELS))
def test_a_broken_file_alone_is_status_4_with_its_reason_and_no_folder(
    test_data: Path, run: Run, tmp_path: Path, name: str
) -> None:
    result = run("prep", test_data / "broken" / name, "-o", tmp_path / "ds")
    assert result.status == 4
    assert [row["status"] for row in result.rows] == ["failed"]
    assert (REFUSED | SIX_CHANNELS)[name] in result.rows[0]["reason"]
    assert not (tmp_path / "ds").exists()


def test_exactly_the_broken_files_are_refused_by_score(test_data: Path, run: Run) -> None:
    result = run("score", test_data / "broken", test_data / "stereo")
    assert result.status == 3
    row = result.rows[-1]
    failed = {Path(one["path"]).name: one["reason"] for one in row["failed"] if one["set"] == "gen"}
    wanted = REFUSED | SIX_CHANNELS
    assert failed.keys() == wanted.keys()
    assert all(reason in failed[name] for name, reason in wanted.items())
    assert row["gen"]["found"] == row["gen"]["used"] + row["gen"]["refused"] == 40
    assert "Traceback" not in result.err + result.out


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("command", ["prep", "score"])
def test_hostile_names_are_escaped_wherever_they_are_shown(
    *, test_data: Path, run: Run, tmp_path: Path, command: str, terminal: bool
) -> None:
    names = test_data / "broken" / "names"
    words = {"prep": (names, "-o", tmp_path / "ds"), "score": (names, names, "--per-clip")}
    result = run(command, *words[command], terminal=terminal)
    assert result.status == 0
    assert not UNSAFE & set(result.out)
    if not terminal:
        assert not UNSAFE & set(result.err)
        assert result.out.isascii()
        # escaped as JSON escapes: whoever reads the row has the name as it is
        shown = {row.get("source", row.get("path", "")).split("/")[-1] for row in result.rows}
        assert {"\x1b[31mred\x1b[0m.wav", "rtl\u202egpj.wav", "new\nline.wav", "=cmd()|x.wav"} <= shown


def test_hostile_names_become_plain_files(test_data: Path, run: Run, tmp_path: Path) -> None:
    result = run("prep", test_data / "broken" / "names", "-o", tmp_path / "ds")
    assert result.status == 0
    rows = metadata(tmp_path / "ds")
    assert len(rows) == 12
    for row in rows:
        stem = Path(row["file_name"]).stem
        assert stem.replace("-", "").isalnum()
        assert stem.isascii()
        assert not stem.startswith(("-", "con-"))
    # the given names survive, escaped as JSON escapes
    assert {"\x1b[31mred\x1b[0m.wav", "new\nline.wav", "=cmd()|x.wav", "-rf.wav", "CON.wav"} <= {
        row["source"].removeprefix("names/") for row in rows
    }
    assert (tmp_path / "ds" / "metadata.jsonl").read_text().isascii()


def test_the_hostile_manifest_gives_its_one_honest_row(test_data: Path, run: Run, tmp_path: Path) -> None:
    manifest = test_data / "broken" / "traversal.jsonl"
    result = run("prep", manifest, "-o", tmp_path / "ds")
    assert result.status == 3
    failed = {row["path"]: row["reason"] for row in result.rows if row["status"] == "failed"}
    assert failed.keys() == {f"traversal.jsonl line {line}" for line in (1, 2, 4, 5)}
    assert "'..'" in failed["traversal.jsonl line 1"]
    assert "absolute" in failed["traversal.jsonl line 2"]
    assert "'..'" in failed["traversal.jsonl line 4"]
    assert "JSON" in failed["traversal.jsonl line 5"]
    (row,) = metadata(tmp_path / "ds")
    assert (row["source"], row["label"]) == ("traversal/ok_stereo.wav", "kick")
    scored = run("score", manifest, test_data / "stereo")
    assert scored.status == 3
    assert (scored.rows[-1]["gen"]["used"], scored.rows[-1]["gen"]["refused"]) == (1, 4)


def test_the_hostile_manifest_as_labels_refuses_the_same_rows(test_data: Path, run: Run, tmp_path: Path) -> None:
    broken = test_data / "broken"
    result = run("prep", broken / "ok_stereo.wav", "--labels", broken / "traversal.jsonl", "-o", tmp_path / "ds")
    assert result.status == 3
    failed = {row["path"] for row in result.rows if row["status"] == "failed"}
    assert failed == {f"traversal.jsonl line {line}" for line in (1, 2, 4, 5)}
    assert metadata(tmp_path / "ds")[0]["label"] == "kick"
