"""``log.jsonl`` of a run: one JSON object a line, for every logged step and every validation."""

import json
from collections.abc import Mapping
from pathlib import Path

from stereokit.errors import BadInputError
from stereokit.training.checkpoint import LOG
from stereokit.writing import append_file, write_file


def append_line(run: Path, fields: Mapping[str, object]) -> None:
    """Add a line; it has a ``step``.

    Raises
    ------
    OutputError
        When it cannot be written; the lines before stay whole.
    """
    append_file(run / LOG, (json.dumps(fields, allow_nan=False) + "\n").encode())


def cut_after(run: Path, step: int) -> None:
    """Drop lines of later steps than the checkpoint's, and what a process that died left half-written."""
    path = run / LOG
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    write_file(path, b"".join(line for line in lines if _is_of(line, step)))


def _is_of(line: bytes, step: int) -> bool:
    try:
        own = json.loads(line)["step"] if line.endswith(b"\n") else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return isinstance(own, int) and own <= step
