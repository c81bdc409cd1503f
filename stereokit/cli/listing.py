"""``stereokit list``."""

from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Kind = Annotated[
    str | None,
    typer.Argument(
        help="Only this kind: feature, distance, score, synth, family ...", autocompletion=options.complete_kinds
    ),
]


def listing(output: Output, kind: Kind = None) -> Status:
    """List what there is: features, distances, scores, procedural voices, model families with their presets."""
    from stereokit.cli.tables import row_table
    from stereokit.workflows.listing import list_catalog

    return output.show(list_catalog(kind), row_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "list")(listing)
