"""What a person decided about clips, one after another: nothing is ever overwritten, and all can be taken back."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stereokit.data.database import Database, Form
from stereokit.errors import BadInputError

_FORM = Form(
    "list of decisions",
    0x53544B44,
    (
        # state: the decision whose label holds since this one; its own number, or an earlier one's when it takes back
        """CREATE TABLE decisions (
        number INTEGER PRIMARY KEY AUTOINCREMENT, clip TEXT NOT NULL, label TEXT, decided_at TEXT NOT NULL,
        listener TEXT NOT NULL, batch INTEGER NOT NULL, takes_back INTEGER, state INTEGER NOT NULL,
        label_before TEXT, state_before INTEGER NOT NULL, decided_before TEXT)""",
        "CREATE INDEX decisions_of_batch ON decisions (batch)",
        "CREATE INDEX decisions_of_listener ON decisions (listener, number)",
        "CREATE TABLE classes (place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    ),
)


@dataclass(frozen=True)
class Decision:
    """The last that was decided about a clip.

    Attributes
    ----------
    number
        It grows with every decision in the file.
    clip
        The clip's name.
    label
        None when it shall have none.
    decided_at
        ISO 8601, UTC; of the decision that holds again where a later one was taken back, None where none was before.
    state
        The decision that holds; 0 where none does.
    """

    number: int
    clip: str
    label: str | None
    decided_at: str | None
    state: int


@dataclass(frozen=True)
class Wish:
    """A label for a clip, from somebody who saw it as it was after a decision.

    Attributes
    ----------
    clip
        The clip's name.
    label
        None takes its label away.
    seen
        The number of the last decision about it that was known; 0 for none.
    """

    clip: str
    label: str | None
    seen: int


class ConflictError(Exception):
    """Somebody else decided in the meantime.

    Parameters
    ----------
    decisions
        Theirs.
    """

    def __init__(self, decisions: Sequence[Decision]) -> None:
        super().__init__(f"{len(decisions)} clips were decided elsewhere in the meantime")
        self.decisions = list(decisions)


class Decisions:
    """All decisions of a file, for several threads.

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
        self._file = Database(path, _FORM)
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT max(number), clip, label, CASE WHEN takes_back IS NULL THEN decided_at ELSE decided_before END,"
                " state FROM decisions GROUP BY clip"
            )
            self._last = {row[1]: Decision(*row) for row in rows}
        kinds = (int, str, str | None, str | None, int)
        for one in self._last.values():
            if not all(map(isinstance, (one.number, one.clip, one.label, one.decided_at, one.state), kinds)):
                self.close()
                raise BadInputError(f"{path}: is damaged: decision {one.number} is not what it should be")

    def check_writable(self) -> None:
        """Do as ``Database.check_writable``."""
        self._file.check_writable()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def last(self) -> dict[str, Decision]:
        """Return the last decision about each clip that there was one about."""
        with self._file.reading():
            return dict(self._last)

    def since(self, number: int) -> list[Decision]:
        """Return the last decision about each clip with one after ``number``, in their order."""
        with self._file.reading():
            return sorted((one for one in self._last.values() if one.number > number), key=lambda one: one.number)

    def decide(self, wishes: Sequence[Wish], *, listener: str) -> list[Decision]:
        """Decide all of these, or none; they are on the disk when this returns.

        Parameters
        ----------
        wishes
            One or more, of different clips.
        listener
            Whose ``take_back`` takes them back.

        Raises
        ------
        ConflictError
            When a clip was decided about since it was seen.
        """
        with self._file.reading():
            others = [self._last[one.clip] for one in wishes if self._before(one.clip).number != one.seen]
            if others:
                raise ConflictError(others)
            with self._file.writing() as connection:
                now = _now()
                first = _next_number(connection)
                made = [
                    Decision(number, wish.clip, wish.label, now, number) for number, wish in enumerate(wishes, first)
                ]
                self._insert(connection, made, now=now, listener=listener, takes_back=None)
            self._last |= {one.clip: one for one in made}
            return made

    def take_back(self, *, listener: str) -> list[Decision]:
        """Undo the last that this listener decided and did not take back; empty when there is nothing left.

        What somebody else has decided about the same clips in the meantime stays.
        """
        with self._file.reading() as connection:
            batches = connection.execute(
                "SELECT DISTINCT batch FROM decisions WHERE listener = ? AND takes_back IS NULL AND batch NOT IN"
                " (SELECT takes_back FROM decisions WHERE takes_back IS NOT NULL) ORDER BY batch DESC",
                (listener,),
            ).fetchall()
            for (batch,) in batches:
                rows = connection.execute(
                    "SELECT clip, number, label_before, decided_before, state_before FROM decisions WHERE batch = ?"
                    " ORDER BY number",
                    (batch,),
                ).fetchall()
                ours = [row for row in rows if self._before(row[0]).state == row[1]]
                if ours:
                    return self._restore(ours, batch, listener)
            return []

    def _restore(self, rows: Sequence[tuple[Any, ...]], batch: int, listener: str) -> list[Decision]:
        with self._file.writing() as connection:
            first = _next_number(connection)
            made = [
                Decision(number, clip, label, decided, state)
                for number, (clip, _, label, decided, state) in enumerate(rows, first)
            ]
            self._insert(connection, made, now=_now(), listener=listener, takes_back=batch)
        self._last |= {one.clip: one for one in made}
        return made

    def _insert(
        self,
        connection: sqlite3.Connection,
        made: Sequence[Decision],
        *,
        now: str,
        listener: str,
        takes_back: int | None,
    ) -> None:
        rows = []
        for one in made:
            before = self._before(one.clip)
            # of a decision that takes back, what it restores is what will have been decided
            decided = before.decided_at if takes_back is None else one.decided_at
            rows.append(
                (one.number, one.clip, one.label, now, listener, made[0].number, takes_back, one.state,
                 before.label, before.state, decided)
            )  # fmt: skip
        connection.executemany("INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _before(self, clip: str) -> Decision:
        return self._last.get(clip) or Decision(0, clip, None, None, 0)

    def classes(self) -> list[str]:
        """Return the classes that were added, in their order."""
        with self._file.reading() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM classes ORDER BY place")]

    def add_class(self, name: str) -> None:
        """Remember a class; one that is known already stays where it is."""
        with self._file.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO classes (name) VALUES (?)", (name,))


def _next_number(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM decisions").fetchone()
    return int(last) + 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
