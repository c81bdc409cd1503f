"""``stereokit score``: what goes in, what comes out, and every way in which it can stop."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from stereokit import __version__, catalog
from stereokit.workflows import score_sets
from stereokit.workflows.score_rows import check_keys

Run = Callable[..., SimpleNamespace]
RATE = 8000


def write(path: Path, samples: object, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.asarray(samples, np.float64), rate, subtype)
    return path


def noise(seed: int, frames: int = 800, width: float = 1.0) -> np.ndarray:
    mid, side = np.random.default_rng(seed).uniform(-0.4, 0.4, (2, frames))
    return np.stack([mid + width * side, mid - width * side], axis=1)


def make_set(folder: Path, count: int, *, seed: int, width: float = 1.0) -> Path:
    for k in range(count):
        write(folder / f"clip{k:02}.wav", noise(seed + k, width=width * (k + 1) / count))
    return folder


@pytest.fixture
def gen(tmp_path: Path) -> Path:
    return make_set(tmp_path / "gen", 6, seed=100)


@pytest.fixture
def ref(tmp_path: Path) -> Path:
    return make_set(tmp_path / "ref", 6, seed=200)


def only_row(done: SimpleNamespace) -> dict:
    assert len(done.rows) == 1, done.err
    return done.rows[0]


def refuse_constant(name: str) -> None:
    pytest.fail(f"{name} is not JSON")


def test_two_folders_give_one_row_of_figures(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref)
    row = only_row(done)
    assert (done.status, done.err) == (0, "")
    assert row["schema"] == "stereokit.score/1"
    assert row["stereokit_version"] == __version__
    assert 0 < row["cov"] <= 1
    assert row["mmd"] > 0
    assert 0 <= row["nna"] <= 1
    assert row["expected"]["nna"] == 5 / 11
    assert (row["n_gen"], row["n_ref"], row["n_gen_found"], row["n_ref_found"]) == (6, 6, 6, 6)
    assert (row["draws"], row["sizes"], row["seed"], row["protocol"]) == (1, "equal", 0, "paper")
    assert (row["failed"], row["duplicates_across"], row["unit"]) == ([], 0, "full scale")
    assert row["gen"]["sample_rates"] == {str(RATE): 6}
    assert (row["gen"]["shortest_s"], row["gen"]["longest_s"]) == (0.1, 0.1)


def test_mmd_says_that_it_is_comparable_only_to_its_like(run: Run, gen: Path, ref: Path) -> None:
    assert any("MMD is comparable only" in note for note in only_row(run("score", gen, ref))["notes"])


def test_sets_that_differ_in_width_are_told_apart(run: Run, gen: Path, tmp_path: Path) -> None:
    narrow = make_set(tmp_path / "narrow", 6, seed=300, width=0.01)
    assert only_row(run("score", gen, narrow, "--fail-if", "nna<0.5"))["nna"] > 0.5


@pytest.mark.parametrize("protocol", ["paper", "ml2020"])
def test_a_folder_against_itself_copies_everything(run: Run, tmp_path: Path, protocol: str) -> None:
    folder = tmp_path / "stabs"
    for k in range(4):
        write(folder / f"{k}.wav", noise(k, 16_000) * np.linspace(1, 0, 16_000)[:, None] ** k, 44_100)
    row = only_row(run("score", folder, folder, "--protocol", protocol))
    assert (row["cov"], row["mmd"], row["nna"], row["duplicates_across"]) == (1.0, 0.0, 0.0, 4)
    assert any("MMD is comparable" in note for note in row["notes"]) == (protocol == "paper")


def test_copies_across_the_sets_are_counted_by_their_samples(run: Run, gen: Path, ref: Path) -> None:
    for k in range(2):
        shutil.copy(gen / f"clip{k:02}.wav", ref / f"stolen{k}.wav")
    assert only_row(run("score", gen, ref))["duplicates_across"] == 2


def test_names_and_nesting_of_the_files_change_no_figure(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    before = only_row(run("score", gen, ref))
    for k, path in enumerate(sorted(gen.iterdir())):
        target = tmp_path / "renamed" / str(k % 2) / f"{9 - k}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    after = only_row(run("score", tmp_path / "renamed", ref))
    for name in catalog.names("score"):
        assert after[name] == pytest.approx(before[name], rel=1e-12)


def spoil(folder: Path) -> list[str]:
    (folder / "text.wav").write_text("this is no sound")
    (folder / "empty.wav").write_bytes(b"")
    bad = noise(1)
    bad[5] = np.nan
    write(folder / "nan.wav", bad, subtype="FLOAT")
    write(folder / "six.wav", np.zeros((50, 6)))
    return ["empty.wav", "nan.wav", "six.wav", "text.wav"]


def test_some_refused_inputs_are_named_counted_and_give_status_3(run: Run, gen: Path, ref: Path) -> None:
    bad = spoil(gen)
    done = run("score", gen, ref)
    row = only_row(done)
    assert done.status == 3
    assert [Path(one["path"]).name for one in row["failed"]] == bad
    assert all(one["set"] == "gen" and one["reason"] for one in row["failed"])
    assert (row["gen"]["found"], row["gen"]["used"], row["gen"]["refused"]) == (10, 6, 4)
    for name in bad:
        assert name in done.err


def test_refused_inputs_change_no_figure_of_the_others(run: Run, gen: Path, ref: Path) -> None:
    before = only_row(run("score", gen, ref))
    spoil(gen)
    after = only_row(run("score", gen, ref))
    assert {name: after[name] for name in ("cov", "mmd", "nna", "expected")} == {
        name: before[name] for name in ("cov", "mmd", "nna", "expected")
    }


@pytest.mark.parametrize("options", [[], ["--shape", "--drop-silent"], ["--only", "kick"]])
def test_every_input_is_used_refused_dropped_or_excluded(run: Run, gen: Path, ref: Path, options: list[str]) -> None:
    spoil(gen)
    write(gen / "mono.wav", noise(1)[:, 0])
    write(ref / "silent.wav", np.zeros((800, 2)))
    for folder in (gen, ref):
        names = sorted(path.name for path in folder.iterdir())
        rows = [{"file_name": name, "label": "snare" if name == "clip00.wav" else "kick"} for name in names]
        (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    row = only_row(run("score", gen, ref, *options))
    for part, found in (("gen", 11), ("ref", 7)):
        counts = row[part]
        assert counts["found"] == found
        assert found == counts["used"] + counts["refused"] + counts["dropped_silent"] + counts["excluded"]
    is_shape = "--shape" in options
    assert [row[part]["dropped_silent"] for part in ("gen", "ref")] == [is_shape, is_shape]
    assert [row[part]["excluded"] for part in ("gen", "ref")] == [int("--only" in options)] * 2


def test_strict_scores_nothing_when_an_input_is_refused(run: Run, gen: Path, ref: Path) -> None:
    assert run("score", gen, ref, "--strict").status == 0
    (gen / "text.wav").write_text("this is no sound")
    done = run("score", gen, ref, "--strict")
    assert (done.status, done.out) == (4, "")
    assert "--strict" in done.err
    assert "text.wav" in done.err


@pytest.mark.parametrize("is_generated", [True, False])
def test_a_set_without_a_usable_clip_stops_with_its_name(
    run: Run, gen: Path, tmp_path: Path, *, is_generated: bool
) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    for _ in range(2):
        done = run("score", *((nothing, gen) if is_generated else (gen, nothing)))
        assert (done.status, done.out) == (4, "")
        assert f"nothing: no usable clip in the {'gen' if is_generated else 'ref'} set" in done.err
        (nothing / "text.wav").write_text("this is no sound")


def test_a_check_that_holds_fails_with_status_1_after_the_row(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref, "--fail-if", "cov>0", "--fail-if", "mmd>100")
    assert done.status == 1
    only_row(done)
    assert "--fail-if 'cov>0': cov is 1\n" in done.err
    assert "mmd" not in done.err
    assert done.rows[-1]["failed_checks"] == ["cov>0"]
    assert "mmd>100" not in done.err


def test_a_failed_check_outranks_refused_inputs(run: Run, gen: Path, ref: Path) -> None:
    (gen / "text.wav").write_text("this is no sound")
    assert run("score", gen, ref, "--fail-if", "gen.refused>0").status == 1
    assert run("score", gen, ref, "--fail-if", "gen.refused>1").status == 3


def test_a_check_that_does_not_hold_is_silent(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref, "--fail-if", "mmd>100")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [("coverage<1", check_keys()), ('__import__("os")', ["KEY<NUMBER"]), ("cov", ["KEY<NUMBER"]), ("", ["KEY<NUMBER"])],
)
def test_a_check_that_cannot_be_read_stops_before_any_work(
    run: Run, tmp_path: Path, text: str, told: list[str]
) -> None:
    done = run("score", tmp_path / "absent", tmp_path / "absent", "--fail-if", text)
    assert (done.status, done.out) == (2, "")
    for word in told:
        assert word in done.err


@pytest.mark.parametrize("sizes", ["equal", "all"])
def test_every_key_of_a_check_names_a_number_of_a_real_result(run: Run, gen: Path, ref: Path, sizes: str) -> None:
    write(gen / "more.wav", noise(9))
    asked = ("--statistics", "--audit", "--train", ref, "--feature", "mfcc")
    row = only_row(run("score", gen, ref, "--sizes", sizes, *asked))
    for key in check_keys():
        value = row
        for part in key.split("."):
            assert part in value, key
            value = value[part]
        assert value is None or type(value) in (int, float), key


def test_one_reference_clip_has_no_null_and_null_is_what_json_says(run: Run, tmp_path: Path) -> None:
    one, two = make_set(tmp_path / "one", 1, seed=1), make_set(tmp_path / "two", 1, seed=2)
    row = only_row(run("score", one, two))
    assert row["expected"] == {"cov": None, "mmd": None, "nna": 0.0}
    assert run("score", one, two, "--fail-if", "expected.mmd>100").status == 1


def test_unequal_sets_are_drawn_and_both_sizes_told(run: Run, gen: Path, ref: Path) -> None:
    for k in range(3):
        (ref / f"clip{k:02}.wav").unlink()
    row = only_row(run("score", gen, ref))
    assert [row[key] for key in ("n_gen", "n_ref", "n_gen_found", "n_ref_found", "draws")] == [3, 3, 6, 3, 20]
    row = only_row(run("score", gen, ref, "--sizes", "all"))
    assert [row[key] for key in ("n_gen", "n_ref", "n_gen_found", "n_ref_found", "draws")] == [6, 3, 6, 3, 1]


def test_a_seed_gives_the_same_bytes_and_is_recorded(run: Run, gen: Path, ref: Path) -> None:
    write(gen / "more.wav", noise(9))
    words = ("score", gen, ref, "--seed")
    assert run(*words, 3).out == run(*words, 3).out
    assert only_row(run(*words, 3))["seed"] == 3
    assert only_row(run(*words, 3))["mmd"] != only_row(run(*words, 4))["mmd"]


def test_a_row_a_clip_comes_first(run: Run, gen: Path, ref: Path) -> None:
    write(gen / "mono.wav", noise(9)[:, 0])
    rows = run("score", gen, ref, "--per-clip").rows
    clips, result = rows[:-1], rows[-1]
    assert result["schema"] == "stereokit.score/1"
    assert {clip["schema"] for clip in clips} == {"stereokit.score.clip/1"}
    assert [Path(clip["path"]).name for clip in clips if clip["set"] == "gen"] == [
        *(f"clip{k:02}.wav" for k in range(6)),
        "mono.wav",
    ]
    assert [clip["set"] for clip in clips] == ["gen"] * 7 + ["ref"] * 6
    mono, stereo = clips[6], clips[5]
    assert (mono["channels"], mono["has_side"], mono["is_silent"], mono["side_distance"]) == (1, False, False, 0.0)
    assert (stereo["channels"], stereo["has_side"], stereo["duration_s"]) == (2, True, 0.1)
    assert (stereo["sample_rate_hz"], stereo["label"]) == (RATE, None)
    left, right = soundfile.read(gen / "clip05.wav")[0].T
    side = (left - right) / np.sqrt(2)
    assert stereo["side_distance"] == pytest.approx(np.diff(np.quantile(side, [0.05, 0.95]))[0], abs=1e-12)
    assert stereo["image_class"] == "WWN"
    assert result["gen"]["side_distance_mean"] == pytest.approx(
        np.mean([clip["side_distance"] for clip in clips[:7]]), rel=1e-12
    )


def labelled(folder: Path, labels: list[str | None]) -> None:
    rows = [
        {"file_name": f"clip{k:02}.wav"} | ({} if label is None else {"label": label}) for k, label in enumerate(labels)
    ]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_row_a_label_comes_first_and_is_what_only_that_label_gives(run: Run, gen: Path, ref: Path) -> None:
    labelled(gen, ["kick", "kick", "kick", "snare", "snare", "hat"])
    labelled(ref, ["kick", "kick", "kick", "snare", "snare", "clap"])
    done = run("score", gen, ref, "--per-label")
    assert done.status == 0
    assert [row["label"] for row in done.rows] == ["clap", "hat", "kick", "snare", None]
    by_label = {row["label"]: row for row in done.rows}
    for label, count in (("kick", 3), ("snare", 2)):
        alone = only_row(run("score", gen, ref, "--only", label))
        assert (alone["gen"]["used"], alone["gen"]["excluded"]) == (count, 6 - count)
        for name in (*catalog.names("score"), "expected", "n_gen", "n_ref"):
            assert by_label[label][name] == alone[name]
    for label in ("clap", "hat"):
        assert [by_label[label][name] for name in ("cov", "mmd", "nna", "n_gen", "n_ref")] == [None] * 3 + [0, 0]


def test_labels_may_come_from_a_manifest_and_may_be_missing(run: Run, gen: Path, ref: Path) -> None:
    labelled(gen, ["kick", "snare", None, "kick", "snare", "kick"])
    labelled(ref, ["kick"] * 6)
    done = run("score", gen / "metadata.jsonl", ref / "metadata.jsonl", "--only", "kick", "--only", "snare")
    assert only_row(done)["gen"]["excluded"] == 1
    assert [row["label"] for row in run("score", gen / "metadata.jsonl", ref, "--per-label").rows] == [
        "",
        "kick",
        "snare",
        None,
    ]


def test_a_label_that_nothing_has_leaves_nothing_to_score(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref, "--only", "kick")
    assert (done.status, done.out) == (4, "")
    assert "no usable clip" in done.err


def no_width(kind: str) -> np.ndarray:
    # The last sample lies behind the last whole window.
    samples = noise(5, 801)
    if kind == "silent":
        return np.zeros((800, 2))
    if kind == "offset":
        return samples[:, :1] * 0.5 + [[0.25, -0.25]]
    samples[:, 1] = samples[:, 0]
    if kind == "click":
        samples[400, 1] += 0.5
    if kind == "tail":
        samples[-1, 1] += 0.5
    return samples[:, 0] if kind == "mono" else samples


@pytest.mark.parametrize(
    ("feature", "kind"),
    [
        *((feature, kind) for feature in ("stsd", "std") for kind in ("mono", "silent", "dual mono", "offset", "tail")),
        ("stsd", "click"),
    ],
)
def test_a_clip_without_a_shape_is_named_or_dropped_and_never_makes_a_number_that_is_none(
    run: Run, gen: Path, ref: Path, feature: str, kind: str
) -> None:
    write(gen / "flat.wav", no_width(kind))
    words = ("score", gen, ref, "--shape", "--feature", feature)
    done = run(*words)
    assert (done.status, done.out) == (4, "")
    assert "flat.wav" in done.err
    assert "--drop-silent" in done.err
    done = run(*words, "--drop-silent")
    row = only_row(done)
    assert (done.status, row["gen"]["used"], row["gen"]["dropped_silent"]) == (0, 6, 1)
    assert all(isinstance(row[name], float) for name in catalog.names("score"))


def test_many_clips_without_a_shape_are_named_in_part_and_counted(run: Run, gen: Path, ref: Path) -> None:
    for k in range(8):
        write(gen / f"flat{k}.wav", np.zeros((800, 2)))
    done = run("score", gen, ref, "--shape")
    assert done.err.count("flat") == 5
    assert "and 3 more" in done.err


def test_without_shapes_silence_is_legal_and_told(run: Run, gen: Path, ref: Path) -> None:
    write(gen / "silent.wav", np.zeros((800, 2)))
    write(gen / "mono.wav", noise(3)[:, 0])
    done = run("score", gen, ref)
    row = only_row(done)
    assert done.status == 0
    assert [row["gen"][key] for key in ("used", "mono", "without_side", "silent", "dropped_silent")] == [8, 1, 2, 1, 0]
    assert any("2 clips have no side signal" in note for note in row["notes"])


def test_mixed_rates_and_lengths_are_legal_and_told(run: Run, gen: Path, ref: Path) -> None:
    write(gen / "fast.wav", noise(3, 4000), 22_050)
    row = only_row(run("score", gen, ref))
    assert row["gen"]["sample_rates"] == {"8000": 6, "22050": 1}
    assert any("rates are mixed" in note for note in row["notes"])
    assert any("lengths differ" in note for note in row["notes"])


@pytest.mark.parametrize("form", ["paths", "rows", "manifest rows", "list", "jsonl"])
@pytest.mark.parametrize("is_generated", [True, False])
def test_a_set_may_be_given_in_any_form_with_the_same_figures(
    run: Run, gen: Path, ref: Path, form: str, *, is_generated: bool
) -> None:
    whole = only_row(run("score", gen, ref))
    folder = gen if is_generated else ref
    paths = sorted(folder.iterdir(), reverse=True)
    stdin, given = "", "-"
    if form == "paths":
        stdin = "".join(f"{path}\n" for path in paths)
    elif form == "rows":
        rows = [{"path": str(path), "status": "done"} for path in paths] + [{"schema": "stereokit.prep/1", "done": 6}]
        stdin = "".join(json.dumps(row) + "\n" for row in rows)
    elif form == "manifest rows":
        stdin = "\n" + "\r\n".join(json.dumps({"file_name": str(path)}) for path in paths)
    elif form == "list":
        given = folder / "list.txt"
        given.write_text("".join(f"{path.name}\n" for path in paths))
    else:
        given = folder / "rows.jsonl"
        given.write_text("".join(json.dumps({"file_name": path.name}) + "\n" for path in paths))
    done = run("score", *((given, ref) if is_generated else (gen, given)), stdin=stdin)
    row = only_row(done)
    assert (done.status, row["failed"]) == (0, [])
    for name in (*catalog.names("score"), "expected", "n_gen_found", "n_ref_found"):
        assert row[name] == whole[name]


def test_a_list_lies_where_it_lies_and_may_lead_elsewhere(run: Run, gen: Path, ref: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    given = tmp_path / "lists" / "some.txt"
    given.write_text("../gen/clip00.wav\n\n../gen/clip03.wav\n../gen/absent.wav\n")
    done = run("score", given, ref)
    assert (done.status, only_row(done)["gen"]["used"]) == (3, 2)
    assert "absent.wav" in done.err


def test_rows_of_a_manifest_stay_in_its_folder(run: Run, gen: Path, ref: Path) -> None:
    names = ["../ref/clip00.wav", str(ref / "clip00.wav"), "clip00.wav", "sub/../clip01.wav", "clip02.wav"]
    (gen / "link.wav").symlink_to(ref / "clip00.wav")
    (gen / "rows.jsonl").write_text(
        "".join(json.dumps({"file_name": name}) + "\n" for name in [*names, "link.wav"]) + "not json\n[]\n{}\n"
    )
    done = run("score", gen / "rows.jsonl", ref)
    row = only_row(done)
    assert done.status == 3
    assert (row["gen"]["used"], row["gen"]["refused"], row["duplicates_across"]) == (2, 7, 0)
    assert {one["path"] for one in row["failed"]} == {f"rows.jsonl line {line}" for line in (1, 2, 4, 6, 7, 8, 9)}


def test_standard_input_cannot_be_both_sets(run: Run) -> None:
    done = run("score", "-", "-", stdin="a.wav\n")
    assert (done.status, done.out) == (2, "")
    assert "both" in done.err


def test_an_empty_standard_input_is_a_set_without_clips(run: Run, ref: Path) -> None:
    assert run("score", "-", ref).status == 4


@pytest.mark.parametrize("name", ["gen/clip00.wav", "absent", "notes.pdf"])
def test_what_is_no_set_is_a_usage_error(run: Run, gen: Path, ref: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.pdf").write_text("no list")
    for words in ((tmp_path / name, ref), (ref, tmp_path / name)):
        done = run("score", *words)
        assert (done.status, done.out) == (2, "")
        assert "give a folder" in done.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--feature", "loudness"], "stsd"),
        (["--distance", "cosine"], "emd"),
        (["--feature", "logmel", "--distance", "emd"], "--distance emd"),
        (["--feature", "std", "--range", "full"], "--range full"),
        (["--feature", "correlation", "--shape"], "--shape"),
        (["--length", "0"], "--length"),
        (["--length", "-1"], "--length"),
        (["--length", "nan"], "--length"),
        (["--length", "inf"], "--length"),
        (["--protocol", "ml2021"], "ml2020"),
        (["--sizes", "some"], "equal"),
        (["--jobs", "0"], "--jobs"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(
    run: Run, gen: Path, ref: Path, options: list[str], told: str
) -> None:
    done = run("score", gen, ref, *options)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


def test_a_length_of_less_than_a_sample_leaves_nothing_to_judge(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref, "--length", "1e-9")
    assert (done.status, done.out) == (4, "")
    assert "no whole sample" in done.err


def test_ml2020_refuses_clips_by_name_with_what_it_is_for(run: Run, gen: Path, ref: Path) -> None:
    for folder in (gen, ref):
        write(folder / "stab.wav", noise(7, 16_000), 44_100)
    done = run("score", gen, ref, "--protocol", "ml2020")
    row = only_row(done)
    assert (done.status, row["gen"]["used"], row["gen"]["refused"]) == (3, 1, 6)
    assert row["length_samples"] == 15_872
    assert all("8000 Hz: the protocol ml2020 is for 44100 Hz" in one["reason"] for one in row["failed"])


@pytest.mark.parametrize("feature", catalog.names("feature"))
def test_every_feature_scores(run: Run, gen: Path, ref: Path, feature: str) -> None:
    done = run("score", gen, ref, "--feature", feature)
    row = only_row(done)
    assert done.status == 0
    assert row["feature"] == feature
    assert row["unit"] == catalog.load("feature", feature).unit
    assert row["mmd"] > 0


def test_clamped_windows_are_counted(run: Run, gen: Path, ref: Path) -> None:
    hard = noise(8)
    hard[:, 1] = 0
    write(gen / "hard.wav", hard)
    row = only_row(run("score", gen, ref, "--feature", "pca-ratio"))
    assert (row["gen"]["clamped_windows"], row["ref"]["clamped_windows"]) == (7, 0)


def test_no_line_holds_a_number_that_json_lacks(run: Run, gen: Path, ref: Path) -> None:
    for folder in (gen, ref):
        write(folder / "silent.wav", np.zeros((800, 2)))
        write(folder / "one.wav", noise(3, 1))
    labelled(gen, ["kick"] * 3 + ["snare"] * 3)
    for feature in catalog.names("feature"):
        done = run("score", gen, ref, "--feature", feature, "--per-clip", "--per-label")
        for line in done.out.splitlines():
            json.loads(line, parse_constant=refuse_constant)
        assert len(done.rows) == 16 + 3 + 1
        assert {row["stereokit_version"] for row in done.rows} == {__version__}


def test_the_number_of_processes_changes_no_byte(
    run: Run, gen: Path, ref: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    original = score_sets.map_chunks

    def watched(*words: object, **settings: object) -> object:
        started.append((settings["jobs"], len(words[1]) > settings["inline_up_to"]))
        return original(*words, **settings)

    (gen / "text.wav").write_text("this is no sound")
    monkeypatch.setattr(score_sets, "_INLINE_CLIPS", 3)
    monkeypatch.setattr(score_sets, "_CHUNK_CLIPS", 2)
    monkeypatch.setattr(score_sets, "map_chunks", watched)
    one, two = (run("score", gen, ref, "--per-clip", "--jobs", jobs) for jobs in (1, 2))
    assert started == [(1, True), (1, True), (2, True), (2, True)]
    assert one.status == two.status == 3
    assert one.out == two.out
    assert one.err == two.err


def test_nothing_is_printed_quietly_unless_something_is_wrong(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref, "--quiet")
    assert (done.status, done.out, done.err) == (0, "", "")
    done = run("score", gen, ref, "--quiet", "--fail-if", "cov>0")
    assert done.status == 1
    assert only_row(done)["cov"] > 0


def test_a_terminal_gets_a_table_with_the_null_beside_the_score(run: Run, gen: Path, ref: Path) -> None:
    row = only_row(run("score", gen, ref))
    done = run("score", gen, ref, terminal=True)
    assert done.status == 0
    assert "{" not in done.out
    for title in ("COV", "MMD", "1-NNA"):
        assert title in done.out
    for score in ("cov", "mmd", "nna"):
        assert f"{row[score]:.4g}" in done.out.split()
        expected = row["expected"][score]
        assert ("-" if expected is None else f"{expected:.4g}") in done.out.split()


def test_silent_clips_are_dropped_and_counted_in_any_protocol(run: Run, gen: Path, ref: Path) -> None:
    write(gen / "silent.wav", np.zeros((800, 2)))
    kept, dropped = (only_row(run("score", gen, ref, *words)) for words in ((), ("--drop-silent",)))
    assert (kept["gen"]["dropped_silent"], dropped["gen"]["dropped_silent"]) == (0, 1)
    assert dropped["gen"]["used"] == kept["gen"]["used"] - 1
    assert dropped["gen"]["found"] == kept["gen"]["found"]


def test_copies_of_the_reference_are_told(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", ref, ref)
    count = only_row(done)["duplicates_across"]
    assert count > 0
    assert f"{count} generated clips are exact copies of reference clips" in done.err


def test_scoring_by_label_without_labels_says_so(run: Run, gen: Path, ref: Path) -> None:
    done = run("score", gen, ref, "--per-label")
    assert done.status == 0
    assert "no clip has a label" in done.err
