"""A folder of converted sounds: what is there already and still holds, and a row for each that comes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stereokit.data.sources import json_row
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA
from stereokit.errors import BadInputError, OutputError, UsageError
from stereokit.workflows.enhance_settings import OPTIONS
from stereokit.workflows.events import Json
from stereokit.writing import append_file, contained_path, write_file

DESCRIPTION = "enhanced.json"
FOLDER_SCHEMA = "stereokit.enhanced/1"


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    BadInputError
        When it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}") from error


def check_folder(folder: Path, made_by: Mapping[str, Json], *, force: bool) -> None:
    """Refuse to write where something else is, or where sounds were made otherwise.

    Raises
    ------
    UsageError
        For a folder that holds anything of another kind, and without ``force`` for other settings.
    OutputError
        When it cannot be listed.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"-o {folder}: is a file; give a folder, or a name that ends in .wav")
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise OutputError(f"-o {folder}: {error.strerror}") from error
    if not names - {LOCK}:
        return
    described = _description(folder)
    if described is None:
        raise UsageError(f"-o {folder}: holds other files; give a new or empty folder")
    if force:
        return
    for name, value in made_by.items():
        if described.get(name) != value:
            told = f"{OPTIONS.get(name, name)} was {described.get(name)}, not {value}"
            raise UsageError(f"-o {folder}: holds sounds that were made otherwise: {told}; --force makes them anew")


def _description(folder: Path) -> dict[str, object] | None:
    try:
        row = json_row((folder / DESCRIPTION).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return row if row is not None and row.get("schema") == FOLDER_SCHEMA else None


@dataclass
class Folder:
    """The folder under its lock.

    Attributes
    ----------
    path
        Where it is.
    rows
        Of all that is known in it, by file name.
    """

    path: Path
    rows: dict[str, dict[str, object]] = field(default_factory=dict)

    def begin(self, made_by: Mapping[str, Json], *, force: bool) -> None:
        """Describe the folder, and read what an earlier run left."""
        text = json.dumps({"schema": FOLDER_SCHEMA, **made_by}, indent=1) + "\n"
        _write_changed(self.path / DESCRIPTION, text)
        if force or not (self.path / METADATA).exists():
            return
        for line in (self.path / METADATA).read_text("utf-8", errors="replace").splitlines():
            # a line that a power cut tore is no row: its sound is made again
            row = json_row(line)
            if row is not None and isinstance(row.get("file_name"), str):
                self.rows[str(row["file_name"])] = row

    def holds(self, file_name: str, source: Path) -> bool:
        """Tell whether a result is there, whole, and of the source as it is now."""
        row = self.rows.get(file_name)
        if row is None:
            return False
        target = contained_path(self.path, file_name)
        if not target.is_file() or file_digest(source) != row.get("source_sha256"):
            return False
        return file_digest(target) == row.get("sha256")

    def note(self, row: Mapping[str, Json]) -> None:
        """Add the row of a result that is in its place."""
        self.rows[str(row["file_name"])] = dict(row)
        append_file(self.path / METADATA, (json.dumps(row, allow_nan=False) + "\n").encode())

    def end(self) -> None:
        """Write the manifest in order, each result once."""
        lines = [json.dumps(self.rows[name], allow_nan=False) + "\n" for name in sorted(self.rows)]
        _write_changed(self.path / METADATA, "".join(lines))


def _write_changed(path: Path, text: str) -> None:
    """Write a file, unless it holds the same already."""
    if not path.is_file() or path.read_bytes() != text.encode():
        write_file(path, text.encode())
