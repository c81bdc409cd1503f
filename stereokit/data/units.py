"""Units of work: inputs in, files and facts out; known by a key, made again when an input or a plan changes."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path, PurePath
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from stereokit.data.dataset import versions
from stereokit.data.preparation import Output, Prepared, output_path
from stereokit.data.records import SourceRecord
from stereokit.errors import BadInputError

Task = TypeVar("Task")
Task_contra = TypeVar("Task_contra", contravariant=True)


@dataclass(frozen=True)
class Unit:
    """What one source becomes.

    Attributes
    ----------
    key
        Its name among the sources.
    target
        What its files are called: the name of the only one; others have a suffix after the stem.
    inputs
        The files that it reads, the source first; none for a procedural sound.
    plan
        A digest (``plan_digest``) of all else that decides the bytes and facts of its files.
    columns
        JSON of what its rows say beside that: label, group and the like. Another one changes rows, never a file.
    parent
        The key of the source that it is a variant of; empty for a source.
    """

    key: str
    target: str
    inputs: tuple[Path, ...]
    plan: str
    columns: str = "{}"
    parent: str = ""


class Stat(NamedTuple):
    """What tells without reading that inputs are as they were."""

    size: int
    mtime_ns: int
    ctime_ns: int
    more_inputs: str


GONE = Stat(-1, -1, -1, "")


def plan_digest(plan: Mapping[str, object]) -> str:
    """Return a digest of a plan that JSON can hold."""
    text = json.dumps(plan, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@cache
def _attempt() -> str:
    return plan_digest(versions())


def plan_of(unit: Unit, status: str) -> str:
    """Return the plan of a unit's record: what failed is tried again by another version of what reads sound."""
    return f"{unit.plan}@{_attempt()}" if status == "failed" else unit.plan


def stat_inputs(inputs: tuple[Path, ...]) -> Stat:
    """Look at inputs without opening them."""
    if not inputs:
        return Stat(0, 0, 0, "")
    try:
        found = [os.stat(path) for path in inputs]  # noqa: PTH116 - ten thousand at a time
    except (OSError, ValueError):
        return GONE
    first, *others = [(one.st_size, one.st_mtime_ns, one.st_ctime_ns) for one in found]
    return Stat(*first, json.dumps(others) if others else "")


def content_of(inputs: tuple[Path, ...]) -> str:
    """Return the SHA-256 of one file, or of the SHA-256 of several.

    Raises
    ------
    BadInputError
        When one cannot be read.
    """
    digests = []
    for path in inputs:
        try:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise BadInputError(f"cannot be read: {error.strerror}") from error
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


class Function(Protocol[Task_contra]):
    """What makes a task's files: ``prepare`` with its settings, and its like; picklable."""

    def __call__(self, task: Task_contra, /) -> Prepared:
        """Write the files of a task and return what they are."""


@dataclass(frozen=True)
class Order(Generic[Task]):
    """A task with its inputs, and the content that they had when the files in place were made (empty: make anew)."""

    task: Task
    inputs: tuple[Path, ...]
    known: str


@dataclass(frozen=True)
class Outcome:
    """What an order gave; without ``prepared`` its inputs are what they were, and nothing was made."""

    content: str
    prepared: Prepared | None


def carry_out(function: Function[Task], order: Order[Task]) -> Outcome:
    """Make an order's files, unless its inputs hold what they held; runs in a worker.

    Raises
    ------
    BadInputError
        As the function does, and for an input that cannot be read.
    """
    if order.known:
        content = content_of(order.inputs)
        return Outcome(content, None if content == order.known else function(order.task))
    # The function has limits and its own words for a file that it cannot take: it comes before the hash.
    prepared = function(order.task)
    return Outcome(content_of(order.inputs), prepared)


class MadeFile(NamedTuple):
    """An output with the time stamp that it got when it was staged."""

    output: Output
    mtime_ns: int


def made_to_json(prepared: Prepared, mtimes_ns: tuple[int, ...]) -> str:
    """Return a result as text."""
    plain: dict[str, Any] = {one.name: getattr(prepared, one.name) for one in fields(prepared)}
    plain["outputs"] = [
        [output.name, output.facts, output.sha256, output.size, mtime_ns]
        for output, mtime_ns in zip(prepared.outputs, mtimes_ns, strict=True)
    ]
    plain["fingerprint"] = None if prepared.fingerprint is None else prepared.fingerprint.hex()
    return json.dumps(plain)


def made_from_json(text: str) -> tuple[Prepared, tuple[MadeFile, ...]]:
    """Return a result and its files; the reverse of ``made_to_json``."""
    plain = json.loads(text)
    files = tuple(MadeFile(Output(*one[:4]), one[4]) for one in plain["outputs"])
    plain["outputs"] = tuple(file.output for file in files)
    plain["fingerprint"] = None if plain["fingerprint"] is None else bytes.fromhex(plain["fingerprint"])
    return Prepared(**plain), files


def file_names(record: SourceRecord) -> list[tuple[str, MadeFile]]:
    """Return the names (without folder) and results of the files that a record's unit gave."""
    if not record.made:
        return []
    return [
        (output_path(PurePath(record.target), file.output.name).as_posix(), file)
        for file in made_from_json(record.made)[1]
    ]
