"""Where a command reads and writes. Nothing else in the package asks ``sys`` for its streams."""

import io
import os
import sys
from dataclasses import dataclass, field
from typing import TextIO


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

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether a person reads the results."""
        return self.stdout.isatty()

    @property
    def stderr_is_terminal(self) -> bool:
        """Whether a person sees progress."""
        return self.stderr.isatty()


def system_streams() -> Streams:
    """Return the process's own streams; a missing one (closed by the parent) becomes an empty one."""
    for stream in (sys.stdout, sys.stderr):
        # Names of any language must not fail in a C locale.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        # A listed name that is not UTF-8 is refused by name, not by a crash.
        sys.stdin.reconfigure(errors="surrogateescape")
    return Streams(
        stdin=sys.stdin or io.StringIO(),
        stdout=sys.stdout or io.StringIO(),
        stderr=sys.stderr or io.StringIO(),
        environment=dict(os.environ),
    )
