"""``stereokit prep``'s variants, pairs and near-duplicates: where they lie, what their rows say, that reruns agree."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.data.augmentation._plan import parse_augmentation
from stereokit.data.catalogue import CATALOGUE
from stereokit.data.corpus import open_corpus
from stereokit.data.degradation._plan import apply_steps
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA

pytestmark = pytest.mark.usefixtures("quick_builds")

Run = Callable[..., SimpleNamespace]
RATE = 8_000
SPLIT = ("--split", "0.6,0.2,0.2", "--rate", RATE)


def sound(path: Path, seed: int, *, gain: float = 1.0, start: int = 0) -> Path:
    """Write a burst that decays, the same for the same seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).standard_normal((2400, 2)) * np.exp(-np.arange(2400) / 500)[:, None]
    soundfile.write(path, gain * 0.1 * samples[start:], RATE, subtype="FLOAT")
    return path


def fill(folder: Path, count: int = 10) -> Path:
    for index in range(count):
        sound(folder / f"{index}.wav", index)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name not in (LOCK, CATALOGUE))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / METADATA).read_text().splitlines()]


def summary(result: SimpleNamespace) -> dict[str, Any]:
    found: dict[str, Any] = result.rows[-1]
    return found


class TestVariants:
    def test_training_clips_have_their_variants_beside_them_and_no_others(self, tmp_path: Path, run: Run):
        result = run(
            "prep", fill(tmp_path / "set", 24), "-o", tmp_path / "ds", "--augment", "gain,swap", "--variants", 3, *SPLIT
        )
        assert result.status == 0
        found = rows(tmp_path / "ds")
        splits = {row["split"] for row in found if row["variant"]}
        assert splits == {"train"}
        assert {row["split"] for row in found} == {"train", "validation", "test"}
        for row in found:
            own = [other for other in found if other["source"] == row["source"]]
            assert sorted(other["variant"] for other in own) == ([0, 1, 2, 3] if row["split"] == "train" else [0])
            assert len({other["sha256"] for other in own}) == len(own)
            if row["variant"]:
                assert row["file_name"].endswith(f"-v0{row['variant']}.wav")
                assert set(row["augmentation"]) == {"gain", "swap"}
        originals = sum(row["variant"] == 0 for row in found)
        assert summary(result)["found"] == summary(result)["done"] == originals == 24
        assert summary(result)["variants"] == len(found) - 24

    def test_a_row_makes_its_variant_again(self, tmp_path: Path, run: Run):
        run(
            "prep",
            fill(tmp_path / "set"),
            "-o",
            tmp_path / "ds",
            "--augment",
            "filter,stretch",
            "--bits",
            "float",
            *SPLIT,
        )
        row = next(row for row in rows(tmp_path / "ds") if row["variant"])
        source = soundfile.read(tmp_path / row["source"], dtype="float32")[0].T
        clip = Clip(source, RATE)
        for name, facts in row["augmentation"].items():
            clip = catalog.load("augmentation", name).apply(clip, facts)
        made = soundfile.read(tmp_path / "ds" / row["file_name"], dtype="float32")[0].T
        np.testing.assert_array_equal(made, clip.samples)

    def test_a_second_run_does_nothing_and_a_changed_source_changes_its_variants(self, tmp_path: Path, run: Run):
        words = ("--augment", "gain", "--variants", 2, *SPLIT)
        run("prep", fill(tmp_path / "set"), "-o", tmp_path / "ds", *words)
        before = files(tmp_path / "ds")
        again = run("prep", tmp_path / "set", "-o", tmp_path / "ds", *words)
        assert (again.status, len(again.rows), summary(again)["unchanged"]) == (0, 1, 10)
        assert files(tmp_path / "ds") == before
        row = next(row for row in rows(tmp_path / "ds") if row["variant"])
        sound(tmp_path / row["source"], 99)
        sound(tmp_path / "set" / "new.wav", 100)
        (tmp_path / "set" / "0.wav").unlink()
        changed = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--deleted", "remove", *words)
        assert changed.status == 0
        run("prep", tmp_path / "set", "-o", tmp_path / "fresh", *words)
        assert files(tmp_path / "ds") == files(tmp_path / "fresh")

    def test_variants_of_a_source_that_is_gone_stay_with_it(self, tmp_path: Path, run: Run):
        words = ("--augment", "gain", "--variants", 2, *SPLIT)
        run("prep", fill(tmp_path / "set"), "-o", tmp_path / "ds", *words)
        before = files(tmp_path / "ds")
        row = next(row for row in rows(tmp_path / "ds") if row["variant"])
        (tmp_path / row["source"]).unlink()
        kept = run("prep", tmp_path / "set", "-o", tmp_path / "ds", *words)
        assert kept.status == 0
        after = files(tmp_path / "ds")
        assert {name for name in after if name.endswith(".wav")} == {name for name in before if name.endswith(".wav")}

    def test_stabs24_gives_24_forms(self, tmp_path: Path, run: Run):
        words = ("--rate", RATE, "--augment", "stabs24", "--split", "1,0,0")
        result = run("prep", "--synth", "stabs", "--count", 1, "-o", tmp_path / "ds", *words)
        assert result.status == 0
        assert summary(result)["clips"] == 24
        assert parse_augmentation("stabs24").count == summary(result)["variants"] == 23


