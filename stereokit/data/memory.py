"""How much memory this process may still take, and keeping what it has."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

# Numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def available_bytes(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the bytes that are free or freed on demand, within the limits of the container or batch system.

    Where the system does not say what is free (macOS), all of the machine's memory counts.
    """
    return max(0, min(_machine_bytes(proc), *_cgroup_bytes(proc, cgroups), 1 << 62))


def _machine_bytes(proc: Path) -> int:
    for line in _text(proc / "meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cgroup_bytes(proc: Path, cgroups: Path) -> Iterator[int]:
    """Yield what each limit on this process leaves: a limit may sit on its group or on any above."""
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, controllers, inner = line.split(":", 2)
        if controllers == "":
            root, names = cgroups, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = cgroups / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # Inside a container the path is the host's, and only the root is there to be read.
        place = root / inner.strip("/")
        for group in (place, *(above for above in place.parents if above.is_relative_to(root))):
            yield from _left_in(group, *names)


def _left_in(group: Path, limit: str, usage: str, reclaimable: str) -> Iterator[int]:
    total, used = _text(group / limit).strip(), _text(group / usage).strip()
    if total.isdigit() and used.isdigit():
        # Cached files count as used, and are given up as soon as somebody wants the room.
        cached = (line.split()[1] for line in _text(group / "memory.stat").splitlines() if line.startswith(reclaimable))
        yield int(total) - int(used) + sum(map(int, cached))


def _text(path: Path) -> str:
    """Return a file of the kernel; empty where there is none."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def keep_freed_memory() -> None:
    """Ask the C library to keep up to 256 MiB of what is freed, for what is asked for next; does nothing without glibc.

    Sound files one after the other need the same few megabytes. Handed back and asked for again, each page is
    fetched and cleared anew by the system, which takes longer than what is then computed on it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_TRIM_THRESHOLD, 256 << 20)
    mallopt(_MMAP_THRESHOLD, 32 << 20)
