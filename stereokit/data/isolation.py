"""The same function over many files, any of which may crash, hang or swell: that costs this one file.

Each worker is a process of its own, forked by a server that has loaded what the function needs and nothing else (on
macOS, where forking is unsafe, started anew). One that a file took down is replaced, and the others do not notice.
"""

import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing import connection as connections
from typing import Any, Self, TypeVar

from stereokit.data.isolated_process import Worker
from stereokit.data.isolated_worker import OUT_OF_MEMORY_STATUS, Answer, Limits, memory_reason
from stereokit.errors import BadInputError, StereokitError

Item = TypeVar("Item")
Result = TypeVar("Result")

# In order, results wait for the one before them: at most so many chunks a job.
_CHUNKS_AHEAD_PER_JOB = 3
# A worker has work at hand for about so long, so that it need not wait while its results are looked at.
_AT_HAND_S = 0.25
_LONGEST_WAIT_S = 1.0
# For a worker that was asked to end after its file.
_GRACE_S = 1.0
_START_S = 60.0
_FAILED_STARTS = 3
# Somebody ended the process, it slept too long while all were stopped, or the server that would know why is gone: no
# fault of the file, the first time.
_INNOCENT = frozenset({-signal.SIGTERM, -signal.SIGHUP, -signal.SIGINT, -signal.SIGALRM, 255})


def map_isolated(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int,
    limits: Limits | None = None,
    chunk: int = 16,
) -> Generator[Result | BadInputError, None, None]:
    """Apply ``function`` to each item in other processes and yield the results in order.

    As ``isolated_results``, but a result waits for those before it; and when it waits for long, so does the work.
    """
    with _Crew(function, items, jobs, limits or Limits(), chunk) as crew:
        kept: dict[int, Any] = {}
        for position in range(len(items)):
            while position not in kept:
                kept.update(crew.step(below=position + jobs * chunk * _CHUNKS_AHEAD_PER_JOB))
            yield kept.pop(position)


def isolated_results(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int,
    limits: Limits | None = None,
    chunk: int = 16,
) -> Generator[tuple[int, Result | BadInputError], None, None]:
    """Apply ``function`` to each item in other processes and yield (index, result) as they are finished.

    Parameters
    ----------
    function
        Picklable and defined in a module, not in the program's own file: that is not loaded by workers. Items and
        results are picklable and small: paths and figures, not samples.
    jobs
        Processes.
    limits
        Of one item; the default ones when None.
    chunk
        Items handed to a process at once, at most; fewer when they take long.

    Yields
    ------
    tuple
        A ``BadInputError`` stands for a result where the function raised one, or any error that is neither ours nor
        the system's; where it ended its process, took too long, or took too much memory.

    Raises
    ------
    StereokitError, OSError
        Any other that the function raises, and one when no worker starts.

    Notes
    -----
    Whoever stops asking (``close``), or is interrupted, ends the workers: after their file when that takes less than a
    second, else in the midst of it. What a function writes must therefore be whole or absent at any moment.
    """
    with _Crew(function, items, jobs, limits or Limits(), chunk) as crew:
        left = len(items)
        while left:
            found = crew.step(below=len(items))
            left -= len(found)
            yield from found


