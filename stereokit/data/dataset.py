"""A data set on disk: three splits, ``metadata.jsonl`` with a row a clip, ``dataset.json`` once it is whole.

``dataset.json`` is written last: a folder without it is unfinished, and the next run completes it.
"""

import contextlib
import hashlib
import json
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from stereokit import __version__
from stereokit.data.splits import SPLITS
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

DESCRIPTION = "dataset.json"
LOCK = ".stereokit-lock"
DATASET_SCHEMA = "stereokit.dataset/1"

# New clips wait here until all of them are made, so that a data set is replaced as a whole or not at all.
_STAGING = ".stereokit-new"
_VERSIONED = ("numpy", "soundfile", "soxr")


def check_target(folder: Path, *, force: bool) -> None:
    """Refuse to write where something else is.

    Raises
    ------
    UsageError
        For a finished data set without ``force``, and for a folder that holds anything but a data set.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"-o {folder}: is a file; give a folder")
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise OutputError(f"-o {folder}: {error.strerror}") from error
    if DESCRIPTION in names and not force:
        raise UsageError(f"-o {folder}: is a finished data set; --force rebuilds it")
    if DESCRIPTION in names and not _is_ours(folder / DESCRIPTION):
        raise UsageError(f"-o {folder}: its {DESCRIPTION} is another program's; give a new or empty folder")
    if names and not names & {DESCRIPTION, LOCK}:
        raise UsageError(f"-o {folder}: holds other files; give a new or empty folder")


def _is_ours(description: Path) -> bool:
    try:
        return str(json.loads(description.read_bytes())["schema"]) == DATASET_SCHEMA
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return False


class DatasetWriter:
    """Builds a data set beside the one that may be in its place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staging = folder / _STAGING
        for split in SPLITS:
            make_folder(self._staging / split)

    def staged(self, file_name: str) -> Path:
        """Return where the clip that will be ``file_name`` is written for now."""
        return self._staging / file_name

    def drop(self, file_name: str) -> None:
        """Take a written clip back."""
        remove_file(self.staged(file_name))

    def finish(
        self,
        rows: Sequence[Mapping[str, object]],
        *,
        settings: Mapping[str, object],
        counts: Mapping[str, object],
    ) -> str:
        """Put the clips in place, write the manifest and the description, and return the fingerprint.

        Parameters
        ----------
        rows
            A row a clip, with ``file_name``, ``sha256`` and ``label``; written in the order of the names.
        settings, counts
            For ``dataset.json``.
        """
        ordered = sorted(rows, key=lambda row: str(row["file_name"]).encode())
        names = [str(row["file_name"]) for row in ordered]
        replaced = {*_listed_clips(self._folder), *(self._folder / name for name in names)}
        lines = [json.dumps(row, allow_nan=False) + "\n" for row in ordered]
        description = {
            "schema": DATASET_SCHEMA,
            "fingerprint": fingerprint(ordered),
            "settings": settings,
            "counts": counts,
            "versions": versions(),
        }
        # All that needs room on the disk is written before the old data set is touched.
        write_file(self.staged(METADATA), "".join(lines).encode())
        write_file(self.staged(DESCRIPTION), (json.dumps(description, indent=1, allow_nan=False) + "\n").encode())
        for split in SPLITS:
            make_folder(self._folder / split)
        sync_batch()
        # A folder without its description is unfinished, and the next run completes it. Each step can be taken back,
        # so that one that fails leaves the old data set as it was.
        with uninterrupted(), contextlib.ExitStack() as undo:
            old = [self._folder / DESCRIPTION, self._folder / METADATA, *sorted(replaced)]
            for number, path in enumerate(path for path in old if path.exists()):
                _move(path, self._staging / f"old-{number}", undo)
            for name in (*names, METADATA, DESCRIPTION):
                _move(self.staged(name), self._folder / name, undo)
            undo.pop_all()
        return str(description["fingerprint"])


def _move(source: Path, target: Path, undo: contextlib.ExitStack) -> None:
    move_file(source, target)
    undo.callback(move_file, target, source)


@contextlib.contextmanager
def building(folder: Path) -> Iterator[DatasetWriter]:
    """Hold the data set's lock and a writer; what was not finished is gone afterwards.

    Raises
    ------
    LockedError
        When another process builds it.
    OutputError
        When the folder cannot be written.
    """
    is_new = not folder.exists()
    make_folder(folder)
    with locked(folder / LOCK):
        try:
            _remove_staged(folder)
            yield DatasetWriter(folder)
        finally:
            _remove_staged(folder)
            if is_new and not (folder / DESCRIPTION).exists():
                _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    """Remove a new folder; with clips in it, it keeps its lock, by which the next run knows and completes it."""
    with contextlib.suppress(OSError):
        for split in SPLITS:
            if (folder / split).exists():
                (folder / split).rmdir()
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


def _listed_clips(folder: Path) -> Iterable[Path]:
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


def fingerprint(rows: Iterable[Mapping[str, object]]) -> str:
    """Return BLAKE2b over each clip's name, bytes and label: equal data sets have equal fingerprints."""
    state = hashlib.blake2b(digest_size=16)
    for row in rows:
        state.update(f"{row['file_name']}\0{row['sha256']}\0{row.get('label') or ''}\n".encode())
    return state.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions that a clip's bytes depend on."""
    found = {name: metadata.version(name) for name in _VERSIONED}
    return {"stereokit": __version__, "python": platform.python_version(), **found}
