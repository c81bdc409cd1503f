"""``stereokit score --paired``: clips of the same name, and every way in which they can fail to be pairs."""

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
        (("--fail-if", "pairs<baseline.pairs"), "no baseline"),
    ],
)
def test_what_has_no_meaning_for_pairs_is_refused(
    run: Run, sets: tuple[Path, Path], options: tuple[str, ...], named: str
) -> None:
    done = run("score", *sets, "--paired", *options)
    assert done.status == 2
    assert named in done.err


def test_windows_without_pairs_are_refused(run: Run, sets: tuple[Path, Path]) -> None:
    done = run("score", *sets, "--window", "512")
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
