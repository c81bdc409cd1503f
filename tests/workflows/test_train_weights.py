"""Trainings that begin with weights from outside, and those that cannot."""

import json

import numpy as np
import pytest
import soundfile
import torch
import toy_family
from safetensors.torch import load_file, save_file

from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.tables import METADATA
from stereokit.models._run import load_run
from stereokit.models.drum_classifier.outside import published
from stereokit.training.checkpoint import CONFIG
from stereokit.workflows.outside_weights import WEIGHTS_SCHEMA

# Everything here trains something.
pytestmark = pytest.mark.slow

RATE, FRAMES = 8_000, 800
SHORT = ("--preset", "resnet50", "--set", f"sample_rate={RATE}", "--set", "seconds=0.1", "--set", "batch=2")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("weights") / "outside.safetensors"
    save_file(published("resnet50", 4).state_dict(), path, {"schema": WEIGHTS_SCHEMA, "network": "resnet50"})
    return path


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "ds"
    (folder / "train").mkdir(parents=True)
    random = np.random.default_rng(0)
    lines = []
    for number in range(4):
        name, label = f"train/{number}.wav", ("loud", "soft")[number % 2]
        soundfile.write(folder / name, (0.3, 0.003)[number % 2] * random.standard_normal((FRAMES, 2)), RATE, "PCM_16")
        row = {"file_name": name, "split": "train", "label": label, "sample_rate_hz": RATE, "frames": FRAMES}
        lines.append(json.dumps(row) + "\n")
    (folder / METADATA).write_text("".join(lines))
    (folder / DESCRIPTION).write_text(json.dumps({"schema": DATASET_SCHEMA, "fingerprint": "abc"}))
    return folder


def test_a_frozen_base_is_the_outside_one_and_the_record_says_so(run, dataset, weights, tmp_path):
    folder = tmp_path / "run"
    words = ("train", "drum-classifier", dataset, *SHORT, "--steps", 2, "--device", "cpu", "-o", folder)
    result = run(*words, "--weights", weights, "--freeze", "base")
    assert result.status == 0, result.err
    made = load_run(folder)
    assert made.config.freeze == "base"
    state = made.model.net.network.state_dict()
    assert all(torch.equal(state[name], one) for name, one in load_file(weights).items() if not name.startswith("fc."))
    record = json.loads((folder / CONFIG).read_text())["training"]["begun_with"]
    assert (record["file"], record["network"]) == ("outside.safetensors", "resnet50")
    for word in (("--weights", weights), ("--freeze", "base")):
        refused = run("train", "--resume", "-o", folder, "--steps", 3, *word)
        assert refused.status == 2
        assert "the run has begun already" in refused.err
    resumed = run("train", "--resume", "-o", folder, "--steps", 3, "--device", "cpu")
    assert resumed.status == 0, resumed.err
    assert json.loads((folder / CONFIG).read_text())["training"]["begun_with"] == record


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("drum-classifier", "--preset", "tiny"), "is of resnet50, and this preset has network=raw-spec"),
        (("teller",), "this family takes none from outside"),
    ],
)
def test_weights_that_nobody_can_take_are_refused_before_anything_is_written(
    run, dataset, weights, tmp_path, *, words, reason
):
    family, *rest = words
    size = ("--set", f"sample_rate={RATE}", "--set", "seconds=0.1")
    with toy_family.installed():
        result = run("train", family, dataset, *rest, *size, "--weights", weights, "-o", tmp_path / "run")
    assert result.status == 2
    assert reason in result.err
    assert not (tmp_path / "run").exists()


def test_nothing_can_be_frozen_in_a_family_that_begins_with_nothing(run, dataset, tmp_path):
    with toy_family.installed():
        result = run("train", "teller", dataset, "--freeze", "base", "-o", tmp_path / "run")
    assert result.status == 2
    assert "--freeze base: teller has no part" in result.err
    assert not (tmp_path / "run").exists()