class TestPairs:
    def test_each_clip_is_degraded_beside_the_clean_one_that_it_should_become(self, tmp_path: Path, run: Run):
        result = run("prep", fill(tmp_path / "set"), "-o", tmp_path / "ds", "--degrade", "band:1500,noise:20",
                     "--length", 0.25, *SPLIT)  # fmt: skip
        assert result.status == 0
        assert summary(result)["pairs"] == summary(result)["done"] == 10
        pairs = list(open_corpus(tmp_path / "ds", "train", sample_rate=RATE, frames=2000).pairs())
        assert len(pairs) == summary(result)["train"] / 2
        for degraded, clean in pairs:
            assert clean.file_name == degraded.file_name.replace(".wav", ".target.wav")

    def test_both_have_one_gain_and_the_row_makes_the_degraded_one_of_the_clean_one(self, tmp_path: Path, run: Run):
        sound(tmp_path / "set" / "loud.wav", 1, gain=9.0)
        run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--degrade", "noise:3,distort", "--bits", "24", *SPLIT)
        clean, degraded = sorted(rows(tmp_path / "ds"), key=lambda row: "target" in row)
        assert clean["gain_db"] == degraded["gain_db"] < 0
        assert degraded["target"] == clean["file_name"]
        assert degraded["frames"] == clean["frames"]
        samples = [
            soundfile.read(tmp_path / "ds" / row["file_name"], dtype="float32")[0].T for row in (clean, degraded)
        ]
        again = apply_steps(Clip(samples[0], RATE), degraded["degradation"])
        np.testing.assert_allclose(again.samples, samples[1], atol=2e-5)

    def test_variants_are_degraded_too(self, tmp_path: Path, run: Run):
        result = run("prep", fill(tmp_path / "set", 3), "-o", tmp_path / "ds", "--degrade", "quantise:6", "--augment",
                     "gain", "--split", "1,0,0", "--rate", RATE)  # fmt: skip
        assert summary(result)["clips"] == 12
        assert summary(result)["pairs"] == 6
        names = {row["file_name"] for row in rows(tmp_path / "ds")}
        assert all(row["target"] in names for row in rows(tmp_path / "ds") if "target" in row)


