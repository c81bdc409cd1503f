"""A SQLite file that a person's answers go to: each commit is on the disk before anybody is told of it.

The journal is a rollback journal, which works on every disk that SQLite works on.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stereokit.errors import BadInputError, OutputError, UsageError

_BUSY_SECONDS = 5.0


@dataclass(frozen=True)
class Form:
    """What a file holds.

    Attributes
    ----------
    called
        In a message: "is no {called} of stereokit".
    application
        The number that marks a file as one of these.
    tables
        Statements that make its tables.
    version
        Of its tables.
    """

    called: str
    application: int
    tables: tuple[str, ...]
    version: int = 1


class Database:
    """A file that threads read and write one at a time.

    Parameters
    ----------
    path
        Of the file; made when missing.
    form
        Of its tables.

    Raises
    ------
    UsageError
        When it is another program's file, or a later version's.
    BadInputError
        When it is damaged.
    OutputError
        When it cannot be written.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self.path = path
        self._form = form
        self._lock = threading.RLock()
        with self._told():
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._connection.execute("PRAGMA journal_mode = DELETE")
                self._connection.execute("PRAGMA synchronous = FULL")
                if self._is_new():
                    self._make_tables()
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def check_writable(self) -> None:
        """Write what is there already, so that who cannot write is told before anything is asked of a person.

        Raises
        ------
        OutputError
            When the file or its folder is read-only or full.
        """
        with self.writing() as connection:
            connection.execute(f"PRAGMA user_version = {self._form.version}")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread at a time."""
        with self._lock, self._told():
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Commit what is written in the block, all or nothing; it is on the disk when the block ends."""
        with self._lock, self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _is_new(self) -> bool:
        """Refuse what is not ours; tell whether it has no tables yet."""
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application == 0 and tables == 0:
            return True
        if application != self._form.application:
            raise UsageError(f"{self.path}: is no {self._form.called} of stereokit, but another file; name another")
        if version != self._form.version:
            raise UsageError(f"{self.path}: has form {version}, this version reads {self._form.version}")
        return False

    def _make_tables(self) -> None:
        with self.writing() as connection:
            for table in self._form.tables:
                connection.execute(table)
            connection.execute(f"PRAGMA application_id = {self._form.application}")
            connection.execute(f"PRAGMA user_version = {self._form.version}")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OutputError(f"cannot use {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise BadInputError(f"{self.path}: is no {self._form.called}, or damaged ({error})") from error
