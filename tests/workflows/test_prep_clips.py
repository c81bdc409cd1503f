"""What ``stereokit prep`` makes of the words about a clip: slices, filters, ends, formats, and what it counts."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from stereokit.data.preparation import Preparation
from stereokit.data.tables import METADATA
from stereokit.errors import UsageError
from stereokit.workflows.prep_clips import ClipWords, preparation_of

Run = Callable[..., SimpleNamespace]

RATE = 44_100

pytestmark = pytest.mark.usefixtures("quick_builds")


def noise(frames: int, *, left: float = 0.2, right: float = 0.2, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-1, 1, (frames, 2)) * [left, right]


def write(path: Path, samples: NDArray[np.floating]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, "PCM_16")
    return path


def metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / METADATA).read_text().splitlines()]


class TestWords:
    def test_none_are_the_defaults_of_a_preparation(self) -> None:
        assert preparation_of(ClipWords()) == Preparation()

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ({"is_trimmed": True}, {"trim_silence": -60.0}),
            ({"is_trimmed": True, "silence": -40.0}, {"trim_silence": -40.0}),
            ({"fade": "0.01"}, {"fade_in": 0.01, "fade_out": 0.01}),
            ({"fade": "0,0.5"}, {"fade_in": 0.0, "fade_out": 0.5}),
            ({"slicing": "onsets", "length": 0.5}, {"slicing": "onsets", "length": 0.5}),
            ({"slicing": "2.5", "overlap": 0.5}, {"slicing": 2.5, "overlap": 0.5}),
            ({"normalize": "loudness"}, {"normalization": "loudness", "target": -23.0}),
        ],
    )
    def test_each_says_what_it_says(self, words: dict[str, Any], expected: dict[str, Any]) -> None:
        assert preparation_of(ClipWords(**words)) == Preparation(**expected)

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            ({"silence": -40.0}, "--silence goes with --trim-silence"),
            ({"is_trimmed": True, "silence": 0.0}, "--silence 0.0: must be"),
            ({"is_trimmed": True, "silence": float("nan")}, "--silence nan: must be"),
            ({"fade": "-1"}, "--fade -1: must be"),
            ({"fade": "1,2,3"}, "--fade 1,2,3: must be"),
            ({"fade": "inf"}, "--fade inf: must be"),
            ({"fade": "soft"}, "--fade soft: must be"),
            ({"slicing": "0"}, "--slice 0.0: must hold"),
            ({"slicing": "nan"}, "--slice nan: must hold"),
            ({"slicing": "beats"}, "--slice beats: must be SECONDS or onsets"),
            ({"slicing": "1", "length": 1.0}, "leave --length away"),
            ({"overlap": 0.5}, "--overlap goes with --slice SECONDS"),
            ({"slicing": "onsets", "overlap": 0.5}, "--overlap goes with --slice SECONDS"),
            ({"slicing": "1", "overlap": 1.0}, "--overlap 1.0: must be"),
            ({"min_side": -0.1}, "--min-side -0.1: must be"),
            ({"max_peak": float("nan")}, "--max-peak nan: must be"),
            ({"container": "flac", "bits": "float"}, "--format flac: holds"),
            ({"container": "flac", "rate": 768_000}, "--format flac: holds"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name(self, words: dict[str, Any], reason: str) -> None:
        with pytest.raises(UsageError) as error:
            preparation_of(ClipWords(**words))
        assert reason in str(error.value)


class TestSlices:
    def test_a_row_and_a_file_a_slice_all_in_the_split_of_their_source(self, tmp_path: Path, run: Run) -> None:
        for place in range(4):
            write(tmp_path / "set" / f"{place}.wav", noise(10_000, seed=place))
        result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--slice", 0.1, "--overlap", 0.5)
        assert result.status == 0
        assert (result.rows[-1]["found"], result.rows[-1]["clips"]) == (4, 4 * 4)
        rows = metadata(tmp_path / "ds")
        assert len({row["file_name"] for row in rows}) == 16
        splits: dict[str, set[str]] = {}
        for row in rows:
            assert soundfile.info(tmp_path / "ds" / row["file_name"]).frames == row["frames"] == 4410
            splits.setdefault(row["source"], set()).add(row["split"])
        assert all(len(found) == 1 for found in splits.values())

    def test_the_same_words_again_find_nothing_to_do(self, tmp_path: Path, run: Run) -> None:
        write(tmp_path / "set" / "a.wav", noise(10_000))
        words = ("prep", tmp_path / "set", "-o", tmp_path / "ds", "--slice", "onsets", "--fade", "0,0.01")
        first = run(*words, "--split", "1,0,0")
        again = run(*words, "--split", "1,0,0")
        assert first.rows[-1]["fingerprint"] == again.rows[-1]["fingerprint"]
        assert [row["status"] for row in again.rows[:-1]] == []
        other = run(*words, "--split", "1,0,0", "--trim-silence")
        assert other.status == 2
        assert "--trim-silence" in other.err

    def test_slices_that_are_left_out_are_counted(self, tmp_path: Path, run: Run) -> None:
        sound = noise(4 * 4410)
        sound[4410:8820, 1] = sound[4410:8820, 0]
        write(tmp_path / "set" / "a.wav", sound)
        result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--slice", 0.1, "--only-stereo")
        assert (result.rows[-1]["clips"], result.rows[-1]["dropped"], result.rows[-1]["dropped_slices"]) == (3, 0, 1)


class TestFilters:
    def test_what_is_dropped_is_told_with_its_reason_and_counts_add_up(self, tmp_path: Path, run: Run) -> None:
        write(tmp_path / "set" / "stereo.wav", noise(2000))
        write(tmp_path / "set" / "narrow.wav", noise(2000, left=0.001, right=0.001))
        write(tmp_path / "set" / "loud.wav", noise(2000, left=0.9))
        write(tmp_path / "set" / "mono.wav", noise(2000)[:, :1])
        (tmp_path / "set" / "bad.wav").write_bytes(b"no sound")
        words = ("--only-stereo", "--min-side", 0.01, "--max-peak", -3)
        result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", *words)
        assert result.status == 3
        reasons = {Path(row["path"]).name: row["reason"] for row in result.rows[:-1] if row["status"] == "dropped"}
        assert reasons["mono.wav"] == "is mono (--only-stereo)"
        assert reasons["narrow.wav"].endswith("(--min-side 0.01)")
        assert reasons["loud.wav"].endswith("(--max-peak -3)")
        summary = result.rows[-1]
        assert summary["found"] == summary["clips"] + summary["dropped"] + summary["refused"] == 1 + 3 + 1

    def test_on_a_terminal_dropped_clips_do_not_stand_among_the_labels(self, tmp_path: Path, run: Run) -> None:
        write(tmp_path / "set" / "stereo.wav", noise(2000))
        write(tmp_path / "set" / "mono.wav", noise(2000)[:, :1])
        result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--only-stereo", terminal=True)
        assert result.status == 0
        assert "(1 dropped)" in " ".join(result.out.split())


class TestAudit:
    def test_the_summary_counts_what_sources_are(self, tmp_path: Path, run: Run) -> None:
        left = noise(2000)[:, 0]
        write(tmp_path / "set" / "inverted.wav", np.stack([left, -left], axis=1))
        write(tmp_path / "set" / "one_sided.wav", noise(2000, right=0.0))
        write(tmp_path / "set" / "silent.wav", np.zeros((2000, 2)))
        clipped = noise(2000)
        clipped[500:510, 0] = 1.0
        write(tmp_path / "set" / "clipped.wav", clipped)
        summary = run("prep", tmp_path / "set", "-o", tmp_path / "ds").rows[-1]
        names = ("silent", "inverted", "one_sided", "clipped", "swap_suspects")
        assert [summary[name] for name in names] == [1, 1, 1, 1, 0]
        rows = {row["source"].rpartition("/")[2]: row for row in metadata(tmp_path / "ds")}
        assert rows["clipped.wav"]["clipped_frames"] == 10
        assert rows["silent.wav"]["true_peak_db"] is None

    def test_a_clip_that_leans_against_its_label_may_have_swapped_channels(self, tmp_path: Path, run: Run) -> None:
        for place in range(12):
            quiet, loud = (0.05, 0.3) if place else (0.3, 0.05)
            write(tmp_path / "set" / "hat" / f"{place}.wav", noise(2000, left=quiet, right=loud, seed=place))
        result = run("prep", tmp_path / "set", "-o", tmp_path / "ds")
        assert "1 clips lean to the other side" in result.err
        suspects = [row["source"] for row in metadata(tmp_path / "ds") if row["is_swap_suspect"]]
        assert suspects == ["set/hat/0.wav"]


def test_flac_files_are_named_so_and_read_back(tmp_path: Path, run: Run) -> None:
    write(tmp_path / "set" / "a.wav", noise(2000))
    words = ("prep", tmp_path / "set", "-o", tmp_path / "ds", "--format", "flac", "--split", "1,0,0")
    assert run(*words, "--dry-run").rows[0]["path"].endswith(".flac")
    assert run(*words).status == 0
    (row,) = metadata(tmp_path / "ds")
    assert row["file_name"].endswith(".flac")
    assert np.array_equal(
        soundfile.read(tmp_path / "ds" / row["file_name"])[0], soundfile.read(tmp_path / "set" / "a.wav")[0]
    )
