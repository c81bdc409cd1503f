"""Folders of clips that are filled as a whole or not at all.

Clips are made in a hidden folder inside and put in place together, a description last: a folder without it is
unfinished, and the next run completes it.
"""

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from stereokit.data.tables import METADATA
from stereokit.errors import BadInputError, OutputError, UsageError
from stereokit.writing import (
    contained_path,
    locked,
    make_folder,
    move_file,
    remove_file,
    sync_batch,
    uninterrupted,
    write_file,
)

LOCK = ".stereokit-lock"

# New clips wait here until all of them are made.
_STAGING = ".stereokit-new"


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that a command makes.

    Attributes
    ----------
    name
        For messages.
    description
        The JSON file that is written last.
    schema
        Of the description; by it we know our own.
    folders
        Inside, where the clips lie; without any they lie in the folder itself.
    """

    name: str
    description: str
    schema: str
    folders: tuple[str, ...] = ()

    def may_be_left(self, name: str) -> bool:
        """Tell whether an unfinished folder may hold an entry of this name."""
        clips = fnmatchcase(name, "*.wav") if not self.folders else name in self.folders
        return clips or name in (LOCK, _STAGING, METADATA)


def check_target(folder: Path, kind: FolderKind, *, force: bool) -> None:
    """Refuse to write where something else is.

    Raises
    ------
    UsageError
        For a finished folder without ``force``, and for one that holds anything of another kind.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"-o {folder}: is a file; give a folder")
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise OutputError(f"-o {folder}: {error.strerror}") from error
    if kind.description in names and not force:
        raise UsageError(f"-o {folder}: is a finished {kind.name}; --force rebuilds it")
    if kind.description in names and not _is_ours(folder, kind):
        raise UsageError(f"-o {folder}: its {kind.description} is another program's; give a new or empty folder")
    is_unfinished = LOCK in names and all(map(kind.may_be_left, names))
    if names and kind.description not in names and not is_unfinished:
        raise UsageError(f"-o {folder}: holds other files; give a new or empty folder")


def _is_ours(folder: Path, kind: FolderKind) -> bool:
    try:
        return str(json.loads((folder / kind.description).read_bytes())["schema"]) == kind.schema
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return False


class Staging:
    """The new content of a folder, beside the one that may be in its place."""

    def __init__(self, folder: Path, kind: FolderKind) -> None:
        self._folder = folder
        self._kind = kind
        self._staging = folder / _STAGING
        for inner in kind.folders or (".",):
            make_folder(self._staging / inner)

    def staged(self, file_name: str) -> Path:
        """Return where what will be ``file_name`` is written for now."""
        return self._staging / file_name

    def drop(self, file_name: str) -> None:
        """Take a written clip back."""
        remove_file(self.staged(file_name))

    def put_in_place(self, names: Sequence[str], description: Mapping[str, object]) -> None:
        """Replace the clips that the old manifest names by the staged ones, their manifest and the description.

        Parameters
        ----------
        names
            Of the staged clips; their ``metadata.jsonl`` is staged, too.
        description
            Without its schema.

        Raises
        ------
        OutputError
            When the disk is full or the like; what was there stays.
        """
        replaced = {*listed_clips(self._folder), *(self._folder / name for name in names)}
        # All that needs room on the disk is written before the old content is touched.
        text = json.dumps({"schema": self._kind.schema, **description}, indent=1, allow_nan=False) + "\n"
        write_file(self.staged(self._kind.description), text.encode())
        for inner in self._kind.folders:
            make_folder(self._folder / inner)
        sync_batch()
        # Each step can be taken back, so that one that fails leaves the old content as it was.
        with uninterrupted(), contextlib.ExitStack() as undo:
            old = [self._folder / self._kind.description, self._folder / METADATA, *sorted(replaced)]
            for number, path in enumerate(path for path in old if path.exists()):
                _move(path, self._staging / f"old-{number}", undo)
            for name in (*names, METADATA, self._kind.description):
                _move(self.staged(name), self._folder / name, undo)
            undo.pop_all()


def _move(source: Path, target: Path, undo: contextlib.ExitStack) -> None:
    move_file(source, target)
    undo.callback(move_file, target, source)


@contextlib.contextmanager
def filling(folder: Path, kind: FolderKind) -> Iterator[Staging]:
    """Hold the folder's lock and what will be in it; what was not put in place is gone afterwards.

    Raises
    ------
    LockedError
        When another process fills it.
    OutputError
        When the folder cannot be written.
    """
    is_new = not folder.exists()
    make_folder(folder)
    with locked(folder / LOCK):
        try:
            _remove_staged(folder)
            yield Staging(folder, kind)
        finally:
            _remove_staged(folder)
            if is_new and not (folder / kind.description).exists():
                _remove_empty(folder, kind)


def _remove_empty(folder: Path, kind: FolderKind) -> None:
    """Remove a new folder; with clips in it, it keeps its lock, by which the next run knows and completes it."""
    with contextlib.suppress(OSError):
        for inner in kind.folders:
            if (folder / inner).exists():
                (folder / inner).rmdir()
        if [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()


def _remove_staged(folder: Path) -> None:
    staging = folder / _STAGING
    try:
        if staging.exists():
            shutil.rmtree(staging)
    except OSError as error:
        raise OutputError(f"cannot remove {staging}: {error.strerror}") from error


def listed_clips(folder: Path) -> Iterable[Path]:
    """Return the clips that the manifest in place names."""
    try:
        lines = (folder / METADATA).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        try:
            yield contained_path(folder, str(json.loads(line)["file_name"]))
        except (ValueError, KeyError, TypeError, BadInputError):
            continue
