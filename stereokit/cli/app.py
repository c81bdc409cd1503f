"""The command line: words to a command, every error to one line and a status."""

import os
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # typer has no public name for it
from typer.exceptions import TyperException

from stereokit import __version__
from stereokit.cli import completion, doctor, listing, prep, score
from stereokit.cli.streams import Streams, system_streams
from stereokit.data.text import printable
from stereokit.errors import ClosedPipeError, Status, StereokitError, Terminated

_COMPLETION_VARIABLE = "_STEREOKIT_COMPLETE"

app = typer.Typer(
    name="stereokit",
    help="One command line for machine learning on stereo sound.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (prep, score, listing, doctor, completion):
    command.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stereokit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """One command line for machine learning on stereo sound."""


def run(arguments: Sequence[str], streams: Streams) -> Status:
    """Run one command line and return its status; nothing is raised but with ``--debug``."""
    streams.debug = "--debug" in arguments
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _tell(streams, f"warning: {message}")
        try:
            status = Status(app(list(arguments), prog_name="stereokit", standalone_mode=False, obj=streams) or 0)
            streams.stdout.flush()
        except (KeyboardInterrupt, typer.Abort):
            return _say(streams, "interrupted", Status.INTERRUPTED)
        except Terminated:
            return _say(streams, "terminated", Status.TERMINATED)
        except SystemExit:
            # typer's own answer to a closed pipe below --help
            return Status.CLOSED_PIPE
        except Exception as error:
            if streams.debug and not isinstance(error, ClosedPipeError | TyperException):
                raise
            return _explain(error, streams, arguments)
    return status


def _explain(error: Exception, streams: Streams, arguments: Sequence[str]) -> Status:
    """Tell an error in one line and return its status."""
    if isinstance(error, ClosedPipeError | BrokenPipeError):
        return Status.CLOSED_PIPE
    if isinstance(error, StereokitError):
        return _say(streams, str(error), error.status)
    if isinstance(error, TyperException):
        text = _with_value(error.format_message(), arguments)
        return _say(streams, f"{text} (see stereokit --help)", Status.USAGE)
    if isinstance(error, OSError):
        return _say(streams, f"cannot write: {error.strerror or error}", Status.OUTPUT)
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
    return _say(streams, f"internal error: {what}; --debug shows all of it", Status.INTERNAL)


def _with_value(message: str, arguments: Sequence[str]) -> str:
    """Put the value that was given into typer's message about an option, which leaves it out."""
    match = re.match(r"Invalid value for ('--?[\w-]+'(?: / '--?[\w-]+')*): ", message)
    for index, word in enumerate(arguments if match else ()):
        option, equals, value = word.partition("=")
        if match and f"'{option}'" in match[1]:
            given = value if equals else " ".join(arguments[index + 1 : index + 2])
            return f"{match[0]}{given!r}: {message[match.end() :]}"
    return message


def _say(streams: Streams, text: str, status: Status) -> Status:
    _tell(streams, text)
    return status


def _tell(streams: Streams, text: str) -> None:
    try:
        streams.stderr.write(f"stereokit: {printable(text)}\n")
        streams.stderr.flush()
    except OSError:
        pass  # nobody is left to tell


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def main() -> None:
    """Run the process's own command line and end with its status."""
    signal.signal(signal.SIGTERM, _terminate)
    if _COMPLETION_VARIABLE in os.environ:
        # A shell asks for completions: typer answers and exits.
        completion_init()
        app(prog_name="stereokit")
    status = run(sys.argv[1:], system_streams())
    # The interpreter flushes stdout once more; after a closed pipe or a full disk that must stay silent.
    if status in (Status.CLOSED_PIPE, Status.OUTPUT):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(int(status))
