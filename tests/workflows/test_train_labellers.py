"""A training whose model tells labels: how it is judged, calibrated and reported, and what its data may lack."""

import json

import numpy as np
import pytest
import soundfile
import torch
import toy_family

from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.tables import METADATA
from stereokit.models._run import load_run
from stereokit.training.checkpoint import LOG, MODEL, read_tensors
from stereokit.workflows import train_session
from stereokit.workflows.train_labels import Told

# Everything here trains something.
pytestmark = pytest.mark.slow

FIGURES = {"accuracy", "balanced_accuracy", "precision", "recall", "f1", "nll", "calibration_error"}
FRAMES = 800


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    threads = torch.get_num_threads()
    with toy_family.installed():
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def write_set(tmp_path):
    """Write a data set of loud and soft noise: ``write_set(train=[labels], validation=..., test=...)``."""

    def write(**splits):
        folder = tmp_path / f"set-{len(list(tmp_path.iterdir()))}"
        levels = {"loud": 0.3, "soft": 0.003, "other": 0.03, None: 0.03}
        random = np.random.default_rng(0)
        lines = []
        for split, labels in splits.items():
            (folder / split).mkdir(parents=True)
            for number, label in enumerate(labels):
                name = f"{split}/{number}.wav"
                samples = levels[label] * random.standard_normal((FRAMES, 2))
                soundfile.write(folder / name, samples, 8_000, "PCM_16")
                row = {"file_name": name, "split": split, "label": label, "sample_rate_hz": 8_000, "frames": FRAMES}
                lines.append(json.dumps(row) + "\n")
        (folder / METADATA).write_text("".join(lines))
        (folder / DESCRIPTION).write_text(json.dumps({"schema": DATASET_SCHEMA, "fingerprint": "abc"}))
        return folder

    return write


@pytest.fixture
def train(run):
    """Train the toy that tells labels: ``train(dataset, folder, "--steps", 4)``."""
    return lambda dataset, folder, *words: run("train", "teller", dataset, "-o", folder, "--device", "cpu", *words)


BOTH = ["loud", "soft"]


