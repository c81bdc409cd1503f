"""The process in which one file after another is worked on, and which a hostile one may take down."""

import contextlib
import errno
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stereokit.data.workers import become_worker
from stereokit.errors import BadInputError, StereokitError

# The status with which a worker ends itself where the system does not hold it to its memory.
OUT_OF_MEMORY_STATUS = 86

_WATCH_S = 0.1


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    Attributes
    ----------
    seconds
        Of work on it, by the clock; the time in which all of the program was stopped (Ctrl-Z) hardly counts.
    memory_bytes
        That the worker may take above what it has when it starts. Some 45 minutes of stereo sound fit in as one clip.
    """

    seconds: float = 300.0
    memory_bytes: int = 4 << 30


@dataclass(frozen=True)
class Answer:
    """What a worker says of an item.

    Attributes
    ----------
    index
        Of the item.
    result
        What came out, or the error.
    is_fatal
        Whether the error ends all of the work, and not only this item.
    is_last
        Whether the worker ends itself now.
    seconds
        That the item took.
    """

    index: int
    result: Any
    is_fatal: bool = False
    is_last: bool = False
    seconds: float = 0.0


def serve(connection: Connection, limits: Limits) -> None:
    """Do what the parent sends until it says no more: the folder and the function, then lists of (index, item)."""
    become_worker()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # A core file of each hostile sound would fill the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        folder, function = connection.recv()
        os.chdir(folder)
    except Exception as error:  # noqa: BLE001 - whatever an import can raise is the parent's to tell
        connection.send(StereokitError(f"a worker process cannot start: {described(error)}"))
        return
    tasks: queue.SimpleQueue[tuple[int, Any] | None] = queue.SimpleQueue()
    is_stopping = threading.Event()
    threading.Thread(target=_receive, args=(connection, tasks, is_stopping), daemon=True).start()
    # The thread's own stack is not the file's to pay.
    if not _hold_memory(limits.memory_bytes):
        threading.Thread(target=_watch_memory, args=(_peak_bytes() + limits.memory_bytes,), daemon=True).start()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.send(None)
        while (task := tasks.get()) is not None and not is_stopping.is_set():
            # The parent looks at the time. Should it be gone, and the decoder let no other thread notice, the system
            # ends this process.
            signal.setitimer(signal.ITIMER_REAL, 2.0 * limits.seconds)
            answer = _answer(function, *task, limits)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            _send(connection, answer)
            if answer.is_last:
                return


def described(error: BaseException) -> str:
    """Return an unexpected error in one line with its place."""
    places = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return f"{type(error).__name__}: {error}{place}".replace("\n", " ")


def memory_reason(limits: Limits) -> str:
    """Return what is said of a file that needs too much memory."""
    return f"needs more than {limits.memory_bytes / (1 << 30):.3g} GiB of memory"


def _answer(function: Callable[[Any], Any], index: int, item: Any, limits: Limits) -> Answer:
    start = time.perf_counter()
    try:
        return Answer(index, function(item), seconds=time.perf_counter() - start)
    except BadInputError as error:
        return Answer(index, error, seconds=time.perf_counter() - start)
    except MemoryError:
        # What is left of it may crowd the next file out.
        return Answer(index, BadInputError(memory_reason(limits)), is_last=True)
    except (StereokitError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return Answer(index, BadInputError(memory_reason(limits)), is_last=True)
        return Answer(index, error, is_fatal=True)
    except Exception as error:  # noqa: BLE001 - a decoder that raises costs its file, as one that crashes
        reason = BadInputError(f"internal error: {described(error)}")
        reason.add_note(traceback.format_exc())
        return Answer(index, reason)


def _send(connection: Connection, answer: Answer) -> None:
    try:
        connection.send(answer)
    except (TypeError, AttributeError, ValueError) as error:
        fault = StereokitError(f"internal error: a result cannot leave its process: {described(error)}")
        connection.send(Answer(answer.index, fault, is_fatal=True))


def _receive(
    connection: Connection, tasks: queue.SimpleQueue[tuple[int, Any] | None], is_stopping: threading.Event
) -> None:
    """Take what the parent sends at once, so that it never waits; end this process when the parent is gone."""
    try:
        while (batch := connection.recv()) is not None:
            for task in batch:
                tasks.put(task)
        is_stopping.set()
        tasks.put(None)
        connection.recv()
    except (EOFError, OSError):
        os._exit(1)


def _hold_memory(limit: int) -> bool:
    """Have the system refuse this process more than so many bytes above what it has; tell whether it can."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        used = next(int(line.split()[1]) for line in lines if line.startswith("VmData:")) * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        allowed = used + limit if hard == resource.RLIM_INFINITY else min(used + limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))
    except (OSError, StopIteration, ValueError):
        return False
    return True


def _watch_memory(highest: int) -> None:
    """End this process when it has taken more: the next best where the system does not hold it to a limit."""
    while _peak_bytes() <= highest:
        time.sleep(_WATCH_S)
    os._exit(OUT_OF_MEMORY_STATUS)


def _peak_bytes() -> int:
    """Return the most memory that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
