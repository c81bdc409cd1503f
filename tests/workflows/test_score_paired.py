"""``stereokit score --paired``: clips of the same name, and every way in which they can fail to be pairs."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from stereokit.metrics.paired.figures import FIGURES
from stereokit.metrics.paired.measure import measure_pair
from stereokit.metrics.paired.views import VIEWS
from stereokit.workflows.score_pair_rows import check_keys

Run = Callable[..., SimpleNamespace]


def write(path: Path, samples: object, rate: int = 8000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.asarray(samples, np.float64), rate, "PCM_16")
    return path


def noise(seed: int, frames: int = 2400) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, (frames, 2))


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    """Three pairs whose estimates carry noise of the same level as the first, and rising."""
    for k in range(3):
        target = noise(k)
        write(tmp_path / "ref" / f"{k}.wav", target)
        write(tmp_path / "gen" / "deep" / f"{k}.wav", target + noise(k + 10) * (k + 1) / 10)
    return tmp_path / "gen", tmp_path / "ref"


def test_pairs_give_one_row_of_means_and_deviations(run: Run, sets: tuple[Path, Path]) -> None:
    gen, ref = sets
    done = run("score", gen, ref, "--paired")
    assert (done.status, done.err, len(done.rows)) == (0, "", 1)
    row = done.rows[0]
    assert row["schema"] == "stereokit.score.paired/1"
    assert (row["pairs"], row["over"], row["failed"], row["sample_rates"]) == (3, "pairs", [], {"8000": 3})
    alone = [measure_pair((str(gen / "deep" / f"{k}.wav"), str(ref / f"{k}.wav"))).figures for k in range(3)]
    for view in VIEWS:
        for name in FIGURES:
            values = [one[view].values[name][0] for one in alone]
            found = row[view][name]
            assert (found["mean"], found["sd"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
            assert found["n"] == 3
    assert row["stsd_mean"]["mean"] > 0


def test_a_row_a_pair_comes_first_and_the_means_are_theirs(run: Run, sets: tuple[Path, Path]) -> None:
    gen, ref = sets
    *pairs, last = run("score", gen, ref, "--paired", "--per-clip").rows
    assert [one["path"] for one in pairs] == [str(gen / "deep" / f"{k}.wav") for k in range(3)]
    assert [one["target"] for one in pairs] == [str(ref / f"{k}.wav") for k in range(3)]
    snr = [one["left_right"]["snr_db"] for one in pairs]
    assert snr == pytest.approx([20.0, 14.0, 10.5], abs=0.7)
    assert last["left_right"]["snr_db"]["mean"] == pytest.approx(np.mean(snr))


def test_windows_are_scored_each_and_quiet_ones_counted(run: Run, sets: tuple[Path, Path]) -> None:
    gen, ref = sets
    still = noise(0)
    still[:1024] = 0.0
    write(ref / "0.wav", still)
    row = run("score", gen, ref, "--paired", "--window", 512).rows[0]
    assert (row["over"], row["window_samples"]) == ("windows", 512)
    assert row["quiet_windows"] == {"left_right": 2, "mid": 2, "side": 2}
    assert row["mid"]["lsd"]["n"] == 3 * 4 - 2
    pair = run("score", gen, ref, "--paired", "--window", 512, "--per-clip").rows[0]
    assert pair["left_right"]["snr_db"]["n"] == 2
    assert pair["quiet_windows"]["side"] == 2


def half_silent(ref: Path) -> None:
    """Silence the first 1024 frames of 0.wav, and take the side of the rest."""
    samples = np.repeat(noise(0)[:, :1], 2, axis=1)
    samples[:1024] = 0.0
    write(ref / "0.wav", samples)


def test_a_row_a_window_says_where_it_starts_and_why_figures_are_missing(run: Run, sets: tuple[Path, Path]) -> None:
    half_silent(sets[1])
    *windows, last = run("score", *sets, "--paired", "--window", 512, "--per-window").rows
    assert [one["start_samples"] for one in windows] == [0, 512, 1024, 1536] * 3
    assert [one["start_s"] for one in windows[:4]] == [0.0, 0.064, 0.128, 0.192]
    assert {one["target"] for one in windows[:4]} == {str(sets[1] / "0.wav")}
    reason = "target under -60 dBFS"
    assert windows[0]["left_out"] == {"left_right": reason, "mid": reason, "side": reason}
    assert windows[2]["left_out"] == {"left_right": None, "mid": None, "side": reason}
    assert windows[0]["target_dbfs"] == {"left_right": -200.0, "mid": -200.0, "side": -200.0}
    for one in windows:
        for view in VIEWS:
            assert (None in one[view].values()) == (set(one[view].values()) == {None}) == bool(one["left_out"][view])
    for view in VIEWS:
        heard = [one[view]["lsd"] for one in windows if one["left_out"][view] is None]
        assert (last[view]["lsd"]["n"], last[view]["lsd"]["mean"]) == (len(heard), pytest.approx(np.mean(heard)))


def test_a_window_has_the_figures_of_a_clip_that_is_nothing_else(run: Run, sets: tuple[Path, Path]) -> None:
    gen, ref = sets
    window = run("score", gen, ref, "--paired", "--window", 512, "--per-window").rows[5]
    for folder, name in ((gen, "deep/1.wav"), (ref, "1.wav")):
        write(folder.parent / "cut" / folder.name / "1.wav", soundfile.read(folder / name)[0][512:1024])
    alone = run("score", *(folder.parent / "cut" / folder.name for folder in sets), "--paired", "--per-clip").rows[0]
    for view in VIEWS:
        assert window[view] == pytest.approx(alone[view], rel=1e-9)


def test_windows_come_before_their_pair_and_a_table_has_them_alone(run: Run, sets: tuple[Path, Path]) -> None:
    half_silent(sets[1])
    options = ("--paired", "--window", 1000, "--per-window", "--per-clip")
    kinds = [row["schema"].removeprefix("stereokit.score.") for row in run("score", *sets, *options).rows]
    assert kinds == ["window/1", "window/1", "pair/1"] * 3 + ["paired/1"]
    lines = list(csv.DictReader(io.StringIO(run("score", *sets, *options, "--csv").out)))
    assert [line["start_samples"] for line in lines] == ["0", "1000"] * 3
    assert lines[0]["side.snr_db"] == ""
    assert lines[0]["left_out.side"] == "target under -60 dBFS"
    assert float(lines[2]["side.snr_db"]) > 0
    drawn = run("score", *sets, *options, terminal=True).out
    assert "start_s" in drawn
    assert "0.125" in drawn


def test_pairs_under_a_window_have_none_and_are_counted(run: Run, sets: tuple[Path, Path]) -> None:
    for folder in sets:
        write(folder / "short.wav", noise(9, 100))
    *windows, last = run("score", *sets, "--paired", "--window", 1000, "--per-window").rows
    assert len(windows) == 3 * 2
    assert "1 pairs are shorter than a window and have none" in last["notes"]


def test_a_baseline_stands_beside_the_result_and_bounds_it(run: Run, sets: tuple[Path, Path], tmp_path: Path) -> None:
    kept, check = tmp_path / "kept.json", "mid.snr_db.mean<baseline.mid.snr_db.mean"
    first = run("score", *sets, "--paired", "--save", kept).rows[0]
    assert first["baseline"] is None
    options = ("--paired", "--baseline", kept, "--fail-if", check)
    done = run("score", *sets, *options)
    assert (done.status, done.rows[0]["baseline"]["mid"]) == (0, first["mid"])
    (sets[0] / "deep" / "0.wav").unlink()
    done = run("score", *sets, *options)
    assert (done.status, done.rows[0]["failed_checks"]) == (1, [check])
    assert any("the baseline has 3 pairs, this result 2" in note for note in done.rows[0]["notes"])


@pytest.mark.parametrize(("options", "fault"), [((), "holds no result"), (("--window", "512"), "windows of 512")])
def test_a_baseline_of_another_kind_is_refused(
    run: Run, sets: tuple[Path, Path], tmp_path: Path, options: tuple[str, ...], fault: str
) -> None:
    kept = tmp_path / "kept.json"
    run("score", sets[1], sets[1], "--save", kept, *(("--paired", *options) if options else ()))
    done = run("score", *sets, "--paired", "--baseline", kept)
    assert (done.status, done.out) == (4, "")
    assert fault in done.err


def test_a_summary_in_markdown_has_every_figure_and_what_was_left_out(
    run: Run, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    write(sets[0] / "a|b.wav", noise(1))
    kept, summary = tmp_path / "kept.json", tmp_path / "summary.md"
    row = run("score", *sets, "--paired", "--save", kept).rows[0]
    options = ("--markdown", summary, "--baseline", kept, "--fail-if", "pairs<9")
    run("score", *sets, "--paired", *options)
    text = summary.read_text()
    assert text.startswith("### stereokit score --paired: 3 pairs: SNR ")
    tables = [[cell.strip() for cell in line[2:-2].split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    snr = next(line for line in tables if line[0] == "SNR, dB")
    assert snr[1] == snr[4] == f"{row['left_right']['snr_db']['mean']:.4g} ± {row['left_right']['snr_db']['sd']:.2g}"
    assert {len(line) for line in tables[:8]} == {7}
    assert "a\\|b.wav: has no partner in REF" in text
    assert "| pairs&lt;9 | fails |" in text


def test_the_verdict_tells_copies_from_estimates_and_a_drift_from_chance(
    run: Run, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    def verdict(gen: Path) -> str:
        return run("score", gen, sets[1], "--paired").rows[0]["verdict"]

    assert verdict(sets[1]) == "3 pairs: the estimates are exact copies of their targets; the width is the targets'"
    for k in range(3):
        left, right = noise(k).T
        write(tmp_path / "narrow" / f"{k}.wav", np.stack([0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right], 1))
        write(tmp_path / "turned" / f"{k}.wav", np.stack([right, left], 1))
        mid, side = (left + right) / 2, (left - right) / 2 * (1.0, 0.9, 1.1)[k]
        write(tmp_path / "mixed" / f"{k}.wav", np.stack([mid + side, mid - side], 1))
    assert verdict(tmp_path / "narrow").endswith("the estimates are narrower than their targets by 50 %")
    assert "200.0 dB in mid, -6.0 dB in side" in verdict(tmp_path / "turned")
    assert "no drift of the width shows" in verdict(tmp_path / "mixed")


def test_mono_against_stereo_has_no_side_to_compare_with(run: Run, sets: tuple[Path, Path], tmp_path: Path) -> None:
    write(tmp_path / "mono" / "0.wav", noise(0)[:, 0])
    row = run("score", sets[1], tmp_path / "mono", "--paired").rows[0]
    assert row["side"]["si_sdr_db"] == {"mean": None, "sd": None, "n": 0}
    assert row["side"]["snr_db"]["mean"] == -200.0
    assert row["stsd_mean"]["mean"] == row["stsd_gen"]["mean"] > row["stsd_ref"]["mean"] == 0.0
    assert row["verdict"].endswith("of full scale")
    assert any(note.startswith("targets under -60 dBFS: left_right 0, mid 0, side 1;") for note in row["notes"])
    row = run("score", tmp_path / "mono", sets[1], "--paired").rows[0]
    assert (row["side"]["si_sdr_db"]["mean"], row["side"]["snr_db"]["mean"]) == (-200.0, 0.0)
    assert row["verdict"].endswith("narrower than their targets by 100 %")


def test_missing_partners_are_listed_and_the_rest_is_scored(run: Run, sets: tuple[Path, Path]) -> None:
    gen, ref = sets
    write(gen / "alone.wav", noise(1))
    (ref / "2.wav").unlink()
    done = run("score", gen, ref, "--paired")
    row = done.rows[0]
    assert (done.status, row["pairs"], row["without_partner"]) == (3, 2, {"gen": 2, "ref": 0})
    assert [(one["set"], Path(one["path"]).name, one["reason"]) for one in row["failed"]] == [
        ("gen", "alone.wav", "has no partner in REF"),
        ("gen", "2.wav", "has no partner in REF"),
    ]
    assert "alone.wav" in done.err
    strict = run("score", gen, ref, "--paired", "--strict")
    assert (strict.status, strict.rows) == (4, [])


def test_pairs_of_other_lengths_or_rates_are_refused_with_the_reason(run: Run, sets: tuple[Path, Path]) -> None:
    gen, ref = sets
    write(ref / "0.wav", noise(0, 2399))
    write(ref / "1.wav", noise(1), 16_000)
    done = run("score", gen, ref, "--paired")
    assert (done.status, done.rows[0]["pairs"]) == (3, 1)
    reasons = [one["reason"] for one in done.rows[0]["failed"]]
    assert "2400 frames, its target 2399" in reasons[0]
    assert "8000 Hz, its target 16000 Hz" in reasons[1]


def test_no_pair_at_all_is_nothing_done(run: Run, sets: tuple[Path, Path], tmp_path: Path) -> None:
    write(tmp_path / "other" / "x.wav", noise(1))
    done = run("score", sets[0], tmp_path / "other", "--paired")
    assert (done.status, done.rows) == (4, [])
    assert "no pair" in done.err


def test_a_check_names_any_figure_and_fails_with_status_one(run: Run, sets: tuple[Path, Path], tmp_path: Path) -> None:
    check = "left_right.snr_db.mean<30"
    files = ("--save", tmp_path / "result.json", "--junit", tmp_path / "checks.xml")
    done = run("score", *sets, "--paired", "--fail-if", check, *files)
    assert (done.status, done.rows[0]["failed_checks"]) == (1, [check])
    assert "left_right.snr_db.mean is" in done.err
    assert json.loads((tmp_path / "result.json").read_text()) == done.rows[0]
    assert 'failures="1"' in (tmp_path / "checks.xml").read_text()
    assert run("score", *sets, "--paired", "--fail-if", "side.lsd.mean>3").status == 0


def test_every_key_that_a_check_may_name_is_in_the_result(run: Run, sets: tuple[Path, Path]) -> None:
    row = run("score", *sets, "--paired").rows[0]
    for key in check_keys():
        value = row
        for part in key.split("."):
            value = value[part]
        assert isinstance(value, int | float), key


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--feature", "std"), "--feature"),
        (("--protocol", "ml2020"), "--protocol"),
        (("--statistics", "--per-label"), "--per-label, --statistics"),
        (("--window", "0"), "--window 0"),
        (("--fail-if", "cov<0.4"), "unknown key 'cov'"),
        (("--fail-if", "pairs<baseline.pairs"), "baseline.pairs needs --baseline FILE"),
        (("--per-window",), "--window SAMPLES"),
        (("--report", "page.txt"), ".html"),
    ],
)
def test_what_has_no_meaning_for_pairs_is_refused(
    run: Run, sets: tuple[Path, Path], options: tuple[str, ...], named: str
) -> None:
    done = run("score", *sets, "--paired", *options)
    assert done.status == 2
    assert named in done.err


@pytest.mark.parametrize("options", [("--window", "512"), ("--per-window",)])
def test_windows_without_pairs_are_refused(run: Run, sets: tuple[Path, Path], options: tuple[str, ...]) -> None:
    done = run("score", *sets, *options)
    assert done.status == 2
    assert "--paired" in done.err


def test_two_processes_and_a_copy_elsewhere_give_the_same_figures(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(6):
        write(tmp_path / "ref" / f"{k}.wav", noise(k, 600))
        write(tmp_path / "gen" / f"{k}.wav", noise(k + 10, 600))
    monkeypatch.setattr("stereokit.workflows.score_pairs._INLINE_PAIRS", 1)
    one = run("score", tmp_path / "gen", tmp_path / "ref", "--paired", "--jobs", 1)
    two = run("score", tmp_path / "gen", tmp_path / "ref", "--paired", "--jobs", 2)
    assert one.out == two.out
    shutil.copytree(tmp_path / "gen", tmp_path / "copy")
    copied = run("score", tmp_path / "copy", tmp_path / "ref", "--paired").rows[0]
    assert copied == {**one.rows[0], "gen": str(tmp_path / "copy")}


def test_identical_folders_have_no_error_and_say_so_in_finite_figures(run: Run, sets: tuple[Path, Path]) -> None:
    row = run("score", sets[1], sets[1], "--paired").rows[0]
    assert row["left_right"]["snr_db"] == {"mean": 200.0, "sd": 0.0, "n": 3}
    assert row["side"]["lsd"]["mean"] == row["mid"]["mel_mse"]["mean"] == row["stsd_l1"]["mean"] == 0.0


def test_a_terminal_shows_a_table(run: Run, sets: tuple[Path, Path]) -> None:
    out = run("score", *sets, "--paired", "--per-clip", terminal=True).out
    assert "left_right" in out
    assert "±" in out
    assert "3 pairs" in out
    assert "0.wav" in out
