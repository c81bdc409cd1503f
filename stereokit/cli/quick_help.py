"""Commands whose --help loads nothing that it does not need.

An option without a value is converted by pydantic, whose import takes a third of the time that --help takes. A flag
that has the value False is not converted.
"""

from typing import Any

from typer.core import TyperCommand, TyperGroup


def _with_default(option: Any) -> Any:
    if option is not None:
        option.default = False
    return option


class QuickCommand(TyperCommand):
    """A command."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the flag --help, off unless given."""
        return _with_default(super().get_help_option(ctx))


class QuickGroup(TyperGroup):
    """The program, of which the commands are parts."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the flag --help, off unless given."""
        return _with_default(super().get_help_option(ctx))
