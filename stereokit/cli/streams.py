"""Where a command reads and writes. Nothing else in the package asks ``sys`` for its streams."""

import contextlib
import errno
import io
import os
import sys
from dataclasses import dataclass, field
from typing import BinaryIO, TextIO

from stereokit.data.text import printable


@dataclass
class Streams:
    """Standard input, output and error, and what is known of them.

    Attributes
    ----------
    stdin, stdout, stderr
        Text streams.
    environment
        Its variables decide about width and colour (COLUMNS, NO_COLOR, TERM).
    debug
        Errors are raised with their traceback instead of being told in one line.
    """

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    environment: dict[str, str] = field(default_factory=dict)
    debug: bool = False

    def tell(self, text: str) -> None:
        """Write one line to stderr, with what a terminal would act on escaped; nobody there is no fault."""
        with contextlib.suppress(OSError):
            self.stderr.write(f"stereokit: {printable(text)}\n")
            self.stderr.flush()

    def write_bytes(self, data: bytes) -> None:
        """Write bytes to stdout as they are.

        Raises
        ------
        OSError
            When it cannot take them.
        """
        buffer = getattr(self.stdout, "buffer", None)
        if buffer is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self.stdout.flush()
        buffer.write(data)
        buffer.flush()

    @property
    def stdin_bytes(self) -> BinaryIO | None:
        """Standard input as it is, for a sound; None where there is only text."""
        return getattr(self.stdin, "buffer", None)

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether a person reads the results."""
        return self.stdout.isatty()

    @property
    def stderr_is_terminal(self) -> bool:
        """Whether a person sees progress."""
        return self.stderr.isatty()


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    # Some terminals say 0 for "unknown"; a table of no width would be no table.
    if environment.get("COLUMNS", "").strip() == "0":
        del environment["COLUMNS"]
    return environment


class _Closed(io.StringIO):
    """Stands for a stdout that the parent closed: results for nobody are a fault."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def system_streams() -> Streams:
    """Return the process's own streams; a missing stdin is empty, a missing stderr forgets, a missing stdout fails.

    A process that another one started to train with it (its ``LOCAL_RANK`` is not 0) reads nothing and says nothing.
    """
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return Streams(io.StringIO(), io.StringIO(), io.StringIO(), _environment())
    for stream in (sys.stdout, sys.stderr):
        # Names of any language must not fail in a C locale.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        # A listed name that is not UTF-8 is refused by name, not by a crash.
        sys.stdin.reconfigure(errors="surrogateescape")
    return Streams(
        stdin=sys.stdin or io.StringIO(),
        stdout=sys.stdout or _Closed(),
        stderr=sys.stderr or io.StringIO(),
        environment=_environment(),
    )
