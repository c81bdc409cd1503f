"""Where a data set is built: whether it may be, and the names that a build uses there."""

import json
from dataclasses import dataclass
from pathlib import Path

from stereokit.data.catalogue import CATALOGUE, JOURNAL_SUFFIX, DamagedCatalogueError, look
from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.records import Snapshot
from stereokit.data.splits import SPLITS
from stereokit.data.staging import LOCK
from stereokit.data.tables import METADATA
from stereokit.errors import OutputError, UsageError

# New files wait here until all of them are made.
STAGING = ".stereokit-new"


@dataclass(frozen=True)
class Place:
    """A data set's folder, and its catalogue where that lies elsewhere.

    Attributes
    ----------
    folder
        Of the data set.
    catalog
        A file outside of it; None for the catalogue inside.
    """

    folder: Path
    catalog: Path | None = None

    @property
    def catalogue(self) -> Path:
        """The catalogue's file."""
        return self.folder / CATALOGUE if self.catalog is None else self.catalog

    @property
    def staging(self) -> Path:
        """The folder for what is not in place yet."""
        return self.folder / STAGING

    @property
    def identity(self) -> str:
        """What a catalogue outside says of the data set that it belongs to; one inside moves with it."""
        return "" if self.catalog is None else str(self.folder.resolve())


def look_at(place: Place, *, force: bool) -> Snapshot:
    """Return what is known of a data set, or nothing for a new one; nothing is written.

    Parameters
    ----------
    place
        Of the data set.
    force
        Whether a data set without a catalogue, or with one that cannot be read, is made anew.

    Raises
    ------
    UsageError
        When something else is there, or a data set whose catalogue is missing.
    DamagedCatalogueError, UnfinishedCatalogueError, OutputError
        As ``catalogue.look`` does.
    """
    names = _names(place.folder)
    if not names:
        return Snapshot()
    _check_description(place.folder, names)
    if place.catalogue.exists():
        try:
            snapshot = look(place.catalogue)
        except DamagedCatalogueError:
            if not force:
                raise
            return Snapshot()
        theirs = snapshot.description.get("folder", place.identity)
        if theirs != place.identity and not force:
            raise UsageError(f"--catalog {place.catalogue}: belongs to {theirs or 'the data set around it'}")
        if snapshot.has_content or force or DESCRIPTION not in names:
            return snapshot
    if DESCRIPTION in names and not force:
        where = (
            "has its catalogue inside: leave --catalog away"
            if place.catalog and CATALOGUE in names
            else "has no catalogue"
        )
        raise UsageError(
            f"-o {place.folder}: is a finished data set that {where} (made by an older version or with --catalog); "
            f"--force rebuilds it"
        )
    if DESCRIPTION not in names and not (LOCK in names and all(map(_may_be_left, names))):
        raise UsageError(f"-o {place.folder}: holds other files; give a new or empty folder")
    return Snapshot()


def _names(folder: Path) -> set[str]:
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"-o {folder}: is a file; give a folder")
        return {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise OutputError(f"-o {folder}: {error.strerror}") from error


def _check_description(folder: Path, names: set[str]) -> None:
    if DESCRIPTION not in names:
        return
    try:
        is_ours = str(json.loads((folder / DESCRIPTION).read_bytes())["schema"]) == DATASET_SCHEMA
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        is_ours = CATALOGUE in names
    if not is_ours:
        raise UsageError(f"-o {folder}: its {DESCRIPTION} is another program's; give a new or empty folder")


def _may_be_left(name: str) -> bool:
    return name in (LOCK, STAGING, METADATA, CATALOGUE, CATALOGUE + JOURNAL_SUFFIX, *SPLITS)