def lines_of(folder, event):
    lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def test_a_labeller_is_judged_by_validation_clips_and_reported_on_all_that_it_did_not_see(train, write_set, tmp_path):
    dataset, folder = write_set(train=BOTH * 8, validation=BOTH * 5, test=[*BOTH, "loud"]), tmp_path / "run"
    result = train(dataset, folder, "--steps", 60, "--set", "validate_every=20")
    assert result.status == 0, result.err
    (row,) = result.rows
    assert set(row["validation"]) == FIGURES | {"step", "temperature"}
    assert set(row["told"]) == {"validation", "test"}
    assert row["told"]["test"]["clips"] == 3
    assert row["told"]["test"]["accuracy"] == 1.0
    report = json.loads((folder / "report.json").read_text())
    assert report["labels"] == BOTH
    assert report["validation"]["confusion"] == [[5, 0], [0, 5]]
    assert report["test"]["confusion"] == [[2, 0], [0, 1]]
    assert report["test"]["by_label"]["loud"] == {"clips": 2, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    # what the run's own model says is what its training chose it by
    assert row["told"]["validation"]["nll"] == pytest.approx(row["validation"]["nll"], rel=1e-5)
    for name in ("confusion.png", "curve.png"):
        assert (folder / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert not (folder / "previews").exists()


def test_the_model_that_finds_the_truth_likeliest_is_kept_with_its_temperature(train, write_set, tmp_path):
    dataset, folder = write_set(train=BOTH * 8, validation=BOTH * 5), tmp_path / "run"
    (row,) = train(dataset, folder, "--steps", 30, "--set", "validate_every=10").rows
    lines = lines_of(folder, "label_validation")
    assert [line["step"] for line in lines] == [10, 20, 30]
    best = min(lines, key=lambda line: line["nll"])
    assert row["chosen_step"] == best["step"]
    assert [line["is_chosen"] for line in lines][lines.index(best)]
    kept = read_tensors(folder / MODEL)["temperature"]
    assert float(kept) == pytest.approx(best["temperature"])
    assert float(load_run(folder).model.temperature) == float(kept) != 1.0


def test_a_training_that_was_cut_goes_on_to_the_same_temperature_and_log(train, write_set, tmp_path):
    dataset = write_set(train=BOTH * 8, validation=BOTH * 5)
    words = ("--steps", 8, "--set", "validate_every=2")
    train(dataset, tmp_path / "whole", *words)
    train(dataset, tmp_path / "cut", "--steps", 4, *words[2:])
    result = train(dataset, tmp_path / "cut", "--resume", "--steps", 8)
    assert result.status == 0, result.err
    for name in (MODEL, "report.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    figures = [
        [{key: value for key, value in line.items() if key != "seconds"} for line in lines_of(run, "label_validation")]
        for run in (tmp_path / "cut", tmp_path / "whole")
    ]
    assert figures[0] == figures[1]


def test_clips_without_a_label_are_left_out_and_told(train, write_set, tmp_path):
    dataset = write_set(train=[*BOTH * 4, None, None, None], validation=[*BOTH * 4, None, "other"], test=[None])
    result = train(dataset, tmp_path / "run", "--steps", 2)
    assert result.status == 0, result.err
    assert "3 training clips without a label are left out" in result.err
    assert "on 8 clips" in result.err
    # one that has no label, and one whose label the model cannot know, say nothing of it
    assert result.rows[0]["told"]["validation"]["clips"] == 8
    assert set(result.rows[0]["told"]) == {"validation"}


def test_without_validation_clips_the_last_model_is_kept_and_not_calibrated(train, write_set, tmp_path):
    result = train(write_set(train=BOTH * 4), tmp_path / "run", "--steps", 3)
    assert result.status == 0, result.err
    assert (
        "0 validation clips, fewer than 8: the last averaged model is kept, and its probabilities are not calibrated"
        in (result.err)
    )
    (row,) = result.rows
    assert (row["chosen_step"], row["validation"]) == (3, None)
    assert "told" not in row
    assert float(load_run(tmp_path / "run").model.temperature) == 1.0
    assert not (tmp_path / "run" / "report.json").exists()
    refused = train(write_set(train=BOTH * 4), tmp_path / "other", "--steps", 3, "--patience", 2)
    assert refused.status == 2


@pytest.mark.parametrize(("labels", "reason"), [([None] * 8, "without a label"), (["loud"] * 8, "needs two or more")])
def test_one_label_or_none_is_refused_before_anything_is_written(train, write_set, tmp_path, labels, reason):
    result = train(write_set(train=labels), tmp_path / "run", "--steps", 3)
    assert result.status == 4
    assert reason in result.err
    assert not (tmp_path / "run").exists()


def test_force_removes_the_report_of_the_run_before(train, write_set, tmp_path):
    train(write_set(train=BOTH * 4, validation=BOTH * 4), tmp_path / "run", "--steps", 2)
    assert (tmp_path / "run" / "report.json").exists()
    train(write_set(train=BOTH * 4), tmp_path / "run", "--steps", 2, "--force")
    assert not [name for name in ("report.json", "confusion.png") if (tmp_path / "run" / name).exists()]


def test_probabilities_that_are_not_finite_end_the_training(train, write_set, tmp_path, monkeypatch):
    label = toy_family.Teller.label
    monkeypatch.setattr(toy_family.Teller, "label", lambda self, wave: label(self, wave) * torch.nan)
    result = train(write_set(train=BOTH * 4, validation=BOTH * 4), tmp_path / "run", "--steps", 2)
    assert result.status == 4
    assert "probabilities hold NaN" in result.err


def test_the_curve_shows_a_labellers_figures(tmp_path):
    line = dict.fromkeys((*FIGURES, "temperature"), 0.5) | {"event": "label_validation", "seconds": 60.0}
    (tmp_path / LOG).write_text(json.dumps(line | {"gradients": {"net": 1.0}}) + "\n")
    train_session.write_curve(tmp_path)
    assert (tmp_path / "curve.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_temperature_of_few_clips_all_told_right_leaves_doubt():
    sure = np.array([[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 4)
    told = Told(sure, np.array([0] * 4 + [1] * 4))
    logits = np.log(9.0) / told.fitting_temperature()
    # with one more clip told wrong, eight of nine are right
    assert 1.0 / (1.0 + np.exp(-logits)) == pytest.approx(8.0 / 9.0)
