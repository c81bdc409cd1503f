"""Tables with a row a file: labels in CSV, and the ``metadata.jsonl`` of data sets."""

import contextlib
import csv
import io
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stereokit.data.sources import Found, Refusal, Source, json_row, read_text
from stereokit.data.text import nfc
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
    is_jsonl = path.suffix.lower() == ".jsonl"
    numbered = _jsonl_rows(read_text(path)) if is_jsonl else csv_rows(path, "file_name")
    rows: dict[str, TableRow] = {}
    columns: dict[str, None] = {}
    refused: list[Refusal] = []
    for number, row in numbered:
        try:
            name, given = _checked(row, path.parent, rows.keys())
        except BadInputError as error:
            refused.append(Refusal(f"{path.name} line {number}", str(error)))
            continue
        rows[name] = given
        columns.update(dict.fromkeys(given))
    return FileTable(path.parent, rows, tuple(columns), tuple(refused))


def _checked(row: TableRow | str, folder: Path, seen: Container[str]) -> tuple[str, TableRow]:
    """Return a row's file name and its other columns; a text in place of a row says why there is none."""
    if isinstance(row, str):
        raise BadInputError(row)
    name = row.get("file_name")
    if not isinstance(name, str):
        raise BadInputError("has no file_name")
    key = nfc(contained_path(folder, name).relative_to(folder).as_posix())
    if key in seen:
        raise BadInputError(f"is a second row for {key!r}: one file has one row")
    return key, {column: value for column, value in row.items() if column != "file_name"}


def csv_rows(path: Path, *needed: str) -> Iterator[tuple[int, TableRow | str]]:
    """Yield the rows of a CSV file with their line numbers; a text in place of a row says why there is none.

    Raises
    ------
    UsageError
        When it cannot be opened, lacks a needed column, or has a column twice.
    BadInputError
        When it is no CSV.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True, skipinitialspace=True)
    try:
        columns = list(reader.fieldnames or ())
        told = ", ".join(columns[:20]) or "none"
        if missing := [column for column in needed if column not in columns]:
            raise UsageError(f"{path}: has no column {missing[0]} (columns: {told})")
        if twice := [column for column in columns if column and columns.count(column) > 1]:
            raise UsageError(f"{path}: has the column {twice[0]} twice")
        for row in reader:
            if None in row:
                yield reader.line_num, "has more cells than the header"
            elif any("\0" in (value or "") for value in row.values()):
                yield reader.line_num, "holds a NUL byte"
            else:
                # A column without a name is the row number that pandas writes.
                yield reader.line_num, {column: value or "" for column, value in row.items() if column}
    except csv.Error as error:
        raise BadInputError(f"{path} line {reader.line_num + 1}: is not CSV: {error}") from error


def _jsonl_rows(text: str) -> Iterator[tuple[int, TableRow | str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = json_row(line)
        yield number, "is not a JSON object of text and finite numbers" if row is None else row


def manifest_of(folder: Path, *, or_above: bool = False) -> FileTable | None:
    """Return the ``metadata.jsonl`` of a folder (or of the one above, for a split of a data set); None without one."""
    for place in (folder, folder.parent) if or_above else (folder,):
        if (place / METADATA).is_file():
            return read_table(place / METADATA)
    return None


def with_manifest(found: Found, given: str, *, or_above: bool = False) -> Found:
    """Give the sources of a folder the columns that its ``metadata.jsonl`` has for them."""
    table = manifest_of(Path(given), or_above=or_above) if given != "-" and Path(given).is_dir() else None
    if table is None:
        return found
    sources = []
    for source in found.sources:
        key = table.key_of(source)
        sources.append(source if key is None else replace(source, row=dict(table.rows[key])))
    return Found(sources, [*found.refused, *table.refused])
