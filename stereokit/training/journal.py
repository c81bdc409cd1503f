"""``log.jsonl`` of a run: one JSON object a line, for every logged step, every validation and every alarm."""

import json
from collections.abc import Mapping
from pathlib import Path

from stereokit.errors import BadInputError
from stereokit.training.checkpoint import LOG
from stereokit.writing import append_file, write_file


def append_line(run: Path, fields: Mapping[str, object]) -> None:
    """Add a line; it has a ``step``, and ``undone`` once steps were given up by going back.

    Raises
    ------
    OutputError
        When it cannot be written; the lines before stay whole.
    """
    append_file(run / LOG, (json.dumps(fields, allow_nan=False) + "\n").encode())


def cut_after(run: Path, taken: int) -> None:
    """Drop lines of later steps than the checkpoint's, and what a process that died left half-written.

    ``taken`` counts all steps, those that were given up included, so that lines of before a return stay.
    """
    path = run / LOG
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    write_file(path, b"".join(line for line in lines if _is_of(line, taken)))


def _is_of(line: bytes, taken: int) -> bool:
    try:
        fields = json.loads(line) if line.endswith(b"\n") else {}
        own = (fields["step"], fields.get("undone", 0))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return all(isinstance(one, int) for one in own) and sum(own) <= taken
