"""How a command is registered: its own options, and the ones that every command has."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stereokit.cli.output import Output
from stereokit.cli.quick_help import QuickCommand
from stereokit.errors import Status

if TYPE_CHECKING:
    from stereokit.cli.streams import Streams

_JSON = Annotated[bool, typer.Option("--json", help="One JSON object a line, even on a terminal.")]
_QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing when the status is 0.")]
_DEBUG = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

Body = Callable[..., Status]


def register(app: typer.Typer, name: str) -> Callable[[Body], Body]:
    """Register a body ``(output, **its own options) -> Status`` as a command with the common options.

    The first line of the body's docstring is its summary, all of it is its help.
    """

    def decorate(body: Body) -> Body:
        @wraps(body)
        def run(ctx: typer.Context, **options: Any) -> None:
            streams: Streams = ctx.find_root().obj
            as_json, quiet = options.pop("as_json"), options.pop("quiet")
            options.pop("debug")  # acted on in app.run, which must know of it before anything is parsed
            ctx.exit(body(Output(streams, as_json=as_json, quiet=quiet), **options))

        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
        context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        common = [
            inspect.Parameter(parameter, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
            for parameter, annotation in (("as_json", _JSON), ("quiet", _QUIET), ("debug", _DEBUG))
        ]
        everything = [context, *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own), *common]
        run.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in everything}
        del run.__wrapped__  # typing would look through it, at the body's own signature
        app.command(name, cls=QuickCommand)(run)
        return body

    return decorate
