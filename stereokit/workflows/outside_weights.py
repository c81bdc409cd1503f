"""Weights from outside, as ``import-weights`` writes them: safetensors that say of which network they are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from stereokit.errors import BadInputError, UsageError
from stereokit.training.checkpoint import read_tensors

WEIGHTS_SCHEMA = "stereokit.weights/1"


@dataclass(frozen=True)
class OutsideWeights:
    """Weights of a published network.

    Attributes
    ----------
    network
        Its name.
    fingerprint
        BLAKE2b of the file.
    tensors
        By their published names.
    """

    network: str
    fingerprint: str
    tensors: Mapping[str, torch.Tensor]


def read_outside_weights(path: Path) -> OutsideWeights:
    """Read what ``import-weights`` wrote.

    Raises
    ------
    UsageError
        When there is no such file.
    BadInputError
        When it is of another kind, or damaged.
    """
    if not path.is_file():
        raise UsageError(f"--weights {path}: is no file; stereokit import-weights makes one")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BadInputError(f"{path}: is no whole safetensors file: stereokit import-weights makes one") from error
    if about.get("schema") != WEIGHTS_SCHEMA or "network" not in about:
        raise BadInputError(
            f"{path}: does not say of which network it is: stereokit import-weights makes one that does"
        )
    tensors = read_tensors(path)
    return OutsideWeights(about["network"], hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest(), tensors)
