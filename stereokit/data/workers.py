"""The same function over many files, in as many processes as this machine really gives."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection, resource_tracker
from pathlib import Path
from typing import TypeVar

from stereokit.data.memory import keep_freed_memory
from stereokit.errors import BadInputError, StereokitError
from stereokit.writing import uninterrupted

Item = TypeVar("Item")
Result = TypeVar("Result")

# What the libraries read when they load.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
# Work is handed out in chunks, and only so many chunks ahead that results do not pile up in memory.
_CHUNKS_AHEAD_PER_JOB = 3


def available_jobs(cgroup: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many processes can run at once: the affinity mask, cut to the container's quota; at least 1."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cgroup.read_text().split()
        if quota != "max":
            count = min(count, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return max(1, count)


def map_files(
    function: Callable[[Item], Result], items: Sequence[Item], *, jobs: int, chunk: int, inline_up_to: int
) -> Generator[Result | BadInputError, None, None]:
    """Apply ``function`` to each item and yield the results in order.

    A ``BadInputError`` that it raises for an item is yielded in that item's place, so that one bad file costs one file.

    Parameters
    ----------
    function
        Picklable, as are items and results.
    jobs, chunk, inline_up_to
        Of ``map_chunks``; in this process items are done one by one.

    Raises
    ------
    StereokitError
        Any other that the function raises, and one when a worker dies.
    """
    work = partial(_guarded_chunk, function)
    return map_chunks(work, items, jobs=jobs, chunk=chunk, inline_up_to=inline_up_to, inline_chunk=1)


def map_chunks(
    function: Callable[[Sequence[Item]], list[Result]],
    items: Sequence[Item],
    *,
    jobs: int,
    chunk: int,
    inline_up_to: int,
    inline_chunk: int,
) -> Generator[Result, None, None]:
    """Apply ``function`` to items, several at once, and yield their results one by one, in order.

    Parameters
    ----------
    function
        Of some items, to one result each. Picklable, as are items and results.
    jobs
        Processes; 1 works in this one.
    chunk
        Items handed to a process at once.
    inline_up_to
        This many items or fewer are done in this process: starting others takes longer.
    inline_chunk
        Items done at once in this process.

    Raises
    ------
    StereokitError
        Any that the function raises, and one when a worker dies.
    """
    keep_freed_memory()
    if jobs == 1 or len(items) <= inline_up_to:
        for start in range(0, len(items), inline_chunk):
            yield from function(items[start : start + inline_chunk])
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker) as pool:
        pending: deque[Future[list[Result]]] = deque()
        try:
            for start in range(0, len(items), chunk):
                with interrupts_held():
                    pending.append(pool.submit(function, items[start : start + chunk]))
                if len(pending) > jobs * _CHUNKS_AHEAD_PER_JOB:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        except BrokenProcessPool as error:
            raise StereokitError("a worker process died; run again with --jobs 1 to find the file") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while a process is started, which inherits that: it would show a traceback of its imports."""
    # Starting the tracker lets the signal through again, so it comes first.
    resource_tracker.ensure_running()
    # Another thread of this process may receive the signal all the same, so that a mask alone is not enough.
    with uninterrupted():
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start_worker() -> None:
    become_worker()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def become_worker() -> None:
    """Leave Ctrl-C to the parent and take one thread, in a process that was started to work for another."""
    # The parent decides what Ctrl-C means; a worker only finishes its chunk.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(ONE_THREAD)
    keep_freed_memory()


def _end_with_parent() -> None:
    """End this worker when its parent is killed: nobody would ever ask it for its results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _guarded(function: Callable[[Item], Result], item: Item) -> Result | BadInputError:
    try:
        return function(item)
    except BadInputError as error:
        return error
    except MemoryError:
        return BadInputError("needs more memory than there is")


def _guarded_chunk(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result | BadInputError]:
    return [_guarded(function, item) for item in items]