class TestNearDuplicates:
    def many(self, folder: Path) -> Path:
        """Twelve sounds, three of them again: softer, later, and with a name that falls into any split."""
        fill(folder, 12)
        for copy in range(5):
            sound(folder / f"copy-{copy}.wav", 3, gain=0.3 + 0.1 * copy, start=copy)
        return folder

    def test_grouped_they_share_a_split_and_name_the_first(self, tmp_path: Path, run: Run):
        result = run("prep", self.many(tmp_path / "set"), "-o", tmp_path / "ds", "--near-duplicates", "group", *SPLIT)
        assert result.status == 0
        found = {Path(row["source"]).name: row for row in rows(tmp_path / "ds")}
        again = {name for name, row in found.items() if row["near_duplicate_of"]}
        assert again == {f"copy-{copy}.wav" for copy in range(5)}
        assert {Path(found[name]["near_duplicate_of"]).name for name in again} == {"3.wav"}
        assert len({found[name]["split"] for name in (*again, "3.wav")}) == 1
        assert summary(result)["near_duplicates"] == 5

    def test_kept_they_fall_where_their_names_say(self, tmp_path: Path, run: Run):
        run("prep", self.many(tmp_path / "set"), "-o", tmp_path / "ds", *SPLIT)
        found = {Path(row["source"]).name: row for row in rows(tmp_path / "ds")}
        assert "near_duplicate_of" not in found["3.wav"]
        assert len({found[name]["split"] for name in found if name.startswith("copy") or name == "3.wav"}) > 1

    def test_dropped_they_are_told_and_counted_and_come_back_when_the_first_goes(self, tmp_path: Path, run: Run):
        words = ("--near-duplicates", "drop", "--deleted", "remove", *SPLIT)
        result = run("prep", self.many(tmp_path / "set"), "-o", tmp_path / "ds", *words)
        dropped = [row for row in result.rows if row.get("status") == "dropped"]
        assert len(dropped) == summary(result)["dropped"] == 5
        assert all("is the same sound as" in row["reason"] for row in dropped)
        assert summary(result)["found"] == summary(result)["done"] + summary(result)["dropped"] == 17
        (tmp_path / "set" / "3.wav").unlink()
        assert run("prep", tmp_path / "set", "-o", tmp_path / "ds", *words).status == 0
        run("prep", tmp_path / "set", "-o", tmp_path / "fresh", *words)
        assert files(tmp_path / "ds") == files(tmp_path / "fresh")
        assert sum("copy" in row["source"] for row in rows(tmp_path / "ds")) == 1

    def test_a_split_by_hand_holds_for_those_that_are_joined_to_it(self, tmp_path: Path, run: Run):
        folder = tmp_path / "set"
        for group, seed in (("a", 1), ("b", 1), ("c", 2), ("d", 3)):
            sound(folder / group / "x.wav", seed)
        (tmp_path / "by-hand.csv").write_text("group,split\nb,test\nc,validation\nd,train\n")
        run("prep", folder, "-o", tmp_path / "ds", "--near-duplicates", "group", "--group", "folder", "--assign",
            tmp_path / "by-hand.csv", *SPLIT)  # fmt: skip
        assert {row["group"]: row["split"] for row in rows(tmp_path / "ds")} == {
            "a": "test", "b": "test", "c": "validation", "d": "train",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--variants", 2), "--variants goes with --augment"),
        (("--uneven", 0.2), "--uneven goes with --degrade"),
        (("--augment", "nonsense"), "unknown augmentation 'nonsense'"),
        (("--degrade", "quantise:1"), "--degrade quantise:1: must be a whole number from 2 to 24 bits"),
        (("--degrade", "noise", "--uneven", 2), "--uneven 2.0: must be from 0"),
        (("--near-duplicates", "group", "--slice", "1"), "knows whole sources, not slices"),
    ],
)
def test_words_that_do_not_go_together_are_refused(tmp_path: Path, run: Run, words: tuple[str, ...], told: str):
    result = run("prep", fill(tmp_path / "set", 1), "-o", tmp_path / "ds", *words)
    assert result.status == 2
    assert told in result.err
    assert not (tmp_path / "ds").exists()


def test_other_variants_than_those_of_the_data_set_are_refused_by_name(tmp_path: Path, run: Run):
    run("prep", fill(tmp_path / "set", 2), "-o", tmp_path / "ds", "--augment", "gain", "--split", "1,0,0")
    result = run("prep", tmp_path / "set", "-o", tmp_path / "ds", "--augment", "gain:2", "--split", "1,0,0")
    assert result.status == 2
    assert "--augment gain:2, not gain" in result.err
