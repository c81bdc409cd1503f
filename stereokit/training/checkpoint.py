"""A run on disk: ``model.safetensors`` (the EMA), ``config.json``, ``log.jsonl`` and ``training/`` to go on from.

Nothing is pickled or unpickled: tensors are safetensors, everything else is JSON.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from stereokit.errors import BadInputError
from stereokit.writing import make_folder, write_file

MODEL, CONFIG, LOG, TRAINING = "model.safetensors", "config.json", "log.jsonl", "training"
CONFIG_SCHEMA = "stereokit.run/1"

# A header or a list of numbers larger than this is no run of ours.
_JSON_LIMIT_BYTES = 16 << 20

Tensors = dict[str, torch.Tensor]


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write named tensors; each gets memory of its own, as safetensors asks."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_file(path, save(plain))


def read_tensors(path: Path) -> Tensors:
    """Read named tensors.

    Raises
    ------
    BadInputError
        When the file is missing, truncated or not safetensors.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_tensors(data, path)


def parse_tensors(data: bytes, path: Path) -> Tensors:
    """Return the named tensors that a file holds.

    Raises
    ------
    BadInputError
        When its bytes are truncated or not safetensors.
    """
    try:
        return load(data)
    except SafetensorError as error:
        raise BadInputError(f"{path}: is no whole safetensors file: {error}") from error


def write_json(path: Path, value: object) -> None:
    """Write JSON; NaN is refused, being none."""
    write_file(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    BadInputError
        When it is missing, too large or no JSON object.
    """
    try:
        if path.stat().st_size > _JSON_LIMIT_BYTES:
            raise BadInputError(f"{path}: is larger than {_JSON_LIMIT_BYTES >> 20} MiB")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{path}: is not JSON") from error
    if not isinstance(value, dict):
        raise BadInputError(f"{path}: is no JSON object")
    return value


def load_weights(module: nn.Module, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Copy tensors into a module's parameters and buffers.

    Raises
    ------
    BadInputError
        Naming the first tensor that is missing, unknown, of another shape, or not finite.
    """
    wanted = module.state_dict()
    if missing := sorted(wanted.keys() - tensors.keys()):
        raise BadInputError(f"{path}: lacks {missing[0]} and {len(missing) - 1} more tensors")
    if unknown := sorted(tensors.keys() - wanted.keys()):
        raise BadInputError(f"{path}: holds {unknown[0]}, which the model does not have")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape or tensor.dtype != wanted[name].dtype:
            raise BadInputError(
                f"{path}: {name} is {tensor.dtype} {tuple(tensor.shape)}, "
                f"the model's is {wanted[name].dtype} {tuple(wanted[name].shape)}"
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise BadInputError(f"{path}: {name} holds NaN or infinity")
    module.load_state_dict(dict(tensors))


def optimiser_state(optimiser: torch.optim.Optimizer) -> tuple[Tensors, dict[str, Any]]:
    """Split an optimiser's state into tensors and JSON: ``number.entry`` tensors and everything else."""
    state = optimiser.state_dict()
    tensors: Tensors = {}
    scalars: dict[str, Any] = {"param_groups": state["param_groups"], "state": {}}
    for number, entries in state["state"].items():
        for name, value in entries.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{number}.{name}"] = value
            else:
                scalars["state"].setdefault(str(number), {})[name] = value
    return tensors, scalars


def load_optimiser(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor], scalars: Mapping[str, Any], path: Path
) -> None:
    """Put back what ``optimiser_state`` took.

    Raises
    ------
    BadInputError
        When it belongs to other parameters.
    """
    state: dict[int, dict[str, Any]] = {int(number): dict(entries) for number, entries in scalars["state"].items()}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    try:
        optimiser.load_state_dict({"state": state, "param_groups": scalars["param_groups"]})
    except (ValueError, KeyError) as error:
        raise BadInputError(f"{path}: belongs to another optimiser: {error}") from error


def start_run(run: Path, config: Mapping[str, Any]) -> None:
    """Make a run's folder with its configuration."""
    make_folder(run / TRAINING)
    write_json(run / CONFIG, {"schema": CONFIG_SCHEMA, **config})
