"""Published state dicts to safetensors: their shapes, the wrappers around them, and files that mean harm."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stereokit.errors import BadInputError, UsageError
from stereokit.models.drum_classifier.outside import published
from stereokit.workflows.outside_weights import read_outside_weights
from stereokit.workflows.published_weights import Task, convert

LABELS = 527


@cache
def state_of(network, labels=LABELS):
    """Return a state dict of the published shapes, whose file is small: each tensor is one number, told many times."""
    with torch.device("meta"):
        declared = published(network, labels).state_dict()
    return {name: torch.full((), 0.5, dtype=one.dtype).expand(one.shape) for name, one in declared.items()}


def saved(path, content):
    torch.save(content, path)
    return path


def planned(path, network="cnn14"):
    return convert(Task(path, network, None))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "tensors", "parameters"), [("cnn14", 84, 80_753_615), ("cnn14-dla", 91, 81_834_492)]
)
def test_audio_networks_have_the_published_shapes(tmp_path, network, tensors, parameters):
    found = planned(saved(tmp_path / "a.pth", {"model": state_of(network)}), network)
    assert (found.tensors, found.parameters, found.labels) == (tensors, parameters, LABELS)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [("resnet50", 25_557_032), pytest.param("resnest50", 27_483_240, marks=pytest.mark.slow)],
)
def test_picture_networks_are_plain_state_dicts_and_may_lack_counters(tmp_path, network, parameters):
    state = {name: one for name, one in state_of(network, 1_000).items() if not name.endswith("num_batches_tracked")}
    found = planned(saved(tmp_path / "a.pth", state), network)
    assert (found.parameters, found.labels) == (parameters, 1_000)


def test_arrays_beside_the_weights_are_read_past(tmp_path):
    sampler = {"indexes": np.arange(5), "weights": np.ones(3), "flags": np.array([True]), "pointer": 7, "queue": [1]}
    content = {"iteration": 600_000, "model": state_of("resnet50", 4), "sampler": sampler}
    assert planned(saved(tmp_path / "a.pth", content), "resnet50").labels == 4


def test_what_is_written_says_what_it_is_and_holds_the_same_numbers(tmp_path):
    state = {name: one.clone() for name, one in state_of("resnet50", 4).items()}
    state["fc.bias"] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    convert(Task(saved(tmp_path / "a.pth", {"model": state}), "resnet50", tmp_path / "a.safetensors"))
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        assert file.metadata() == {"schema": "stereokit.weights/1", "network": "resnet50", "labels": "4"}
    weights = read_outside_weights(tmp_path / "a.safetensors")
    assert weights.network == "resnet50"
    assert weights.tensors.keys() == state.keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in weights.tensors.items())


class Canary:
    """Leaves a file behind when it is unpickled by a reader that runs code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("place", ["weights", "beside"])
@pytest.mark.parametrize("is_zipped", [True, False])
def test_a_file_that_asks_for_code_is_refused_and_runs_none(tmp_path, place, is_zipped):
    canary = Canary(tmp_path / "sung")
    state = state_of("resnet50", 4)
    content = {"model": state | {"fc.bias": canary}} if place == "weights" else {"model": state, "sampler": canary}
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=is_zipped)
    with pytest.raises(BadInputError, match=r"asks for \w+\.mkdir, which no weights need"):
        planned(tmp_path / "a.pth", "resnet50")
    assert not (tmp_path / "sung").exists()
    # it does sing to a reader that runs code
    torch.load(tmp_path / "a.pth", weights_only=False)
    assert (tmp_path / "sung").exists()


