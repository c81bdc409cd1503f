"""Functions that behave as a decoder does on the worst of files; this imports little, so that workers start fast."""

import ctypes
import mmap
import os
import signal
import sys
import threading
import time
from pathlib import Path

from stereokit.errors import BadInputError, OutputError

# What no test may reach.
FOREVER_S = 600.0


def behave(how: str) -> str:
    """Do what the word says, then return it."""
    deeds = {
        "exit": lambda: os._exit(7),
        "leave": lambda: sys.exit(3),
        "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "null": lambda: ctypes.string_at(0),
        "abort": os.abort,
        "close": lambda: os.closerange(3, 256),
        "sleep": lambda: time.sleep(FOREVER_S),
        "spin": spin,
        "clutch": lambda: ctypes.PyDLL(None).sleep(int(FOREVER_S)),
        "swell": lambda: bytearray(1 << 40),
        "swell slowly": swell_slowly,
        "swell in C": swell_in_c,
        "map": lambda: mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE),
        "refuse": lambda: refuse("is odd"),
        "raise": lambda: 1 // 0,
        "full": lambda: fail_to_write("the disk is full"),
        "system": lambda: Path("/nonexistent").stat(),
        "lock": threading.Lock,
    }
    result = deeds.get(how, lambda: None)()
    return result or how


def spin() -> None:
    while True:
        pass


def swell_slowly() -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def swell_in_c() -> None:
    """Take memory as a library does that does not look whether it got any."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while True:
        ctypes.memset(libc.malloc(ctypes.c_size_t(1 << 22)), 1, 1 << 22)


def refuse(reason: str) -> None:
    raise BadInputError(reason)


def fail_to_write(reason: str) -> None:
    raise OutputError(reason)


def process_of(item: object) -> int:
    return os.getpid()


def place_of(item: object) -> str:
    return str(Path.cwd())


def mark(path: Path) -> str:
    path.touch()
    return path.name


def mark_after(path: Path, others: int) -> str:
    """Leave a file; one that is called last leaves it when so many others are there."""
    while path.stem == "last" and len(list(path.parent.iterdir())) < others:
        time.sleep(0.01)
    return mark(path)


def mark_then_wait(path: Path) -> int:
    """Leave a file that tells who works, then hang; the word in its name says how."""
    path.with_suffix(f".{os.getpid()}").touch()
    behave(path.stem.split("-")[0])
    return 0


def end_once(path: Path) -> str:
    """End this process as somebody else would, the first time only."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGTERM)
    return "done"


def end_always(number: int) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def surroundings(number: int) -> dict[str, object]:
    """Tell what a worker is like after it did some algebra."""
    import numpy as np  # noqa: PLC0415

    square_matrix = np.ones((700, 700))
    square_matrix @ square_matrix
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return {
        "python threads": threading.active_count(),
        "threads": next((int(line.split()[1]) for line in lines if line.startswith("Threads:")), 2),
        "main": getattr(sys.modules["__main__"], "__file__", None),
        "Ctrl-C": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "SIGTERM": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
    }


class OnlyHere:
    """An item that no other process can read."""

    def __init__(self) -> None:
        self.process = os.getpid()

    def __reduce__(self) -> tuple:
        return check_process, (self.process,)


def check_process(process: int) -> None:
    if os.getpid() != process:
        raise ImportError("not there")


def mark_slowly(path: Path) -> str:
    """Leave a file for the beginning and, a while later, one for the end."""
    path.with_suffix(".begun").touch()
    time.sleep(0.05)
    return mark(path)
