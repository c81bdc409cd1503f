"""A listening study on disk: what is compared, who listens, which trials they get, and what they answered.

Each listener's trials are written when they join: however they are drawn later on, an answer means what it meant.
"""

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from stereokit.data.database import Database, Form
from stereokit.data.study import AnsweredError, Listener, StudyPair, Trial, Turn
from stereokit.errors import BadInputError, UsageError

_FORM = Form(
    "listening study",
    0x53544C53,
    (
        "CREATE TABLE study (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE pairs (
        number INTEGER PRIMARY KEY, sample_rate_hz INTEGER NOT NULL,
        a TEXT NOT NULL, b TEXT NOT NULL, ref TEXT, digest_a TEXT NOT NULL, digest_b TEXT NOT NULL, digest_ref TEXT,
        gain_a_db REAL NOT NULL, gain_b_db REAL NOT NULL, gain_ref_db REAL)""",
        """CREATE TABLE listeners (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, listener_group TEXT, token TEXT NOT NULL UNIQUE,
        joined_at TEXT NOT NULL)""",
        # answer: a, b or same
        """CREATE TABLE trials (
        token TEXT PRIMARY KEY, listener INTEGER NOT NULL REFERENCES listeners, place INTEGER NOT NULL,
        pair INTEGER NOT NULL REFERENCES pairs, is_control INTEGER NOT NULL, is_a_first INTEGER NOT NULL,
        answer TEXT, answered_at TEXT, UNIQUE (listener, place))""",
    ),
)
# Enough that no address can be guessed from another.
_TOKEN_BYTES = 12


class Listening:
    """A study's file, for several threads.

    Parameters
    ----------
    path
        Of the file; made when missing.

    Raises
    ------
    UsageError, BadInputError, OutputError
        As ``Database``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Database(path, _FORM)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def begin(self, description: Mapping[str, object], pairs: Sequence[StudyPair]) -> None:
        """Write what is compared; where that was written before, all of it must be the same.

        Raises
        ------
        UsageError
            Naming the first difference.
        """
        before = self.description()
        if before:
            for name, value in description.items():
                if json.dumps(before.get(name)) != json.dumps(value):
                    raise UsageError(
                        f"{self.path}: holds a study with {name} {_told(before.get(name))}, this one has"
                        f" {_told(value)}: give it a file of its own, or the same words as before"
                    )
            self._compare(pairs)
            return
        with self._file.writing() as connection:
            rows = [(name, json.dumps(value)) for name, value in description.items()]
            connection.executemany("INSERT INTO study VALUES (?, ?)", rows)
            connection.executemany(
                "INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (number, pair.sample_rate, *_three(pair.names), *_three(pair.digests), *_three(pair.gains_db))
                    for number, pair in enumerate(pairs)
                ],
            )

    def _compare(self, pairs: Sequence[StudyPair]) -> None:
        known = self.pairs()
        if [pair.names for pair in known] != [pair.names for pair in pairs]:
            raise UsageError(
                f"{self.path}: holds a study of other pairs ({len(known)}, here {len(pairs)}), so clips came or went:"
                " put them back, or give this study a file of its own"
            )
        for old, new in zip(known, pairs, strict=True):
            for name, before, now in zip(old.names, old.digests, new.digests, strict=True):
                if before != now:
                    raise UsageError(f"{self.path}: {name} was another sound when its study began: put it back")

    def description(self) -> dict[str, object]:
        """Return what the study is; empty before it began."""
        with self._file.reading() as connection:
            return {name: json.loads(value) for name, value in connection.execute("SELECT name, value FROM study")}

    def pairs(self) -> list[StudyPair]:
        """Return what is compared, in the order of their numbers."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT a, b, ref, digest_a, digest_b, digest_ref, gain_a_db, gain_b_db, gain_ref_db, sample_rate_hz"
                " FROM pairs ORDER BY number"
            ).fetchall()
        sides = [2 if row[2] is None else 3 for row in rows]
        return [
            StudyPair(row[0 : 0 + count], row[3 : 3 + count], row[6 : 6 + count], row[9])
            for row, count in zip(rows, sides, strict=True)
        ]

    def join(self, name: str, group: str | None, turns: Sequence[Turn]) -> Listener:
        """Take a listener in; somebody of this name who joined before goes on with their own trials and group."""
        with self._file.writing() as connection:
            known = self._listener(connection, "name", name)
            if known is not None:
                return known
            token = secrets.token_urlsafe(_TOKEN_BYTES)
            cursor = connection.execute(
                "INSERT INTO listeners (name, listener_group, token, joined_at) VALUES (?, ?, ?, ?)",
                (name, group, token, _now()),
            )
            number = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
                [
                    (secrets.token_urlsafe(_TOKEN_BYTES), number, place, turn.pair, turn.is_control, turn.is_a_first)
                    for place, turn in enumerate(turns)
                ],
            )
            return Listener(number, name, group, token)

    def listener_named(self, name: str) -> Listener | None:
        """Return who joined under a name."""
        with self._file.reading() as connection:
            return self._listener(connection, "name", name)

    def listener_of(self, token: str) -> Listener | None:
        """Return whose page is known by a token."""
        with self._file.reading() as connection:
            return self._listener(connection, "token", token)

    def _listener(self, connection: sqlite3.Connection, column: str, value: str) -> Listener | None:
        query = f"SELECT number, name, listener_group, token FROM listeners WHERE {column} = ?"  # noqa: S608 - our words
        row = connection.execute(query, (value,)).fetchone()
        return None if row is None else Listener(*row)

    def listeners(self) -> list[Listener]:
        """Return everybody who joined, in order."""
        with self._file.reading() as connection:
            rows = connection.execute("SELECT number, name, listener_group, token FROM listeners ORDER BY number")
            return [Listener(*row) for row in rows]

    def trials(self, listener: int | None = None) -> list[Trial]:
        """Return all trials of a listener, or everybody's, in their order."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT token, listener, place, pair, is_control, is_a_first, answer FROM trials"
                " WHERE ?1 IS NULL OR listener = ?1 ORDER BY listener, place",
                (listener,),
            )
            return [_trial(row) for row in rows]

    def trial(self, token: str) -> Trial | None:
        """Return the trial of a token."""
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT token, listener, place, pair, is_control, is_a_first, answer FROM trials WHERE token = ?",
                (token,),
            ).fetchone()
            return None if row is None else _trial(row)

    def answer(self, token: str, answer: str) -> None:
        """Write an answer; it is on the disk when this returns.

        Raises
        ------
        AnsweredError
            When there is one already.
        """
        with self._file.writing() as connection:
            cursor = connection.execute(
                "UPDATE trials SET answer = ?, answered_at = ? WHERE token = ? AND answer IS NULL",
                (answer, _now(), token),
            )
            if cursor.rowcount != 1:
                raise AnsweredError


def existing(path: Path) -> Listening:
    """Open a study that was begun, whether or not somebody is answering it.

    Raises
    ------
    UsageError
        When there is none.
    BadInputError, OutputError
        As ``Listening``.
    """
    try:
        is_there = path.is_file() and path.stat().st_size > 0
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    if not is_there:
        raise UsageError(f"{path}: no study was begun there; without --results it is begun")
    return Listening(path)


def _trial(row: tuple[str, int, int, int, int, int, str | None]) -> Trial:
    token, listener, place, pair, is_control, is_a_first, answer = row
    return Trial(token, listener, place, Turn(pair, bool(is_control), bool(is_a_first)), answer)


def _three(values: Sequence[object]) -> tuple[object, ...]:
    return (*values, None)[:3]


def _told(value: object) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)[:200]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
