"""How clips of ``generate`` come about: labels, truncation, ways, grids, neighbours, files, the best of many."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
import toy_family

from stereokit.cli.app import run as run_command_line
from stereokit.cli.streams import Streams
from stereokit.data.dataset import DATASET_SCHEMA
from stereokit.data.dataset import DESCRIPTION as DATASET
from stereokit.data.tables import METADATA
from stereokit.errors import OutputError
from stereokit.models._run import load_run
from stereokit.training.checkpoint import CONFIG
from stereokit.workflows import generate as workflow
from stereokit.writing import write_file

Run = Callable[..., SimpleNamespace]
Made = Callable[..., SimpleNamespace]
LABELS = {"labels": ("clap", "kick", "snare"), "label_counts": (3, 1, 2)}


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("os.sync", lambda: None)
    with toy_family.installed():
        yield


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return toy_family.write_run(tmp_path / "run")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return toy_family.write_run(tmp_path / "labelled", **LABELS)


@pytest.fixture
def make(tmp_path: Path, run: Run) -> Made:
    """Generate into a new folder, in float: ``make(run, words) -> clips (n, T, 2), rows, paths, err, status``."""

    def generated(folder: Path, *words: object, status: int = 0) -> SimpleNamespace:
        target = tmp_path / f"gen-{len(list(tmp_path.glob('gen-*')))}"
        result = run("generate", folder, "-o", target, "--bits", "float", *words)
        assert result.status == status, result.err
        rows = [row for row in result.rows if row.get("status") == "done" and "path" in row]
        paths = [Path(row["path"]) for row in rows]
        clips = np.stack([soundfile.read(path, dtype="float32")[0] for path in paths])
        return SimpleNamespace(
            clips=clips, rows=rows, paths=paths, err=result.err, last=result.rows[-1], all=result.rows
        )

    return generated


def column(made: SimpleNamespace, name: str) -> list:
    return [row[name] for row in made.rows]


def write_data(folder: Path, sounds: dict[str, np.ndarray], **columns: list) -> Path:
    """Write a data set of one split."""
    (folder / "train").mkdir(parents=True)
    lines = []
    for index, (name, samples) in enumerate(sounds.items()):
        soundfile.write(folder / "train" / name, samples, 8_000, subtype="FLOAT")
        row = {"file_name": f"train/{name}", "split": "train", "sample_rate_hz": 8_000, "frames": len(samples)}
        lines.append(json.dumps(row | {key: values[index] for key, values in columns.items()}) + "\n")
    (folder / METADATA).write_text("".join(lines))
    (folder / DATASET).write_text(json.dumps({"schema": DATASET_SCHEMA, "fingerprint": "abc"}))
    return folder


# labels


def test_without_a_word_labels_are_drawn_as_the_data_have_them_and_belong_to_the_number(
    make: Made, labelled: Path
) -> None:
    many = make(labelled, "-n", 40)
    labels = column(many, "label")
    counts = [labels.count(label) for label in LABELS["labels"]]
    # of 40 draws with chances 1/2, 1/6 and 1/3, three standard deviations
    assert np.abs(np.array(counts) - [20, 6.7, 13.3]).max() < 10
    assert min(counts) > 0
    few = make(labelled, "-n", 3, "--start", 6)
    assert column(few, "label") == labels[6:9]
    np.testing.assert_array_equal(few.clips, many.clips[6:9])


@pytest.mark.parametrize("option", ["--condition", "--class"])
def test_a_label_that_is_asked_for_is_that_of_all_clips_and_changes_none_that_has_it_anyway(
    make: Made, labelled: Path, option: str
) -> None:
    drawn, kicks = make(labelled, "-n", 12), make(labelled, "-n", 12, option, "kick")
    assert column(kicks, "label") == ["kick"] * 12
    assert kicks.last["condition"] == "kick"
    is_kick = np.array(column(drawn, "label")) == "kick"
    assert 0 < is_kick.sum() < 12
    same = (drawn.clips == kicks.clips).all(axis=(1, 2))
    np.testing.assert_array_equal(same, is_kick)


# truncation and length


def test_truncation_keeps_a_clip_what_it_is_and_takes_its_extremes(make: Made, plain: Path) -> None:
    free, wide, near = (make(plain, "-n", 6, *words) for words in ((), ("--truncation", 30), ("--truncation", 0.001)))
    np.testing.assert_allclose(wide.clips, free.clips, atol=1e-5)
    assert np.abs(near.clips - near.clips[0]).max() < 0.01
    assert np.abs(free.clips - free.clips[0]).max() > 0.1
    some, half = make(plain, "-n", 2, "--truncation", 0.5, "--start", 3), make(plain, "-n", 6, "--truncation", 0.5)
    np.testing.assert_array_equal(some.clips, half.clips[3:5])
    assert half.last["truncation"] == 0.5


def test_a_length_is_kept_to_the_sample_and_its_end_is_faded(make: Made, plain: Path) -> None:
    whole, cut = make(plain, "-n", 2), make(plain, "-n", 2, "--length", 0.0501)
    assert cut.clips.shape == (2, 401, 2)
    assert column(cut, "frames") == [401, 401]
    # 10 ms of 8 kHz are 80 samples
    np.testing.assert_array_equal(cut.clips[:, :321], whole.clips[:, :321])
    assert not cut.clips[:, -1].any()
    np.testing.assert_array_equal(make(plain, "-n", 2, "--length", 0.1).clips, whole.clips)
    assert make(plain, "-n", 1, "--length", 0.0001).clips.shape == (1, 1, 2)


# ways and grids


@pytest.mark.parametrize("curve", ["linear", "spherical"])
def test_a_way_leads_from_one_clip_of_the_seed_to_another(make: Made, plain: Path, curve: str) -> None:
    clips = make(plain, "-n", 8).clips
    way = make(plain, "--interpolate", 2, 7, "--steps", 6, "--curve", curve)
    assert column(way, "share") == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert column(way, "parents") == [["2", "7"]] * 6
    assert (way.last["kind"], way.last["curve"]) == ("path", curve)
    np.testing.assert_array_equal(way.clips[[0, -1]], clips[[2, 7]])
    model = load_run(plain).model
    latents = model.latents(toy_family.Draw((0, "sample"), range(8)))
    wanted = torch.lerp(latents[2], latents[7], 0.4)
    is_linear = np.allclose(
        way.clips[2].T, model.decode(wanted.expand(4, -1), toy_family.Draw((), range(4)))[0], atol=1e-5
    )
    assert is_linear == (curve == "linear")


def test_nine_steps_are_usual_and_truncation_holds_for_the_ends(make: Made, plain: Path) -> None:
    clips = make(plain, "-n", 2, "--truncation", 0.3).clips
    way = make(plain, "--interpolate", 0, 1, "--truncation", 0.3)
    assert len(way.rows) == 9
    np.testing.assert_array_equal(way.clips[[0, -1]], clips)


def test_a_grid_has_the_four_clips_in_its_corners_and_ways_on_its_edges(make: Made, plain: Path) -> None:
    clips = make(plain, "-n", 4).clips
    grid = make(plain, "--grid", 0, 1, 2, 3, "--steps", 4)
    assert len(grid.rows) == 16
    np.testing.assert_array_equal(grid.clips[[0, 3, 12, 15]], clips)
    assert column(grid, "share_right")[:5] == pytest.approx([0.0, 1 / 3, 2 / 3, 1.0, 0.0])
    assert column(grid, "share_down")[3:5] == pytest.approx([0.0, 1 / 3])
    edge = make(plain, "--interpolate", 2, 3, "--steps", 4)
    np.testing.assert_allclose(grid.clips[12:], edge.clips, atol=1e-6)


def test_a_way_has_one_label_and_says_so_where_its_ends_have_two(make: Made, labelled: Path) -> None:
    labels = column(make(labelled, "-n", 12), "label")
    other = next(number for number, label in enumerate(labels) if label != labels[0])
    way = make(labelled, "--interpolate", 0, other, "--steps", 3)
    assert column(way, "label") == [labels[0]] * 3
    assert f"0: {labels[0]}, {other}: {labels[other]}" in way.err
    chosen = make(labelled, "--interpolate", 0, other, "--steps", 3, "--condition", labels[other])
    assert column(chosen, "label") == [labels[other]] * 3
    assert chosen.err == ""
    np.testing.assert_array_equal(chosen.clips[-1], make(labelled, "-n", 12).clips[other])


# files


def test_files_are_reconstructed_each_into_a_clip_of_its_own(make: Made, plain: Path) -> None:
    sounds = make(plain, "-n", 6)
    again = make(plain, "--reconstruct", sounds.paths[0].parent)
    assert column(again, "parents") == [[str(path)] for path in sounds.paths]
    model = load_run(plain).model
    waves = torch.from_numpy(sounds.clips[:4].transpose(0, 2, 1))
    with torch.no_grad():
        wanted = model.decode(model.encode(waves), toy_family.Draw((), range(4)))
    np.testing.assert_allclose(again.clips[:4].transpose(0, 2, 1), wanted, atol=1e-6)
    few = make(plain, "--reconstruct", sounds.paths[0], "--reconstruct", sounds.paths[1])
    np.testing.assert_array_equal(few.clips, again.clips[:2])


def test_a_way_between_files_goes_from_one_reconstruction_to_the_other(make: Made, plain: Path) -> None:
    paths = make(plain, "-n", 2).paths
    ends = make(plain, "--reconstruct", paths[0], "--reconstruct", paths[1]).clips
    way = make(plain, "--interpolate", *paths, "--steps", 3)
    np.testing.assert_allclose(way.clips[[0, -1]], ends, atol=1e-6)
    mixed = make(plain, "--interpolate", 1, paths[0], "--steps", 2)
    np.testing.assert_allclose(mixed.clips[1], ends[0], atol=1e-6)


def test_neighbours_of_a_file_stray_as_far_as_is_said_and_are_the_same_however_many(make: Made, plain: Path) -> None:
    path = make(plain, "-n", 1).paths[0]
    (centre,) = make(plain, "--reconstruct", path).clips
    still, near, far = (make(plain, "--around", path, "-n", 7, "--spread", spread) for spread in (0, 0.3, 3))
    np.testing.assert_allclose(still.clips, np.stack([centre] * 7), atol=1e-6)
    assert 0.0 < np.abs(near.clips - centre).mean() < np.abs(far.clips - centre).mean()
    assert column(near, "spread") == [0.3] * 7
    some = make(plain, "--around", path, "-n", 2, "--start", 4)
    np.testing.assert_array_equal(some.clips, near.clips[4:6])


def test_a_clip_of_the_seed_has_neighbours_too(make: Made, plain: Path) -> None:
    clip = make(plain, "-n", 3).clips[2]
    around = make(plain, "--around", 2, "-n", 2, "--spread", 0)
    np.testing.assert_array_equal(around.clips, np.stack([clip, clip]))


def test_files_have_the_labels_that_their_data_set_gives_them(tmp_path: Path, make: Made, labelled: Path) -> None:
    sounds = make(labelled, "-n", 2).clips
    data = write_data(tmp_path / "data", {"a.wav": sounds[0], "b.wav": sounds[1]}, label=["snare", "cymbal"])
    with_row = make(labelled, "--reconstruct", data / "train/a.wav")
    assert column(with_row, "label") == ["snare"]
    known = make(labelled, "--reconstruct", data, "--condition", "clap")
    assert column(known, "label") == ["clap", "clap"]
    # encoded as what it is, decoded as what is asked for
    model = load_run(labelled).model
    wave = torch.from_numpy(sounds[:1].transpose(0, 2, 1)).expand(4, -1, -1)
    with torch.no_grad():
        latents = model.encode(wave, torch.full((4,), 2))
        wanted = model.decode(latents, toy_family.Draw((), range(4)), torch.zeros(4))[0]
    np.testing.assert_allclose(known.clips[0].T, wanted, atol=1e-5)


def test_files_of_a_run_with_pitches_have_those_of_their_names(tmp_path: Path, make: Made) -> None:
    folder = toy_family.write_run(tmp_path / "pitched", labels=("A#", "C"), label_counts=(1, 1))
    record = json.loads((folder / CONFIG).read_text())
    record["data"]["condition"] = "pitch-in-name"
    (folder / CONFIG).write_text(json.dumps(record))
    made = make(folder, "-n", 2).paths
    sounds = [path.rename(tmp_path / name) for path, name in zip(made, ("stab_Bb.wav", "stab_C3.wav"), strict=True)]
    words = [word for sound in sounds for word in ("--reconstruct", sound)]
    assert column(make(folder, *words), "label") == ["A#", "C"]


def test_what_does_not_fit_is_refused_by_name_and_the_rest_is_done(
    tmp_path: Path, run: Run, make: Made, plain: Path
) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    time = np.arange(800) / 8_000
    tone = np.sin(2 * np.pi * 440 * time) / 2
    soundfile.write(sounds / "fits.wav", tone, 8_000)
    soundfile.write(sounds / "other rate.wav", tone, 16_000)
    soundfile.write(sounds / "short.wav", tone[:799], 8_000)
    (sounds / "broken.wav").write_bytes(b"no sound")
    made = make(plain, "--reconstruct", sounds, status=3)
    assert column(made, "parents") == [[str(sounds / "fits.wav")]]
    reasons = {Path(row["path"]).name: row["reason"] for row in made.all if row["status"] == "failed"}
    assert set(reasons) == {"other rate.wav", "short.wav", "broken.wav"}
    assert "has 800 samples at 16000 Hz, the model takes 800 at 8000 Hz" in reasons["other rate.wav"]
    assert "prep with --rate 8000 --length 0.1" in reasons["short.wav"]
    for words in (
        ["--reconstruct", sounds / "short.wav"],
        ["--interpolate", sounds / "fits.wav", sounds / "short.wav"],
        ["--around", sounds / "other rate.wav", "-n", 1],
    ):
        result = run("generate", plain, "-o", tmp_path / "none", *words)
        assert (result.status, result.out, result.err.count("\n")) == (4, "", 1)
        assert "the model takes 800 at 8000 Hz" in result.err
        assert not (tmp_path / "none").exists()


# the best of many


def test_the_critic_s_best_are_kept_under_their_own_numbers(make: Made, plain: Path) -> None:
    everyone = make(plain, "-n", 11)
    levels = np.sqrt(np.square(everyone.clips[..., 0] - everyone.clips[..., 1]).mean(1))
    best = np.argsort(-levels)[:3]
    kept = make(plain, "--select", "3-of-11")
    assert (kept.last["clips"], kept.last["select"], kept.last["by"]) == (3, "3-of-11", "critic")
    assert column(kept, "index") == sorted(best.tolist())
    np.testing.assert_array_equal(kept.clips, everyone.clips[sorted(best)])
    ranked = sorted(kept.rows, key=lambda row: row["rank"])
    assert [row["index"] for row in ranked] == best.tolist()
    np.testing.assert_allclose([row["verdict"] for row in ranked], levels[best], rtol=1e-5)
    assert {path.name for path in kept.paths[0].parent.glob("*.wav")} == {f"{index:06d}.wav" for index in best}


def test_the_critic_hears_the_label_and_candidates_may_start_anywhere(make: Made, labelled: Path) -> None:
    kept = make(labelled, "--select", "2-of-8", "--start", 3)
    labels = column(make(labelled, "-n", 11), "label")[3:]
    # a later label is worth more to the toy than all that a clip can sound like
    order = sorted(range(8), key=lambda place: -LABELS["labels"].index(labels[place]))
    assert column(kept, "label") == [labels[place] for place in order[:2]]
    assert all(3 <= index < 11 for index in column(kept, "index"))


def test_those_nearest_to_the_data_are_kept_with_the_clip_that_they_are_near_to(
    tmp_path: Path, make: Made, plain: Path
) -> None:
    everyone = make(plain, "-n", 9)
    data = write_data(tmp_path / "data", {"x.wav": everyone.clips[5], "y.wav": everyone.clips[2]})
    kept = make(plain, "--select", "2-of-9", "--by", "data", "--data", data)
    assert column(kept, "index") == [2, 5]
    assert column(kept, "nearest") == ["train/y.wav", "train/x.wav"]
    assert column(kept, "distance_db") == pytest.approx([0.0, 0.0], abs=1e-3)
    worse = make(plain, "--select", "3-of-9", "--by", "data", "--data", data)
    assert sorted(column(worse, "distance_db"))[2] > 0.01


def test_with_labels_a_clip_is_held_against_data_of_its_own(tmp_path: Path, make: Made, labelled: Path) -> None:
    sounds = make(labelled, "-n", 4, "--condition", "kick").clips
    data = write_data(tmp_path / "data", {"x.wav": sounds[0], "y.wav": sounds[1]}, label=["clap", "kick"])
    kept = make(labelled, "--select", "1-of-4", "--by", "data", "--data", data, "--condition", "kick")
    assert (column(kept, "index"), column(kept, "nearest")) == ([1], ["train/y.wav"])


# the page


def test_a_page_shows_and_plays_every_clip_and_equal_ones_are_equal(tmp_path: Path, make: Made, labelled: Path) -> None:
    pages = []
    for name in ("one.html", "two.htm"):
        made = make(labelled, "-n", 5, "--page", tmp_path / name)
        pages.append((tmp_path / name).read_text())
    assert pages[0] == pages[1]
    assert pages[0].count("<audio ") == pages[0].count("data:image/png") == 5
    for row in made.rows:
        assert f"<figcaption>{row['index']}, {row['label']}</figcaption>" in pages[0]
    assert "http" not in pages[0].replace("http-equiv", "")


def test_a_grid_s_page_has_its_rows_and_columns_and_a_reconstruction_stands_beside_its_original(
    tmp_path: Path, make: Made, plain: Path
) -> None:
    make(plain, "--grid", 0, 1, 2, 3, "--steps", 3, "--page", tmp_path / "grid.html")
    rows = (tmp_path / "grid.html").read_text().split("<tr>")[1:]
    assert [row.count("<td>") for row in rows] == [3, 3, 3]
    assert "5, 1 of the way" not in rows[1]
    assert "5, 1 right, 0.5 down" in rows[1]
    (tmp_path / "in").mkdir()
    sound = make(plain, "-n", 1).paths[0].rename(tmp_path / "in" / "<b>&.wav")
    make(plain, "--reconstruct", sound, "--page", tmp_path / "pairs.html")
    text = (tmp_path / "pairs.html").read_text()
    assert text.count('<div class="pair">') == 1
    assert text.count("<audio ") == 2
    assert "&lt;b&gt;&amp;.wav</figcaption>" in text
    assert "<b>" not in text


def test_a_page_that_cannot_be_written_is_status_74_and_the_clips_are_there(
    tmp_path: Path, run: Run, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes, **options: bool) -> None:
        if path.suffix == ".html":
            raise OutputError("the disk is full")
        write_file(path, data, **options)

    monkeypatch.setattr(workflow, "write_file", full)
    result = run("generate", plain, "-n", 2, "-o", tmp_path / "gen", "--page", tmp_path / "page.html")
    assert (result.status, result.err) == (74, "stereokit: the disk is full\n")
    assert all(Path(row["path"]).is_file() for row in result.rows[:2])
    assert not (tmp_path / "page.html").exists()


def test_a_page_goes_into_the_clips_own_folder(tmp_path: Path, run: Run, plain: Path) -> None:
    result = run("generate", plain, "-n", 2, "-o", tmp_path / "gen", "--page", tmp_path / "gen" / "page.html")
    assert result.status == 0
    assert (tmp_path / "gen" / "page.html").read_text().count("<audio ") == 2
    again = run("generate", plain, "-n", 2, "-o", tmp_path / "gen", "--page", tmp_path / "gen" / "page.html", "--force")
    assert again.status == 0


def test_a_dry_run_tells_how_clips_would_come_about_and_writes_nothing(tmp_path: Path, run: Run, plain: Path) -> None:
    page = tmp_path / "page.html"
    words = ["generate", plain, "-o", tmp_path / "gen", "--dry-run", "--page", page]
    result = run(*words, "--interpolate", 0, 1, "--steps", 3)
    assert [row.get("share") for row in result.rows] == [0.0, 0.5, 1.0, None]
    result = run(*words, "--select", "2-of-5")
    assert (result.status, [row["clips"] for row in result.rows]) == (0, [2])
    assert not page.exists()
    assert not (tmp_path / "gen").exists()


# what is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-n 2 --condition crash", "the run has no such label (labels: clap, kick, snare)"),
        ("-n 2 --truncation 0", "--truncation 0: must be from 0.001 to 100"),
        ("-n 2 --truncation nan", "--truncation nan"),
        ("-n 2 --length 0.2", "--length 0.2: the model's clips have 0.1 s (800 samples at 8000 Hz)"),
        ("-n 2 --length 0.00001", "can be cut to 1 sample"),
        ("-n 2 --length inf", "--length inf"),
        ("--interpolate 0 1 -n 3", "--interpolate makes as many clips as --steps says"),
        ("--interpolate 0 1 --start 3", "--start 3"),
        ("--interpolate 0 1 --steps 1", "--steps 1: must be from 2"),
        ("--interpolate 0 gone.wav", "'gone.wav': is no clip's number and no file"),
        ("--interpolate 0 -1", "'-1': is no clip's number"),
        ("--interpolate 0 1 --grid 0 1 2 3", "--interpolate and --grid: clips come about in one way"),
        ("--around 0", "'--count' / '-n'"),
        ("--around 0 -n 1 --spread -1", "--spread -1: must be from 0"),
        ("-n 1 --steps 3", "--steps goes with --interpolate or --grid"),
        ("-n 1 --curve spherical", "--curve goes with"),
        ("-n 1 --spread 1", "--spread goes with --around"),
        ("-n 1 --by data", "--by goes with --select"),
        ("--select 3-of-9 --data ds", "--data goes with --select with --by data"),
        ("--select 3", "write N-of-M"),
        ("--select 9-of-3", "N must be at least 1 and at most M"),
        ("--select 0-of-3", "N must be at least 1"),
        ("--select 3-of-9 -n 3", "--select makes as many clips as it says"),
        ("--select 1-of-2 --by data", "the run's data set ds is not here; say with --data"),
        ("--reconstruct gone", "gone: No such file"),
        ("-n 1 --page page.txt", "must end in .html or .htm"),
        ("-n 401 --page page.html", "401 clips are too many to show, 400 are the most"),
    ],
)
def test_words_that_make_no_sense_are_one_line_and_status_2(
    *, tmp_path: Path, run: Run, labelled: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    result = run("generate", labelled, "-o", "gen", *words.split())
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert said in result.err
    assert not (tmp_path / "gen").exists()


def test_a_page_without_a_folder_is_status_74_before_anything_is_made(tmp_path: Path, run: Run, plain: Path) -> None:
    for page in (tmp_path / "gone" / "page.html", tmp_path / "folder.html"):
        (tmp_path / "folder.html").mkdir(exist_ok=True)
        result = run("generate", plain, "-n", 1, "-o", tmp_path / "gen", "--page", page)
        assert (result.status, result.err.count("\n")) == (74, 1)
        assert not (tmp_path / "gen").exists()


def test_a_label_for_a_run_without_any_and_a_file_of_an_unknown_label_are_refused(
    tmp_path: Path, run: Run, make: Made, plain: Path, labelled: Path
) -> None:
    result = run("generate", plain, "-n", 1, "-o", tmp_path / "none", "--condition", "kick")
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "this run of toy was trained without labels" in result.err
    path = make(plain, "-n", 1).paths[0].rename(tmp_path / "alone.wav")
    result = run("generate", labelled, "--reconstruct", path, "-o", tmp_path / "none")
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "say one with --condition (clap, kick, snare)" in result.err
    assert make(labelled, "--reconstruct", path, "--condition", "kick").rows[0]["label"] == "kick"


@pytest.mark.parametrize(
    ("words", "need"),
    [
        ("-n 1 --truncation 1", "generate --truncation needs an interpolator"),
        ("--interpolate 0 1", "generate --interpolate needs an interpolator"),
        ("--grid 0 1 2 3", "generate --grid needs an interpolator"),
        ("--around 0 -n 1", "generate --around needs an interpolator"),
        ("--reconstruct x.wav", "generate --reconstruct needs an interpolator"),
        ("--select 1-of-2", "generate --select without --by data needs a critic"),
    ],
)
def test_a_family_that_cannot_is_told_what_it_lacks(tmp_path: Path, run: Run, words: str, need: str) -> None:
    folder = toy_family.write_run(tmp_path / "plain", family="plain")
    result = run("generate", folder, "-o", tmp_path / "gen", *words.split())
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert need in result.err
    assert "plain is none: train one of" in result.err


def test_where_no_arc_leads_nothing_is_left(tmp_path: Path, run: Run) -> None:
    # with one number a latent, two clips lie on one line through zero
    folder = toy_family.write_run(tmp_path / "line", latent=1)
    draw = toy_family.Draw((0, "sample"), range(8))
    signs = draw.normal(1).flatten().sign().tolist()
    result = run(
        "generate", folder, "-o", tmp_path / "gen", "--curve", "spherical", "--interpolate", 0, signs.index(-signs[0])
    )
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert "lie opposite each other" in result.err
    assert not (tmp_path / "gen").exists()


def test_a_reader_of_a_pipe_gets_a_way_in_order(tmp_path: Path, make: Made, plain: Path) -> None:
    way = make(plain, "--interpolate", 0, 1, "--steps", 5)
    binary = io.BytesIO()
    streams = Streams(io.StringIO(), io.TextIOWrapper(binary), io.StringIO())
    words = [
        "generate",
        plain,
        "--interpolate",
        0,
        1,
        "--steps",
        5,
        "-o",
        "-",
        "--bits",
        "float",
        "--page",
        tmp_path / "p.html",
    ]
    assert run_command_line([str(word) for word in words], streams) == 0
    samples, _ = soundfile.read(io.BytesIO(binary.getvalue()), dtype="float32")
    np.testing.assert_array_equal(samples, np.concatenate(way.clips))
    assert (tmp_path / "p.html").read_text().count("<audio ") == 5
