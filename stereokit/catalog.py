"""Names of what a room holds, read from its files without importing them.

A feature, distance, score, search, model family or representation is a public module (or folder) in its
room; its name is the module's with hyphens. Nothing has to be registered anywhere.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from stereokit.errors import UsageError

# kind -> (the package whose modules are the entries, the attribute that each module declares)
_ROOMS = {
    "feature": ("stereokit.metrics.features", "FEATURE"),
    "distance": ("stereokit.metrics.distances", "DISTANCE"),
    "score": ("stereokit.metrics.scores", "SCORE"),
    "search": ("stereokit.metrics.searches", "search"),
    "layout": ("stereokit.metrics.layouts", "LAYOUT"),
    "propagation": ("stereokit.metrics.propagation", "PROPAGATION"),
    "synth": ("stereokit.data.synth", "VOICE"),
    "augmentation": ("stereokit.data.augmentation", "AUGMENTATION"),
    "degradation": ("stereokit.data.degradation", "DEGRADATION"),
    "renderer": ("stereokit.data.midi.renderers", "RENDERER"),
    "family": ("stereokit.models", "FAMILY"),
    "representation": ("stereokit.representations", "REPRESENTATION"),
}

KINDS = tuple(_ROOMS)
# What a person chooses by name; searches are chosen by size, representations by a family's configuration.
LISTED_KINDS = tuple(kind for kind in KINDS if kind not in ("search", "representation"))


def names(kind: str) -> list[str]:
    """List the entries of one kind, sorted.

    Raises
    ------
    KeyError
        For a kind that is not in ``KINDS``.

    >>> names("distance")
    ['emd', 'l1', 'l2']
    """
    package, _ = _ROOMS[kind]
    room = Path(__file__).parent.joinpath(*package.split(".")[1:])
    if not room.is_dir():
        return []
    entries = (
        path.stem
        for path in room.iterdir()
        if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    )
    return sorted(entry.replace("_", "-") for entry in entries if not entry.startswith("_"))


@cache
def load(kind: str, name: str) -> Any:
    """Import the entry and return what its module declares.

    Raises
    ------
    UsageError
        Naming the valid entries.
    """
    valid = names(kind)
    if name not in valid:
        raise UsageError(f"unknown {kind} {name!r}: choose from {', '.join(valid) or '(none yet)'}")
    package, attribute = _ROOMS[kind]
    return getattr(import_module(f"{package}.{name.replace('-', '_')}"), attribute)
