"""Reading a published state dict: what a process of its own does with a file that nobody vouches for.

The file is read by torch's weights-only reader, which runs no code of it. NumPy arrays, which stand beside the weights
in some files, are built by an explicit list of NumPy's own functions; anything else ends the reading.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray
from safetensors.torch import save

from stereokit.errors import BadInputError
from stereokit.models.drum_classifier.outside import PUBLISHED, published
from stereokit.workflows.outside_weights import WEIGHTS_SCHEMA
from stereokit.writing import write_file

# Where weights stand in a file that holds more.
_WRAPPED = "model"
_COUNTER = "num_batches_tracked"
_REAL = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_MOST_TOLD = 80

_reconstruct = multiarray._reconstruct  # noqa: SLF001 - what arrays in files name
# Under the names of NumPy 2 and 1.
_ARRAYS: list[Any] = [
    (_reconstruct, "numpy.core.multiarray._reconstruct"),
    (_reconstruct, "numpy._core.multiarray._reconstruct"),
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("bool", "uint8", "int32", "int64", "float32", "float64")),
]


@dataclass(frozen=True)
class Task:
    """What to read, as what, and where to write it; ``target`` None writes nothing."""

    source: Path
    network: str
    target: Path | None


@dataclass(frozen=True)
class Found:
    """What was in it: how many tensors, numbers that learn, and labels."""

    tensors: int
    parameters: int
    labels: int


def convert(task: Task) -> Found:
    """Read a published file and write its weights as safetensors.

    Raises
    ------
    BadInputError
        When it is none, asks for more than weights, or does not fit the network.
    OutputError
        When the target cannot be written.
    """
    tensors, labels = _fitting(_state(_read(task.source)), task.network)
    with torch.device("meta"):
        parameters = sum(one.numel() for one in published(task.network, labels).parameters())
    if task.target is not None:
        about = {"schema": WEIGHTS_SCHEMA, "network": task.network, "labels": json.dumps(labels)}
        write_file(task.target, save(tensors, about))
    return Found(len(tensors), parameters, labels)


def _read(path: Path) -> object:
    try:
        # what a sparse tensor says of itself is checked, before anything trusts it
        checked = torch.sparse.check_sparse_tensor_invariants()  # type: ignore[no-untyped-call]
        with torch.serialization.safe_globals(_ARRAYS), checked:
            # published files are pickles, and there is no other reader; this one runs nothing but what the list names
            return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        text = str(error)
        if asked := re.search(r"GLOBAL ([\w.]+)", text):
            raise BadInputError(f"asks for {asked[1][:_MOST_TOLD]}, which no weights need: it was not run") from error
        first = (text.splitlines() or [""])[0][:_MOST_TOLD]
        raise BadInputError(f"is no file of weights: {type(error).__name__}: {first}") from error


def _state(content: object) -> Mapping[str, torch.Tensor]:
    """Return the state dict of a file, or the one under ``model``, beside which nothing is looked at."""
    if isinstance(content, Mapping) and isinstance(content.get(_WRAPPED), Mapping):
        content = content[_WRAPPED]
    if not isinstance(content, Mapping) or not content:
        raise BadInputError(f"holds no state dict, and none under {_WRAPPED!r}")
    for name, tensor in content.items():
        if not isinstance(name, str) or type(tensor) is not torch.Tensor or tensor.layout is not torch.strided:
            raise BadInputError(f"holds {str(name)[:_MOST_TOLD]!r}, which is no plain tensor with a name")
    return content


def _fitting(state: Mapping[str, torch.Tensor], network: str) -> tuple[dict[str, torch.Tensor], int]:
    """Return the tensors of a network as float32, and of how many labels they are."""
    final = PUBLISHED[network]
    if final not in state or state[final].ndim == 0:
        raise BadInputError(f"lacks {final}: it is no {network}")
    labels = len(state[final])
    with torch.device("meta"):
        wanted = published(network, max(labels, 1)).state_dict()
    if odd := sorted(name for name in wanted.keys() ^ state.keys() if not name.endswith(_COUNTER)):
        what = "lacks" if odd[0] in wanted else "holds"
        raise BadInputError(f"{what} {odd[0][:_MOST_TOLD]}: it is no {network}")
    found = {}
    for name, declared in wanted.items():
        tensor = state.get(name, torch.zeros((), dtype=torch.int64) if name.endswith(_COUNTER) else None)
        if tensor is None or tensor.shape != declared.shape:
            shape = None if tensor is None else tuple(tensor.shape)
            raise BadInputError(f"{name} has shape {shape}, not {tuple(declared.shape)}: it is no {network}")
        if declared.is_floating_point() and not (tensor.dtype in _REAL and tensor.isfinite().all()):
            raise BadInputError(f"{name} is {tensor.dtype}, or holds NaN or infinity")
        found[name] = tensor.to(declared.dtype).contiguous().clone()
    return found, labels
