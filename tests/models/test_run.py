"""What a run is believed: its configuration, its weights, and nothing that would run code."""

import json
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import toy_family
from safetensors.torch import load_file, save_file

from stereokit.errors import BadInputError
from stereokit.models._run import load_run, read_config, run_fingerprint
from stereokit.training.checkpoint import CONFIG, MODEL


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    with toy_family.installed():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return toy_family.write_run(tmp_path / "run")


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((folder / CONFIG).read_text())
    change(record)
    (folder / CONFIG).write_text(json.dumps(record))


def edit_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / MODEL)
    change(tensors)
    save_file(tensors, folder / MODEL)


def refused(folder: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        load_run(folder)
    text = str(caught.value)
    assert text.startswith(str(folder))
    assert "\n" not in text
    return text


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def test_a_run_comes_back_as_it_was_trained(tmp_path: Path) -> None:
    run = load_run(toy_family.write_run(tmp_path / "run", seconds=0.25, widths=(3, 5), ending="sudden", seed=7))
    assert (run.family, run.preset) == (toy_family.FAMILY, "tiny")
    assert run.config == toy_family.ToyConfig(seconds=0.25, widths=(3, 5), ending="sudden")
    assert run.data["clips"] == 3
    assert run.training["precision"] == "32-true"
    torch.manual_seed(7)
    wanted = toy_family.Model(run.config).state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in run.model.state_dict().items())
    assert not run.model.training
    assert not any(parameter.requires_grad for parameter in run.model.parameters())


def test_a_fingerprint_tells_models_apart_and_is_the_same_wherever_a_run_lies(tmp_path: Path) -> None:
    first = load_run(toy_family.write_run(tmp_path / "first")).fingerprint
    assert load_run(toy_family.write_run(tmp_path / "copy")).fingerprint == first
    assert run_fingerprint(tmp_path / "copy") == first
    assert len(first) == 32
    assert load_run(toy_family.write_run(tmp_path / "weights", seed=1)).fingerprint != first
    assert load_run(toy_family.write_run(tmp_path / "config", gain=0.25)).fingerprint != first


def test_the_order_of_fields_in_the_file_is_no_part_of_the_fingerprint(folder: Path) -> None:
    before = load_run(folder).fingerprint
    edit(folder, lambda record: record.update(config=dict(reversed(record["config"].items()))))
    assert load_run(folder).fingerprint == before