class _Crew:
    """The workers, what is to be done, and what they are given."""

    def __init__(
        self, function: Callable[..., Any], items: Sequence[Any], jobs: int, limits: Limits, chunk: int
    ) -> None:
        self._function, self._items, self._jobs, self._limits, self._chunk = function, items, jobs, limits, chunk
        self._workers: list[Worker] = []
        self._again: deque[int] = deque()
        self._next = 0
        self._second_chances: set[int] = set()
        self._failed_starts = 0
        self._item_s: float | None = None
        self._looked_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.send(None)
        until = time.monotonic() + _GRACE_S
        for worker in self._workers:
            worker.end(max(0.0, until - time.monotonic()))
        self._workers.clear()

    def step(self, *, below: int) -> list[tuple[int, Any]]:
        """Hand out items of lower numbers, wait for something to happen, and return the results that are there.

        Whoever answered has its next item before the caller looks at the answer.
        """
        self._hand_out(below)
        remaining = [self._limits.seconds - worker.waited_s for worker in self._workers if worker.pending]
        timeout = max(0.0, min([_LONGEST_WAIT_S, *remaining]))
        ready = connections.wait([worker.connection for worker in self._workers], timeout)
        now = time.monotonic()
        # Time in which this process did not run, because it was stopped or its caller worked, counts a second at most.
        passed, self._looked_s = min(now - self._looked_s, _LONGEST_WAIT_S), now
        found: list[tuple[int, Any]] = []
        for worker in list(self._workers):
            if worker.connection in ready:
                self._listen(worker, found)
            elif worker.pending or not worker.is_ready:
                worker.waited_s += passed
                allowed = self._limits.seconds if worker.is_ready else _START_S
                if worker.waited_s >= allowed:
                    self._bury(worker, found, f"took longer than {self._limits.seconds:g} s")
        if found:
            self._hand_out(below)
        return found

    def _hand_out(self, below: int) -> None:
        """Give every worker enough to do for a short while: little at first and of long items."""
        at_hand = 1 if self._item_s is None else int(_AT_HAND_S / max(self._item_s, 1e-6))
        at_hand = min(max(at_hand, 1), 2 * self._chunk)
        for number in range(self._jobs):
            if not self._again and self._next >= min(below, len(self._items)):
                return
            if number == len(self._workers):
                self._workers.append(Worker(self._function, self._limits))
            worker = self._workers[number]
            if worker.is_leaving or len(worker.pending) > at_hand // 2:
                continue
            batch = list(self._take(min(at_hand - len(worker.pending), self._chunk), below))
            if not worker.pending:
                worker.waited_s = 0.0
            worker.pending.extend(batch)
            worker.send([(index, self._items[index]) for index in batch])

    def _take(self, count: int, below: int) -> Iterator[int]:
        for _ in range(count):
            if self._again:
                yield self._again.popleft()
            elif self._next < min(below, len(self._items)):
                self._next += 1
                yield self._next - 1

    def _listen(self, worker: Worker, found: list[tuple[int, Any]]) -> None:
        """Take all that a worker has to say."""
        worker.waited_s = 0.0
        while worker.connection.poll():
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                self._bury(worker, found)
                return
            if isinstance(message, StereokitError):
                raise message
            worker.is_ready = True
            if isinstance(message, Answer):
                self._note(worker, message, found)

    def _note(self, worker: Worker, answer: Answer, found: list[tuple[int, Any]]) -> None:
        if answer.is_fatal:
            raise answer.result
        worker.pending.remove(answer.index)
        worker.is_leaving = answer.is_last
        if answer.seconds:
            # What comes next is most like what came last.
            self._item_s = answer.seconds if self._item_s is None else 0.8 * self._item_s + 0.2 * answer.seconds
        found.append((answer.index, answer.result))

    def _bury(self, worker: Worker, found: list[tuple[int, Any]], reason: str = "") -> None:
        """Count a worker's end to the item that it was at, and give the others it had to the next worker."""
        self._workers.remove(worker)
        status = worker.end(0.0 if reason else _GRACE_S)
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS or status not in _INNOCENT:
                raise StereokitError("a worker process cannot start")
        elif worker.pending and not worker.is_leaving:
            at = worker.pending[0]
            if not reason and status in _INNOCENT and at not in self._second_chances:
                self._second_chances.add(at)
            else:
                found.append((at, BadInputError(reason or _death(status, self._limits))))
                worker.pending.popleft()
        self._again.extendleft(reversed(worker.pending))


def _late(limits: Limits) -> str:
    return f"took longer than {limits.seconds:g} s"


def _death(status: int, limits: Limits) -> str:
    """Return what is said of a file whose process ended so."""
    if status == OUT_OF_MEMORY_STATUS:
        return memory_reason(limits)
    if status == -signal.SIGALRM:
        return _late(limits)
    if status >= 0:
        return f"ended the process that worked on it (status {status})"
    return f"crashed the process that worked on it ({signal.Signals(-status).name})"
