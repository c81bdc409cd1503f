"""A data set on disk: three splits, ``metadata.jsonl`` with a row a clip, ``dataset.json`` once it is whole."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata

from stereokit import __version__

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