@pytest.mark.parametrize("missing", [CONFIG, MODEL])
def test_a_run_without_one_of_its_files_is_refused_by_name(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert missing in refused(folder)


def test_a_folder_that_is_no_run_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    assert "is no run" in refused(tmp_path)
    assert "is no run" in refused(tmp_path / "gone")


def test_a_pipe_in_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    (folder / MODEL).unlink()
    os.mkfifo(folder / MODEL)
    assert "lacks model.safetensors" in refused(folder)


CANARY = """
import pathlib, pickle, sys
class Canary:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(sys.argv[1]),)
sys.stdout.buffer.write(pickle.dumps(Canary(), protocol=int(sys.argv[2])))
"""


@pytest.mark.parametrize("name", [CONFIG, MODEL])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_renamed_pickle_is_refused_and_none_of_its_code_runs(folder: Path, name: str, protocol: int) -> None:
    mark = folder / "canary"
    words = [sys.executable, "-c", CANARY, str(mark), str(protocol)]
    data = subprocess.run(words, capture_output=True, check=True).stdout
    # so long that its length gives nothing away
    padded = data.ljust((folder / name).stat().st_size, b" ")
    (folder / name).write_bytes(padded)
    assert name in refused(folder)
    assert not mark.exists()
    pickle.loads(padded)  # noqa: S301 - the canary does sing
    assert mark.exists()


@pytest.mark.parametrize("kept", [0, 7, 200, -1])
def test_a_truncated_file_of_weights_is_refused(folder: Path, kept: int) -> None:
    data = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(data[:kept])
    assert MODEL in refused(folder)


def test_a_truncated_configuration_is_refused(folder: Path) -> None:
    data = (folder / CONFIG).read_bytes()
    (folder / CONFIG).write_bytes(data[: len(data) // 2])
    assert "is not JSON" in refused(folder)


@pytest.mark.parametrize("position", [0, 3, 9, 100])
def test_an_altered_header_of_the_weights_is_refused(folder: Path, position: int) -> None:
    data = bytearray((folder / MODEL).read_bytes())
    data[position] ^= 0x5A
    (folder / MODEL).write_bytes(data)
    assert MODEL in refused(folder)


def test_weights_that_are_not_finite_are_refused_by_name(folder: Path) -> None:
    edit_tensors(folder, lambda tensors: tensors["layers.1.bias"].fill_(float("nan")))
    assert "layers.1.bias holds NaN" in refused(folder)


def test_weights_of_another_model_are_refused(folder: Path, tmp_path: Path) -> None:
    other = toy_family.write_run(tmp_path / "other", widths=(8, 9))
    (folder / MODEL).write_bytes((other / MODEL).read_bytes())
    assert MODEL in refused(folder)
    same_size = {"a": torch.zeros(131), "b": torch.zeros(8)}
    save_file(same_size, folder / MODEL)
    assert MODEL in refused(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda record: record.update(schema="other/1"), "schema is 'other/1'"),
        (lambda record: record.pop("schema"), "schema is None"),
        (lambda record: record.update(family="nobody"), "unknown family 'nobody'"),
        (lambda record: record.update(family="../toy"), "unknown family"),
        (lambda record: record.update(family=["toy"]), r"family is ['toy'], not a text"),
        (lambda record: record.update(preset=3), "preset is 3"),
        (lambda record: record.update(config=[]), "config is []"),
        (lambda record: record.update(data=None), "data is None"),
        (lambda record: record.pop("training"), "training is None"),
        (lambda record: record["config"].pop("gain"), "config lacks gain"),
        (lambda record: record["config"].update(colour="red"), "config has 'colour', which toy does not know"),
        (lambda record: record["config"].update(latent="4"), "latent is '4': must be a whole number"),
        (lambda record: record["config"].update(latent=4.0), "latent is 4.0: must be a whole number"),
        (lambda record: record["config"].update(latent=True), "latent is True: must be a whole number"),
        (lambda record: record["config"].update(latent=10**400), "latent is 1000"),
        (lambda record: record["config"].update(gain=float("nan")), "gain is nan: must be a number"),
        (lambda record: record["config"].update(gain=None), "gain is None"),
        (lambda record: record["config"].update(is_wide=1), "is_wide is 1: must be a truth value"),
        (lambda record: record["config"].update(ending="abrupt"), "ending is 'abrupt': must be one of faded, sudden"),
        (lambda record: record["config"].update(ending={}), "ending is {}"),
        (lambda record: record["config"].update(widths=8), "widths is 8: must be a list"),
        (lambda record: record["config"].update(widths=[8, "8"]), "widths is '8': must be a whole number"),
        (lambda record: record["config"].update(widths=[8, -8]), "no model can be built"),
        (lambda record: record["config"].update(sample_rate=5), "sample_rate is 5: must be from 1000 to 768000"),
        (lambda record: record["config"].update(seconds=-1.0), "seconds is -1.0: must be from"),
    ],
)
def test_what_a_configuration_may_not_say_is_refused_with_its_value(
    folder: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    edit(folder, change)
    assert said in refused(folder)


def test_a_whole_number_where_a_fraction_is_declared_is_that_fraction(folder: Path) -> None:
    edit(folder, lambda record: record["config"].update(gain=1))
    config = read_config(folder).config
    assert (config.gain, type(config.gain)) == (1.0, float)


@pytest.mark.parametrize("latent", [10**7, 10**9, 10**12])
def test_huge_declared_layers_are_refused_before_memory_is_taken(folder: Path, latent: int) -> None:
    edit(folder, lambda record: record["config"].update(latent=latent))
    before = peak_bytes()
    assert "is cut off, or of another model" in refused(folder)
    assert peak_bytes() - before < 50e6


def test_a_huge_file_of_weights_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / MODEL).open("r+b") as file:
        file.truncate(1 << 40)
    before = peak_bytes()
    assert "of another model" in refused(folder)
    assert peak_bytes() - before < 50e6
