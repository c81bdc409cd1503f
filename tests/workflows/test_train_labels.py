"""A family that eats plain clips, and labels where its configuration asks for them."""

import json

import pytest

from stereokit.training.checkpoint import CONFIG

pytestmark = pytest.mark.slow

TINY = ("--preset", "tiny", "--set", "sample_rate=8000", "--steps", 1, "--device", "cpu", "-q")


@pytest.fixture
def dataset(run, tmp_path):
    folder = tmp_path / "ds"
    words = ("--synth", "drums", "--count", 12, "--rate", 8000, "--length", 0.1, "--split", "1,0,0", "--jobs", 1)
    assert run("prep", *words, "-o", folder, "-q").status == 0
    return folder


def config_of(folder):
    return json.loads((folder / CONFIG).read_text())["config"]


def test_labels_come_from_the_data_only_where_they_are_asked_for(run, dataset, tmp_path):
    plain, labelled = tmp_path / "plain", tmp_path / "labelled"
    assert run("train", "drum-vae", dataset, *TINY, "-o", plain).status == 0
    assert config_of(plain)["labels"] == []
    assert run("train", "drum-vae", dataset, *TINY, "--set", "is_conditional=yes", "-o", labelled).status == 0
    config = config_of(labelled)
    assert config["labels"] == sorted(set(config["labels"]))
    assert sum(config["label_counts"]) == 12
    wanted = config["labels"][0]
    assert run("generate", labelled, "-n", 2, "--class", wanted, "-o", tmp_path / "made", "-q").status == 0
    refused = run("generate", plain, "-n", 2, "--class", wanted, "-o", tmp_path / "none")
    assert refused.status == 2
    assert "trained without labels" in refused.err
    resumed = run("train", "--resume", "-o", labelled, "--steps", 2, "--device", "cpu")
    assert resumed.rows[0]["steps"] == 2


def test_one_label_is_too_few_for_a_configuration_that_asks(run, dataset, tmp_path):
    (label,) = {row["label"] for row in map(json.loads, (dataset / "metadata.jsonl").read_text().splitlines()[:1])}
    words = ("train", "drum-vae", dataset, *TINY, "--only", label, "-o")
    refused = run(*words, tmp_path / "labelled", "--set", "is_conditional=yes")
    assert refused.status == 4
    assert "training on classes needs two or more" in refused.err
    assert not (tmp_path / "labelled").exists()
    assert run(*words, tmp_path / "plain").status == 0
