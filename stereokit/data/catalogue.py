"""What a data set was made from and what it holds: a SQLite file beside its clips.

The journal is a rollback journal, which works on every disk that SQLite works on, and every commit is synced. Looking
opens the file for reading only: nothing is written, not even a lock.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from stereokit.data.records import OutputRecord, Snapshot, SourceRecord, Step
from stereokit.errors import BadInputError, OutputError, UsageError

CATALOGUE = ".stereokit-catalog.sqlite"
JOURNAL_SUFFIX = "-journal"

# Marks the file as ours ("STKT"), and the form of its tables.
_APPLICATION = 0x53544B54
_VERSION = 1
_SYNCHRONOUS = "FULL"
_BUSY_SECONDS = 5.0

_COLUMNS = """
    key TEXT PRIMARY KEY, parent TEXT NOT NULL, path TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, more_inputs TEXT NOT NULL,
    content TEXT NOT NULL, plan TEXT NOT NULL, target TEXT NOT NULL, columns TEXT NOT NULL,
    status TEXT NOT NULL, reason TEXT NOT NULL, place TEXT NOT NULL, made TEXT NOT NULL
"""
_TABLES = (
    "CREATE TABLE description (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # What was made of a source is long: in a table of another form it would fill pages badly.
    f"CREATE TABLE sources ({_COLUMNS})",
    f"CREATE TABLE pending ({_COLUMNS})",
    """CREATE TABLE outputs (
    file_name TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, verified_at REAL NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE steps (number INTEGER PRIMARY KEY, action TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL)",
)


class DamagedCatalogueError(BadInputError):
    """The file is no catalogue any more."""


class UnfinishedCatalogueError(OutputError):
    """A run was killed while it wrote the catalogue: only a run that may write can tell what is in it."""


def look(path: Path) -> Snapshot:
    """Read a catalogue without writing anything, and without what became of each source.

    Raises
    ------
    UnfinishedCatalogueError
        When a killed run's last commit must be taken back first.
    UsageError, DamagedCatalogueError, OutputError
        When it is another program's, damaged or not readable.
    """
    with _told(path, is_reading=True):
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        with contextlib.closing(connection):
            connection.execute("BEGIN")
            return _read(connection, with_made=False) if _check_form(connection, path) else Snapshot()


class Catalogue:
    """A catalogue that may be written; its folder's lock is held.

    Parameters
    ----------
    path
        Of the file; made when missing.

    Raises
    ------
    UsageError, DamagedCatalogueError, OutputError
        When it is another program's, damaged, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _told(path):
            self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._connection.execute("PRAGMA journal_mode = DELETE")
                self._connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS}")
                if not _check_form(self._connection, path):
                    self._make_tables()
            except BaseException:
                self._connection.close()
                raise

    def _make_tables(self) -> None:
        with self._writing() as connection:
            for table in _TABLES:
                connection.execute(table)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")

    def read(self) -> Snapshot:
        """Return all that it knows."""
        with _told(self.path):
            return _read(self._connection, with_made=True)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Commit what is written in the block, all or nothing."""
        with _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._commit()
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _commit(self) -> None:
        self._connection.execute("COMMIT")

    def describe(self, description: Mapping[str, str]) -> None:
        """Set entries of the description."""
        with self._writing() as connection:
            _describe(connection, description)

    def add_pending(self, records: Iterable[SourceRecord]) -> None:
        """Remember what a run has made."""
        with self._writing() as connection:
            _describe(connection, {"state": "building"})
            _insert(connection, "pending", records)

    def forget_pending(self, keys: Iterable[str] | None = None) -> None:
        """Forget what a run has made: these keys, or all."""
        with self._writing() as connection:
            if keys is None:
                connection.execute("DELETE FROM pending")
            else:
                connection.executemany("DELETE FROM pending WHERE key = ?", ((key,) for key in keys))

    def verified(self, outputs: Iterable[OutputRecord]) -> None:
        """Replace the records of files in place."""
        with self._writing() as connection:
            _insert(connection, "outputs", outputs)

    def switch(self, new: Snapshot) -> None:
        """Replace all content by ``new``, whose steps are still to be done; only differences are written."""
        old = self.read()
        with self._writing() as connection:
            for table, ours, theirs in (
                ("sources", old.sources, new.sources),
                ("outputs", old.outputs, new.outputs),
            ):
                name = "key" if table == "sources" else "file_name"
                gone = [(key,) for key in ours if key not in theirs]
                connection.executemany(f"DELETE FROM {table} WHERE {name} = ?", gone)  # noqa: S608 - our own names
                _insert(connection, table, (row for key, row in theirs.items() if ours.get(key) != row))
            connection.execute("DELETE FROM pending")
            connection.execute("DELETE FROM steps")
            numbered = ((number, *step) for number, step in enumerate(new.steps))
            connection.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", numbered)
            _describe(connection, {**new.description, "state": "switching" if new.steps else "clean"})

    def finish_switch(self) -> None:
        """Forget the steps: they are done."""
        with self._writing() as connection:
            connection.execute("DELETE FROM steps")
            _describe(connection, {"state": "clean"})

    def shrink(self) -> None:
        """Give the room back that forgotten records took."""
        with _told(self.path):
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()


def _describe(connection: sqlite3.Connection, description: Mapping[str, str]) -> None:
    connection.executemany("INSERT OR REPLACE INTO description VALUES (?, ?)", description.items())


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    width = len(OutputRecord._fields if table == "outputs" else SourceRecord._fields)
    marks = ", ".join("?" * width)
    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names


def _read(connection: sqlite3.Connection, *, with_made: bool) -> Snapshot:
    names = ", ".join(SourceRecord._fields if with_made else (*SourceRecord._fields[:-1], "''"))

    def sources(table: str) -> dict[str, SourceRecord]:
        rows = connection.execute(f"SELECT {names} FROM {table}")  # noqa: S608 - our own names
        return {row[0]: SourceRecord._make(row) for row in rows}

    outputs = {row[0]: OutputRecord._make(row) for row in connection.execute("SELECT * FROM outputs")}
    steps = connection.execute("SELECT action, source, target FROM steps ORDER BY number")
    description = dict(connection.execute("SELECT name, value FROM description"))
    return Snapshot(description, sources("sources"), sources("pending"), outputs, tuple(map(Step._make, steps)))


def _check_form(connection: sqlite3.Connection, path: Path) -> bool:
    """Refuse what is not ours; tell whether it has its tables, which a run that was killed early did not make."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and tables == 0:
        return False
    if application != _APPLICATION:
        raise UsageError(f"{path}: is no catalogue of stereokit, but another program's")
    if version != _VERSION:
        raise UsageError(f"{path}: has form {version}, this version reads {_VERSION}: --force makes the data set anew")
    return True


@contextlib.contextmanager
def _told(path: Path, *, is_reading: bool = False) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_reading and path.with_name(path.name + JOURNAL_SUFFIX).exists():
            raise UnfinishedCatalogueError(
                f"{path}: a run was killed while it wrote this; run again to mend"
            ) from error
        raise OutputError(f"cannot use the catalogue {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise DamagedCatalogueError(f"{path}: is damaged ({error}): --force makes the data set anew") from error
    except OSError as error:
        raise OutputError(f"cannot use the catalogue {path}: {error.strerror}") from error
