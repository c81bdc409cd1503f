"""The command line: words to a command, every error to one line and a status."""

import errno
import os
import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # typer has no public name for it
from typer.exceptions import TyperException

from stereokit import __version__
from stereokit.cli import (
    completion,
    demo,
    doctor,
    enhance,
    generate,
    import_weights,
    label,
    label_audit,
    label_map,
    label_predict,
    label_propagate,
    label_review,
    listing,
    prep,
    prep_verify,
    render_midi,
    score,
    score_listen,
    train,
    transfer,
)
from stereokit.cli.quick_help import QuickGroup
from stereokit.cli.streams import Streams, system_streams
from stereokit.cli.two_words import join_for_completion, joined
from stereokit.errors import ClosedPipeError, Status, StereokitError, Terminated

# What writing meets outside ``writing.py``, which has its own error for all of them.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)

_COMPLETION_VARIABLE = "_STEREOKIT_COMPLETE"

app = typer.Typer(
    name="stereokit",
    cls=QuickGroup,
    help="One command line for machine learning on stereo sound.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    demo,
    render_midi,
    prep,
    prep_verify,
    import_weights,
    train,
    generate,
    transfer,
    enhance,
    label,
    label_map,
    label_predict,
    label_propagate,
    label_review,
    label_audit,
    score,
    score_listen,
    listing,
    doctor,
    completion,
):
    command.add_to(app)


def _show_version(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        ctx.obj.stdout.write(f"stereokit {__version__}\n")
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
        warnings.showwarning = lambda message, *_, **__: streams.tell(f"warning: {message}")
        try:
            status = Status(app(joined(arguments, app), prog_name="stereokit", standalone_mode=False, obj=streams) or 0)
            streams.stdout.flush()
            if status is Status.INTERRUPTED:
                # typer has answered Ctrl-C with this status and without a word
                streams.tell("interrupted")
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
        if not arguments:
            streams.stderr.write(error.format_message() + "\n")
            return Status.USAGE
        text = " ".join(_with_value(error.format_message(), arguments).split())
        return _say(streams, f"{text} (see stereokit --help)", Status.USAGE)
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        return _say(streams, f"cannot write: {error.strerror}", Status.OUTPUT)
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
    streams.tell(text)
    return status


def main() -> None:
    """Run the process's own command line and end with its status."""
    if _COMPLETION_VARIABLE in os.environ:
        # A shell asks for completions: typer answers and exits.
        join_for_completion(os.environ, app)
        completion_init()
        app(prog_name="stereokit")
    status = run(sys.argv[1:], system_streams())
    # The interpreter flushes stdout once more; after a closed pipe or a full disk that must stay silent.
    if status in (Status.CLOSED_PIPE, Status.OUTPUT) and sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(int(status))
