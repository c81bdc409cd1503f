"""A data set on disk: three splits, ``metadata.jsonl`` with a row a clip, ``dataset.json`` once it is whole."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from stereokit import __version__
from stereokit.data.sources import json_row
from stereokit.errors import UsageError

DESCRIPTION = "dataset.json"
DATASET_SCHEMA = "stereokit.dataset/1"

_VERSIONED = ("numpy", "soundfile", "soxr")


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


def piped_dataset(lines: Iterable[str]) -> Path:
    """Return the data set that the rows of ``prep`` or ``render-midi`` on a pipe tell of, in their summary.

    Raises
    ------
    UsageError
        When there is no such row: what made it has failed, or was told to be quiet.
    """
    for line in lines:
        row = json_row(line)
        if row is not None and row.get("status") == "done" and isinstance(row.get("dataset"), str):
            return Path(str(row["dataset"]))
    raise UsageError("DATASET -: no row on the pipe names a data set: pipe prep or render-midi into this")
