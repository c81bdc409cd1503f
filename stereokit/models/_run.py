"""A trained model, read from the folder that training left. Everything in it is checked before it is used.

Nothing in a run is code: tensors are safetensors, the rest is JSON.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch

from stereokit import catalog
from stereokit.errors import BadInputError, UsageError
from stereokit.models._family import Family
from stereokit.training.checkpoint import (
    CONFIG,
    CONFIG_SCHEMA,
    MODEL,
    load_weights,
    parse_tensors,
    read_json,
)
from stereokit.training.trainer import Model

# The names, shapes and places of the tensors in front of them.
_HEADER_LIMIT_BYTES = 16 << 20


@dataclass(frozen=True)
class Record:
    """What a run says about itself, checked as far as every command needs it.

    Attributes
    ----------
    folder
        Of the run.
    family, preset, config
        What was trained; the configuration may have been changed from the preset's.
    data, training
        On what and how, as training wrote it.
    """

    folder: Path
    family: Family
    preset: str
    config: Any
    data: Mapping[str, Any]
    training: Mapping[str, Any]


@dataclass(frozen=True)
class Run(Record):
    """A run with its model.

    Attributes
    ----------
    model
        The chosen average, on the CPU, in evaluation mode; its parameters need no gradients.
    fingerprint
        BLAKE2b over the configuration and the bytes of the weights: equal models have equal fingerprints.
    """

    model: Model
    fingerprint: str


def read_config(folder: Path) -> Record:
    """Read what a run says about itself.

    Raises
    ------
    BadInputError
        Naming the file and what is wrong in it.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise BadInputError(f"{folder}: is no run: it has no {CONFIG}")
    record = read_json(path)
    if record.get("schema") != CONFIG_SCHEMA:
        raise BadInputError(f"{path}: is no run's: its schema is {_told(record.get('schema'))}, not {CONFIG_SCHEMA!r}")
    for name, kind in (("family", str), ("preset", str), ("config", dict), ("data", dict), ("training", dict)):
        if not isinstance(record.get(name), kind):
            raise BadInputError(f"{path}: {name} is {_told(record.get(name))}, not a {_KINDS[kind]}")
    try:
        family: Family = catalog.load("family", record["family"])
        config = configured(family, record["config"])
    except UsageError as error:
        raise BadInputError(f"{path}: {error}") from error
    return Record(folder, family, record["preset"], config, record["data"], record["training"])


def configured(family: Family, values: Mapping[str, Any]) -> Any:
    """Return a family's configuration of values from JSON.

    Raises
    ------
    UsageError
        When a field is missing, unknown, of another type than declared, or out of its range.
    """
    kind = type(next(iter(family.presets.values())))
    types = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    if missing := [name for name in names if name not in values]:
        raise UsageError(f"config lacks {missing[0]}")
    if unknown := sorted(values.keys() - set(names)):
        raise UsageError(f"config has {_told(unknown[0])}, which {family.name} does not know")
    try:
        return kind(**{name: _typed(name, values[name], types[name]) for name in names})
    except (ArithmeticError, ValueError) as error:
        raise UsageError(f"config is impossible: {error}") from error


def load_run(folder: Path) -> Run:
    """Read a run and its model; the weights take no memory before their shapes are known to fit.

    Raises
    ------
    BadInputError
        Naming the file and what is wrong in it; no code in it is run.
    """
    record = read_config(folder)
    path = _weights_path(folder)
    build = record.family.load_model()
    needed, held = _bytes_declared(build, record), path.stat().st_size
    if not needed < held <= needed + _HEADER_LIMIT_BYTES:
        raise BadInputError(
            f"{path}: holds {held} bytes, where the model of {CONFIG} needs {needed} and a header: "
            "it is cut off, or of another model"
        )
    data = _bytes_of(path)
    model: Model = build(record.config)
    load_weights(model, parse_tensors(data, path), path)
    return Run(
        **{field.name: getattr(record, field.name) for field in fields(Record)},
        model=model.eval().requires_grad_(requires_grad=False),
        fingerprint=_fingerprint(record.config, data),
    )


def run_fingerprint(folder: Path) -> str:
    """Return the fingerprint that ``load_run`` gives, without building the model.

    Raises
    ------
    BadInputError
        When the run cannot be read.
    """
    return _fingerprint(read_config(folder).config, _bytes_of(_weights_path(folder)))


def _weights_path(folder: Path) -> Path:
    path = folder / MODEL
    if not path.is_file():
        raise BadInputError(f"{folder}: lacks {MODEL}: its training has saved no model yet")
    return path


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error


def _bytes_declared(build: Callable[[Any], Model], record: Record) -> int:
    """Return the bytes of the weights that a configuration declares, without taking them."""
    try:
        with torch.device("meta"):
            declared = build(record.config).state_dict()
    except (ArithmeticError, RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInputError(f"{record.folder / CONFIG}: no model can be built of its config: {reason}") from error
    return sum(tensor.numel() * tensor.element_size() for tensor in declared.values())


def _fingerprint(config: Any, data: bytes) -> str:
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    state = hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16)
    state.update(data)
    return state.hexdigest()


_KINDS: dict[type, str] = {str: "text", dict: "JSON object", bool: "truth value", int: "whole number", float: "number"}


def _typed(name: str, value: Any, declared: Any) -> Any:
    """Return a value of JSON as the type that its field declares."""
    if get_origin(declared) is Literal:
        if value in get_args(declared):
            return value
        raise UsageError(f"{name} is {_told(value)}: must be one of {', '.join(map(str, get_args(declared)))}")
    if get_origin(declared) is tuple and isinstance(value, list):
        return tuple(_typed(name, part, get_args(declared)[0]) for part in value)
    # JSON writes 1.0 as 1 in other programs; a truth value is an int to Python
    if declared is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    is_sane = type(value) is declared
    if declared is float:
        is_sane = is_sane and math.isfinite(value)
    if declared is int:
        is_sane = is_sane and abs(value) < 2**63
    if not is_sane:
        raise UsageError(f"{name} is {_told(value)}: must be a {_KINDS.get(declared, 'list')}")
    return value


def _told(value: object) -> str:
    """Show a value of a file in an error of one line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
