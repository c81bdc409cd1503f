"""Tables with a row a file: labels in CSV, and the ``metadata.jsonl`` of data sets."""

import contextlib
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stereokit.data.sources import Refusal, Source, json_row
from stereokit.data.text import nfc, printable
from stereokit.errors import BadInputError, UsageError
from stereokit.writing import contained_path

METADATA = "metadata.jsonl"

TableRow = Mapping[str, object]


@dataclass(frozen=True)
class FileTable:
    """Columns by file.

    Attributes
    ----------
    folder
        What the file names are relative to.
    rows
        By composed (NFC) relative path with slashes; ``file_name`` itself is left out.
    columns
        All columns but ``file_name``, in order of appearance.
    refused
        Rows that were not usable, and why.
    """

    folder: Path
    rows: dict[str, TableRow]
    columns: tuple[str, ...]
    refused: tuple[Refusal, ...]

    def key_of(self, source: Source) -> str | None:
        """Return the row's key for a source, found by its place below the table or in what was given; else None."""
        candidates = [source.key]
        # A source that lies elsewhere still has its place in what was given.
        with contextlib.suppress(ValueError):
            candidates.insert(0, source.path.resolve().relative_to(self.folder.resolve()).as_posix())
        return next((key for key in map(nfc, candidates) if key in self.rows), None)


def read_table(path: Path) -> FileTable:
    """Read a CSV with a header, or a JSONL manifest; both have a column ``file_name``.

    Raises
    ------
    UsageError
        When it does not exist or has no such column.
    BadInputError
        When it is not readable text.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    read_rows = _jsonl_rows if path.suffix.lower() == ".jsonl" else _csv_rows
    rows: dict[str, TableRow] = {}
    columns: dict[str, None] = {}
    refused: list[Refusal] = []
    for number, row in read_rows(text, path):
        try:
            name = _file_name(row, path.parent)
        except BadInputError as error:
            refused.append(Refusal(f"{path.name} line {number}", str(error)))
            continue
        rows[nfc(name)] = {column: value for column, value in row.items() if column != "file_name"}
        columns.update(dict.fromkeys(rows[nfc(name)]))
    return FileTable(path.parent, rows, tuple(columns), tuple(refused))


def _file_name(row: TableRow, folder: Path) -> str:
    if "error" in row:
        raise BadInputError(str(row["error"]))
    name = row.get("file_name")
    if not isinstance(name, str):
        raise BadInputError("has no file_name")
    return contained_path(folder, name).relative_to(folder).as_posix()


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, TableRow]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if "file_name" not in (reader.fieldnames or ()):
        columns = printable(", ".join(reader.fieldnames or ())) or "none"
        raise UsageError(f"{path}: has no column file_name (columns: {columns})")
    try:
        for row in reader:
            if None in row:
                yield reader.line_num, {"error": "has more cells than the header"}
                continue
            # A column without a name is the row number that pandas writes.
            yield reader.line_num, {column: value or "" for column, value in row.items() if column}
    except csv.Error as error:
        raise BadInputError(f"{path} line {reader.line_num}: is not CSV: {error}") from error


def _jsonl_rows(text: str, path: Path) -> Iterator[tuple[int, TableRow]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = json_row(line)
        yield number, {"error": "is not a JSON object of text and finite numbers"} if row is None else row


def manifest_above(folder: Path) -> FileTable | None:
    """Return the ``metadata.jsonl`` of a data set's folder or of one of its splits; None without one."""
    for place in (folder, folder.parent):
        if (place / METADATA).is_file():
            return read_table(place / METADATA)
    return None
