"""What can go wrong, and the exit status that tells a script about it."""

from collections.abc import Iterable
from enum import IntEnum


class Status(IntEnum):
    """Exit statuses, the same for every command."""

    DONE = 0
    CHECK_FAILED = 1
    USAGE = 2
    SOME_FAILED = 3
    NOTHING_DONE = 4
    MISSING = 5
    INTERNAL = 70
    OUTPUT = 74
    LOCKED = 75
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


STATUS_MEANINGS: dict[Status, str] = {
    Status.DONE: "done",
    Status.CHECK_FAILED: "a --fail-if condition held",
    Status.USAGE: "the command line is wrong",
    Status.SOME_FAILED: "some inputs failed, the rest was done",
    Status.NOTHING_DONE: "nothing could be done: no usable input",
    Status.MISSING: "a device or an optional package is missing",
    Status.INTERNAL: "internal error",
    Status.OUTPUT: "the output cannot be written",
    Status.LOCKED: "another process holds the lock",
    Status.INTERRUPTED: "interrupted (Ctrl-C)",
    Status.CLOSED_PIPE: "the reader closed standard output",
    Status.TERMINATED: "terminated (SIGTERM)",
}

# Which status a run reports when it earned several. A closed pipe is the reader's wish, not a
# fault: it yields to a signal and outranks everything a reader who left could still be told.
_PRECEDENCE = (
    Status.TERMINATED,
    Status.INTERRUPTED,
    Status.CLOSED_PIPE,
    Status.USAGE,
    Status.MISSING,
    Status.LOCKED,
    Status.INTERNAL,
    Status.OUTPUT,
    Status.NOTHING_DONE,
    Status.CHECK_FAILED,
    Status.SOME_FAILED,
    Status.DONE,
)


def worst(statuses: Iterable[Status]) -> Status:
    """Return the one status that a run with all of these reports.

    >>> worst([Status.SOME_FAILED, Status.CHECK_FAILED])
    <Status.CHECK_FAILED: 1>
    >>> worst([])
    <Status.DONE: 0>
    """
    return min(statuses, key=_PRECEDENCE.index, default=Status.DONE)


class StereokitError(Exception):
    """A fault that one line can explain: what is wrong, the value, what is allowed."""

    status = Status.INTERNAL


class UsageError(StereokitError):
    """The command line asks for something that does not exist or does not fit."""

    status = Status.USAGE


class BadInputError(StereokitError):
    """A file or row cannot be used. One of many: the others go on; alone: nothing can be done."""

    status = Status.NOTHING_DONE


class MissingError(StereokitError):
    """A device or an optional package is not there."""

    status = Status.MISSING


class OutputError(StereokitError):
    """The output cannot be written."""

    status = Status.OUTPUT


class ClosedPipeError(StereokitError):
    """Whoever read standard output has gone: no fault, but nothing more can be told."""

    status = Status.CLOSED_PIPE


class LockedError(StereokitError):
    """Another process works on the same output."""

    status = Status.LOCKED


class Terminated(BaseException):
    """SIGTERM arrived; raised in the main thread so that every ``finally`` runs."""
