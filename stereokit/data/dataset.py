"""A data set on disk: three splits, ``metadata.jsonl`` with a row a clip, ``dataset.json`` once it is whole."""

import contextlib
import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from stereokit import __version__
from stereokit.data import staging
from stereokit.data.splits import SPLITS
from stereokit.data.staging import FolderKind, Staging
from stereokit.data.tables import METADATA
from stereokit.writing import write_file

DESCRIPTION = "dataset.json"
DATASET_SCHEMA = "stereokit.dataset/1"

_KIND = FolderKind("data set", DESCRIPTION, DATASET_SCHEMA, SPLITS)
_VERSIONED = ("numpy", "soundfile", "soxr")


def check_target(folder: Path, *, force: bool) -> None:
    """Refuse to write where something else is.

    Raises
    ------
    UsageError
        For a finished data set without ``force``, and for a folder that holds anything but a data set.
    """
    staging.check_target(folder, _KIND, force=force)


class DatasetWriter:
    """Builds a data set beside the one that may be in its place."""

    def __init__(self, staged: Staging) -> None:
        self._staging = staged
        self.staged = staged.staged
        self.drop = staged.drop

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
        lines = [json.dumps(row, allow_nan=False) + "\n" for row in ordered]
        write_file(self.staged(METADATA), "".join(lines).encode())
        digest = fingerprint(ordered)
        description = {"fingerprint": digest, "settings": settings, "counts": counts, "versions": versions()}
        self._staging.put_in_place(names, description)
        return digest


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
    with staging.filling(folder, _KIND) as staged:
        yield DatasetWriter(staged)


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