def test_an_array_of_objects_is_refused(tmp_path):
    content = {"model": state_of("resnet50", 4), "sampler": np.array([{"a": 1}], dtype=object)}
    with pytest.raises(BadInputError, match=r"asks for|no file of weights"):
        planned(saved(tmp_path / "a.pth", content), "resnet50")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no file of weights"),
        (b"PK\x03\x04 not a zip", "no file of weights"),
        ([1, 2], "holds no state dict"),
        ({}, "holds no state dict"),
        ({"model": {}}, "holds no state dict"),
        ({"a": 1}, "holds 'a', which is no plain tensor"),
        ({"a": torch.ones(2)}, "lacks fc.weight: it is no resnet50"),
        ({"fc.weight": torch.ones(3, 2_048)}, "lacks bn1.bias: it is no resnet50"),
        ({"fc.weight": torch.ones(3, 2_048).to_sparse()}, "no plain tensor"),
    ],
    ids=["empty", "no zip", "list", "nothing", "nothing inside", "number", "no head", "head alone", "sparse"],
)
def test_what_is_no_state_dict_of_the_network_is_refused(tmp_path, content, reason):
    if isinstance(content, bytes):
        (tmp_path / "a.pth").write_bytes(content)
    else:
        saved(tmp_path / "a.pth", content)
    with pytest.raises(BadInputError, match=reason):
        planned(tmp_path / "a.pth", "resnet50")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"layer1.0.conv1.weight": torch.ones(3)}, r"layer1\.0\.conv1\.weight has shape \(3,\), not \(64, 64, 1, 1\)"),
        ({"fc.bias": torch.ones(5)}, r"fc\.bias has shape \(5,\), not \(4,\)"),
        ({"bn1.bias": torch.full((64,), torch.nan)}, "bn1.bias is torch.float32, or holds NaN"),
        ({"bn1.bias": torch.ones(64, dtype=torch.int64)}, "bn1.bias is torch.int64"),
        ({"extra": torch.ones(1)}, "holds extra: it is no resnet50"),
    ],
    ids=["shape", "labels", "nan", "type", "unknown"],
)
def test_one_tensor_that_does_not_fit_is_named(tmp_path, change, reason):
    with pytest.raises(BadInputError, match=reason):
        planned(saved(tmp_path / "a.pth", state_of("resnet50", 4) | change), "resnet50")


@pytest.mark.slow
def test_the_command_reads_in_a_process_of_its_own_and_tells_what_it_found(run, tmp_path):
    source = saved(tmp_path / "a.pth", state_of("resnet50", 4))
    result = run("import-weights", source, "--as", "resnet50", "-o", tmp_path / "a.safetensors", "--dry-run")
    assert result.status == 0, result.err
    (row,) = result.rows
    assert row["schema"] == "stereokit.import-weights/1"
    assert (row["status"], row["network"], row["labels"]) == ("planned", "resnet50", 4)
    canary = saved(tmp_path / "b.pth", {"model": Canary(tmp_path / "sung")})
    refused = run("import-weights", canary, "--as", "resnet50", "-o", tmp_path / "a.safetensors")
    assert refused.status == 4
    assert "b.pth: asks for" in refused.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pth", "b.pth"]


def test_words_that_do_not_fit_are_refused(run, tmp_path):
    source = saved(tmp_path / "a.pth", {})
    (tmp_path / "there").write_text("mine")
    for words, reason in (
        ((source, "--as", "vgg", "-o", tmp_path / "out"), "choose from cnn14, cnn14-dla, resnet50, resnest50"),
        ((tmp_path / "none", "--as", "cnn14", "-o", tmp_path / "out"), "none: is no file"),
        ((source, "--as", "cnn14", "-o", tmp_path / "there"), "--force replaces it"),
        ((source, "--as", "cnn14", "-o", tmp_path), "is a folder"),
        ((source, "--as", "cnn14", "-o", source, "--force"), "the input itself"),
    ):
        result = run("import-weights", *words)
        assert result.status == 2
        assert reason in result.err
    assert (tmp_path / "there").read_text() == "mine"


def test_only_what_import_weights_wrote_is_taken_by_train(tmp_path):
    with pytest.raises(UsageError, match="is no file"):
        read_outside_weights(tmp_path / "none")
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BadInputError, match="does not say of which network"):
        read_outside_weights(tmp_path / "other.safetensors")
    Path(tmp_path / "broken").write_bytes(b"12345678{")
    with pytest.raises(BadInputError, match="no whole safetensors file"):
        read_outside_weights(tmp_path / "broken")
