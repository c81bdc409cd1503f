"""``stereokit render-midi``: songs to a data set of pairs, by the machine that prep has."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy_midi import font_bytes, midi, note

from stereokit.data.corpus import open_corpus
from stereokit.data.dataset import DESCRIPTION, piped_dataset
from stereokit.data.workers import map_files
from stereokit.errors import UsageError
from stereokit.workflows import render_midi_job, render_midi_settings
from stereokit.workflows.render_midi_settings import sides_of

FIRST = midi([*note(96, 480, 69), *note(600, 900, 64, 60)])
SECOND = midi(note(0, 700, 62))
# The notes of the first, in another file.
COVER = midi([(0, 0xFF, 1, 1, 65), *note(96, 480, 69, 33), *note(600, 900, 64, 77)])


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    folder = tmp_path / "songs"
    folder.mkdir()
    for name, data in {"a.mid": FIRST, "b.MIDI": SECOND, "cover.mid": COVER, "empty.mid": midi([])}.items():
        (folder / name).write_bytes(data)
    (folder / "bad.mid").write_bytes(FIRST[:-9])
    (folder / "readme.txt").write_text("no song")
    (tmp_path / "test.sf2").write_bytes(font_bytes())
    return folder


@pytest.fixture
def render(run, songs: Path, tmp_path: Path):
    def render_songs(*words: object, source: Path = songs):
        usual = ("--soundfont", tmp_path / "test.sf2", "--rate", 8_000, "--tail", 0.2, "--jobs", 1, "--json")
        return run("render-midi", source, "-o", tmp_path / "ds", "--programs", "1,0", *usual, *words)

    return render_songs


def metadata(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


class TestADataSetOfPairs:
    def test_counts_what_came_in_and_tells_why_the_rest_did_not(self, render, tmp_path: Path):
        done = render()
        assert done.status == 3
        summary = done.rows[-1]
        assert [summary[name] for name in ("found", "done", "refused", "songs", "pairs", "clips")] == [5, 3, 2, 2, 3, 6]
        reasons = {Path(row["path"]).name: row["reason"] for row in done.rows if row["status"] == "failed"}
        assert reasons["empty.mid"] == "has no notes"
        assert reasons["bad.mid"].startswith("is truncated")
        told = [row for row in done.rows if row["status"] == "done" and "role" in row]
        assert all(Path(row["path"]).is_file() for row in told)
        assert {row["role"] for row in told} == {"input", "target"}

    def test_keeps_songs_of_the_same_notes_in_one_split(self, render, tmp_path: Path):
        render()
        splits = {row["source"]: (row["song"], row["split"]) for row in metadata(tmp_path / "ds")}
        assert splits["songs/a.mid"] == splits["songs/cover.mid"]
        assert splits["songs/b.MIDI"][0] != splits["songs/a.mid"][0]

    def test_is_what_training_reads_as_pairs(self, render, tmp_path: Path):
        render("--window", 4_096, "--overlap", 0.5, "--split", "1,0,0")
        corpus = open_corpus(tmp_path / "ds", "train", sample_rate=8_000, frames=4_096)
        pairs = list(corpus.pairs())
        assert len(pairs) == len(corpus) / 2 > 4
        for clip, target in pairs:
            assert target.file_name == clip.file_name.replace(".wav", ".target.wav")
            assert soundfile.info(tmp_path / "ds" / clip.file_name).channels == 2

    def test_is_left_alone_by_a_second_run(self, render, tmp_path: Path):
        render("--split", "1,0,0")
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "ds").rglob("*")}
        again = render("--split", "1,0,0")
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "ds").rglob("*")} == before
        assert (again.rows[-1]["unchanged"], again.rows[-1]["still_failing"]) == (3, 2)
        assert render("--split", "1,0,0", "--accept-failed").status == 0

    def test_grows_by_a_new_song_and_the_rest_stays(self, render, songs: Path, tmp_path: Path):
        render()
        before = {row["file_name"]: row["sha256"] for row in metadata(tmp_path / "ds")}
        (songs / "new.mid").write_bytes(midi(note(0, 500, 71)))
        done = render()
        assert (done.rows[-1]["done"], done.rows[-1]["unchanged"]) == (1, 3)
        after = {row["file_name"]: row["sha256"] for row in metadata(tmp_path / "ds")}
        assert before.items() <= after.items()
        assert len(after) == len(before) + 2

    def test_is_refused_other_settings_by_their_names(self, render):
        render()
        other = render("--tail", 1.0, "--transpose", "12,0")
        assert other.status == 2
        assert "--tail 1.0, not 0.2" in other.err
        assert "1 transpose 12,0, not 1,0" in other.err


def test_the_rows_on_a_pipe_name_the_data_set(render, tmp_path: Path):
    rows = render().out.splitlines()
    assert piped_dataset(rows) == tmp_path / "ds"
    with pytest.raises(UsageError, match="DATASET -: no row on the pipe names a data set"):
        piped_dataset(rows[:-1])


def test_a_dry_run_tells_splits_and_writes_nothing(render, tmp_path: Path):
    planned = render("--dry-run")
    assert not (tmp_path / "ds").exists()
    rows = {row.get("source"): row for row in planned.rows[:-1]}
    assert rows["songs/a.mid"]["split"] == rows["songs/cover.mid"]["split"]
    assert rows["songs/a.mid"]["path"].endswith(".wav")
    assert rows["songs/empty.mid"]["split"] is not None
    assert rows["songs/bad.mid"]["reason"].startswith("is truncated")


class TestWords:
    def test_are_one_for_all_sides_or_one_a_side(self):
        sides = sides_of("4,0,keep", velocity="keep,80,x0.5", pedal="remove", transpose="0,12,-12")
        assert [side.program for side in sides] == [4, 0, None]
        assert [side.velocity for side in sides] == [None, 80, None]
        assert [side.velocity_scale for side in sides] == [1.0, 1.0, 0.5]
        assert [side.pedal for side in sides] == ["remove"] * 3
        assert [side.transpose for side in sides] == [0, 12, -12]

    def test_fix_controls_by_number(self):
        first, second = sides_of("4,0", controls="7=100+10=64,remove")
        assert (dict(first.fixed), first.controls) == ({7: 100, 10: 64}, "keep")
        assert (dict(second.fixed), second.controls) == ({}, "remove")

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (("--programs", "4,128"), "--programs '128': give whole numbers from 0 to 127 or keep"),
            (("--programs", "piano"), "--programs 'piano'"),
            (("--programs", ",".join("0" * 17)), "17 sides: at most 16"),
            (("--velocity", "1,2,3"), "--velocity 1,2,3: give one word for all sides, or 2, one a side"),
            (("--velocity", "0"), "--velocity '0': give whole numbers from 1 to 127"),
            (("--velocity", "xx"), "--velocity 'xx': a factor lies between"),
            (("--pedal", "up"), "--pedal 'up': choose from keep, remove, down"),
            (("--drums", "only"), "--drums 'only': choose from keep, remove"),
            (("--controls", "1=5"), "--controls '1=5': use keep, remove, or NUMBER=VALUE of 7, 10, 11"),
            (("--transpose", "1.5"), "--transpose '1.5'"),
            (("--overlap", "0.5"), "--overlap goes with --window"),
            (("--renderer", "organ"), "unknown renderer 'organ': choose from builtin, fluidsynth, symusic"),
            (("--soundfont", "nowhere.sf2"), "--soundfont nowhere.sf2: cannot be read"),
            (("--group", "artist"), "--group artist: no such column"),
        ],
    )
    def test_that_no_side_can_have_are_refused(self, render, tmp_path: Path, words: tuple[str, str], reason: str):
        refused = render(*words)
        assert refused.status == 2
        assert reason in refused.err.replace(str(Path.cwd()) + "/", "")
        assert not (tmp_path / "ds").exists()

    def test_need_a_source(self, run, tmp_path: Path):
        assert run("render-midi", "-o", tmp_path / "ds").status == 2
        missing = run("render-midi", tmp_path / "no.mid", "-o", tmp_path / "ds")
        assert (missing.status, "No such file" in missing.err) == (2, True)

    def test_without_pretty_midi_ask_for_a_soundfont(self, run, songs: Path, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(render_midi_settings.util, "find_spec", lambda _: None)
        missing = run("render-midi", songs, "-o", tmp_path / "ds")
        assert missing.status == 5
        assert "pip install 'stereokit[midi]', or give --soundfont FILE" in missing.err


def test_songs_that_all_fail_leave_no_folder(render, songs: Path, tmp_path: Path):
    failed = render(source=songs / "empty.mid")
    assert failed.status == 4
    assert not (tmp_path / "ds").exists()


@pytest.mark.data
def test_real_songs_become_pairs_through_the_embedded_soundfont(run, test_data: Path, tmp_path: Path):
    pytest.importorskip("pretty_midi")
    folder = tmp_path / "midi"
    folder.mkdir()
    for name in ("POP909_008.mid", "multitrack_Funkytown.mid", "corrupted_control168.mid", "empty.mid"):
        (folder / name).write_bytes((test_data / "midi" / name).read_bytes())
    done = run("render-midi", folder, "-o", tmp_path / "ds", "--programs", "4,0", "--rate", 16_000, "--json")
    assert done.status == 3
    summary = done.rows[-1]
    assert [summary[name] for name in ("found", "pairs", "refused", "unproved")] == [4, 2, 2, 0]
    rows = metadata(tmp_path / "ds")
    assert {row["soundfont"] for row in rows} == {"TimGM6mb"}
    assert {row["soundfont_licence"] for row in rows} == {"GPL-2 (Tim Brechbill; David Bolton)"}
    for row in rows:
        samples, _ = soundfile.read(tmp_path / "ds" / row["file_name"], dtype="int16")
        assert samples.shape == (row["frames"], 2)
        assert np.abs(samples).max() > 1_000


@pytest.mark.slow
def test_ten_kills_end_in_the_bytes_of_a_run_that_nobody_disturbed(tmp_path: Path, run) -> None:
    def write(number: int) -> None:
        notes = [note(240 * place, 200, 50 + (7 * place + number) % 30) for place in range(30)]
        (tmp_path / "songs" / f"{number}.mid").write_bytes(midi([event for one in notes for event in one]))

    def words(target: str) -> list[str]:
        options = ("--programs", "1,0", "--soundfont", str(tmp_path / "test.sf2"), "--quiet")
        return ["render-midi", str(tmp_path / "songs"), "-o", str(tmp_path / target), *options]

    def files(folder: Path) -> dict[str, bytes]:
        paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".stereokit"))
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    (tmp_path / "songs").mkdir()
    (tmp_path / "test.sf2").write_bytes(font_bytes())
    for number in range(60):
        write(number)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for number in range(10):
        process = subprocess.Popen([sys.executable, "-m", "stereokit", *words("ds")], env=environment)
        time.sleep(0.6 + 0.15 * number)
        process.kill()
        process.wait()
        if (tmp_path / "ds" / DESCRIPTION).exists():
            # It was too late for that kill: there must be work for the next.
            for more in range(20):
                write(1000 + 20 * number + more)
    assert run(*words("ds")).status == run(*words("wanted")).status == 0
    assert files(tmp_path / "ds") == files(tmp_path / "wanted")


def test_the_longest_songs_are_begun_first_and_told_in_the_order_of_their_names(
    render, songs: Path, monkeypatch: pytest.MonkeyPatch
):
    begun: list[str] = []

    def here(function, orders, **_: object):
        begun.extend(order.task.source.name for order in orders)
        results = map_files(function, orders, jobs=1, chunk=1, inline_up_to=0)
        return (pair for pair in enumerate(results))

    monkeypatch.setattr(render_midi_job, "isolated_results", here)
    done = render()
    sizes = [(songs / name).stat().st_size for name in begun]
    assert sizes == sorted(sizes, reverse=True)
    assert begun[0] != "a.mid"
    failed = [Path(row["path"]).name for row in done.rows if row["status"] == "failed"]
    assert failed == ["bad.mid", "empty.mid"]
