"""A process that works on files for this one, as this one sees it."""

import contextlib
import functools
import multiprocessing
import os
import sys
import threading
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import forkserver
from typing import Any

from stereokit.data.isolated_worker import Limits, serve
from stereokit.data.workers import ONE_THREAD, interrupts_held

if sys.platform == "linux":
    _CONTEXT = multiprocessing.get_context("forkserver")
else:
    _CONTEXT = multiprocessing.get_context("spawn")

# While a process is started, this one looks different to its other threads: one at a time.
_ONE_AT_A_TIME = threading.Lock()


class Worker:
    """A process, and what it has been given.

    Attributes
    ----------
    pending
        The numbers of the items that it was given and has not answered, in order.
    is_ready
        It has said that it works.
    is_leaving
        It has said that it ends itself.
    waited_s
        Since it last said something.
    connection
        To talk to it.
    """

    def __init__(self, function: Callable[..., Any], limits: Limits) -> None:
        self.pending: deque[int] = deque()
        self.is_ready = self.is_leaving = False
        self.waited_s = 0.0
        self.connection, theirs = _CONTEXT.Pipe()
        with interrupts_held(), theirs, _ONE_AT_A_TIME, _nothing_inherited():
            _CONTEXT.set_forkserver_preload([serve.__module__, *modules_of(function)])
            self.process = _CONTEXT.Process(target=serve, args=(theirs, limits), daemon=True)
            self.process.start()
        self.send((os.getcwd(), function))  # noqa: PTH109 - one word for a string

    def send(self, message: object) -> None:
        """Send it to a worker that may be dead: its last words are still to be read."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def end(self, grace_s: float) -> int:
        """Wait for the process, then end it; return its status."""
        self.process.join(grace_s)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        status = self.process.exitcode
        self.connection.close()
        self.process.close()
        return 0 if status is None else status


def start_server(modules: Sequence[str]) -> None:
    """Have the server of workers started, and load what they need, while this process loads what it needs itself.

    Nothing happens where there is no server, or where one runs. One that nobody asks for a worker ends with this
    process.
    """
    if _CONTEXT.get_start_method() == "forkserver":
        with interrupts_held(), _ONE_AT_A_TIME, _nothing_inherited():
            _CONTEXT.set_forkserver_preload([serve.__module__, *modules])
            forkserver.ensure_running()


def modules_of(function: Callable[..., Any]) -> list[str]:
    """Return the modules that a process must load to do this: of the function, and of those that it is given.

    >>> from functools import partial
    >>> modules_of(partial(map, partial(modules_of)))
    ['builtins', 'stereokit.data.isolated_process']
    """
    if isinstance(function, functools.partial):
        given = filter(callable, (function.func, *function.args, *function.keywords.values()))
        return list(dict.fromkeys(name for one in given for name in modules_of(one)))
    return [str(getattr(function, "__module__", __name__))]


@contextlib.contextmanager
def _nothing_inherited() -> Iterator[None]:
    """Keep threads and the program's own file out of a process that is started: neither is needed there.

    Libraries read from the environment how many threads they take, when they are loaded. A script without a guard
    would run once more in every worker.
    """
    kept = {name: os.environ.get(name) for name in ONE_THREAD}
    main = sys.modules["__main__"]
    os.environ.update(ONE_THREAD)
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
