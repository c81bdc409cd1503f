"""``stereokit doctor``."""

from typing import Annotated

import typer

from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Licences = Annotated[bool, typer.Option("--licences", help="The licence of everything that is used instead.")]


def doctor(output: Output, licences: Licences = False) -> Status:
    """Tell what is installed, which devices there are, and what each extra lacks."""
    from stereokit.cli.tables import row_table
    from stereokit.workflows.doctor import doctor as workflow

    return output.show(workflow(licences=licences), row_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "doctor")(doctor)
