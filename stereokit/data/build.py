"""The machine of ``prep`` and ``render-midi``: it builds a data set so that nothing is lost or done twice.

A build is killed at any moment, and the next one continues: what was made waits in a staging folder, recorded in the
catalogue in batches; when all of it is there, the catalogue takes the new content and the steps that lead to it in one
commit, and the steps are done. A build that finds such steps does them first.

A command gives its sources as ``Unit`` and a picklable function ``(task) -> Prepared`` that writes a task's files:

>>> from pathlib import Path
>>> from stereokit.data.units import Unit, plan_digest
>>> unit = Unit("set/a.wav", "a-1234.wav", (Path("set/a.wav"),), plan_digest({"rate": 44_100}), '{"label": "kick"}')

1. ``build_place.look_at(place, force=...)`` reads the catalogue, ``build_changes.find_changes(...)`` says what there
   is to do. When that is nothing, nothing is opened for writing.
2. ``with building(place) as build:`` holds the lock (75 when another process does), finishes what a killed run left
   and gives ``build.snapshot``: ask ``find_changes`` again, another process may have been here.
3. ``build.make(units, ...)`` makes units and yields a record each; more than once, for units that follow from others.
4. ``build.finish(...)`` puts files, manifest and description in place. Without it, what was made waits for the next
   run; ``build.discard()`` lets it go.

``workflows/build_run.py`` does all of that for a command, with its rows and counts.
"""

import contextlib
import shutil
from collections.abc import Iterator

from stereokit.data.build_place import Place, look_at
from stereokit.data.build_work import Build
from stereokit.data.catalogue import JOURNAL_SUFFIX, Catalogue, DamagedCatalogueError, UnfinishedCatalogueError
from stereokit.data.splits import SPLITS
from stereokit.data.staging import LOCK
from stereokit.errors import OutputError
from stereokit.writing import locked, make_folder, remove_file


@contextlib.contextmanager
def building(place: Place, *, force: bool) -> Iterator[Build]:
    """Hold a data set's lock and its catalogue, and finish the switch of a run that was killed.

    A new folder to which nothing came is gone afterwards; what was made and not finished waits in an old or new one.

    Parameters
    ----------
    place
        Of the data set.
    force
        Whether a catalogue that cannot be read is made anew.

    Raises
    ------
    LockedError
        When another process builds it.
    UsageError, BadInputError, OutputError
        As ``look_at`` does, or when the folder cannot be written.
    """
    is_new = not place.folder.exists()
    make_folder(place.folder)
    with locked(place.folder / LOCK):
        has_catalogue, has_made = place.catalogue.exists(), False
        try:
            # Once more under the lock: another process may have been here since the first look.
            with contextlib.suppress(UnfinishedCatalogueError):
                look_at(place, force=force)
            with contextlib.closing(_open(place, force=force)) as catalogue:
                build = Build(place, catalogue)
                # A catalogue of ours that knows nothing goes as one does that this run has made.
                has_catalogue = has_catalogue and build.snapshot.has_content
                try:
                    yield build
                finally:
                    has_made = build.has_made or build.snapshot.has_content
        finally:
            if not has_made and not has_catalogue:
                shutil.rmtree(place.staging, ignore_errors=True)
                with contextlib.suppress(OutputError):
                    _remove_catalogue(place)
            if not has_made and is_new:
                _remove_folder(place)


def _open(place: Place, *, force: bool) -> Catalogue:
    try:
        return Catalogue(place.catalogue)
    except DamagedCatalogueError:
        if not force:
            raise
        _remove_catalogue(place)
        return Catalogue(place.catalogue)


def _remove_catalogue(place: Place) -> None:
    remove_file(place.catalogue)
    remove_file(place.catalogue.with_name(place.catalogue.name + JOURNAL_SUFFIX))


def _remove_folder(place: Place) -> None:
    """Remove a new folder to which nothing came."""
    with contextlib.suppress(OSError):
        for split in SPLITS:
            if (place.folder / split).exists():
                (place.folder / split).rmdir()
        if [path.name for path in place.folder.iterdir()] == [LOCK]:
            (place.folder / LOCK).unlink()
            place.folder.rmdir()
