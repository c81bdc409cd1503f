"""``stereokit prep verify``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Folder = Annotated[
    Path, typer.Argument(parser=options.file_path, metavar="DATASET", help="A data set that prep has made.")
]
AtMost = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Stop after this long, as 90s, 20m or 1h30m; the next run goes on there."),
]


def verify(
    output: Output,
    folder: Folder = ...,  # type: ignore[assignment]
    at_most: AtMost = None,
    catalog: options.Catalog = None,
) -> Status:
    """Compare the files of a data set with what they were when they were made.

    Those that were compared longest ago come first, so that short runs go round. Damaged, missing and foreign
    files are told (status 3); the next run of prep makes damaged and missing ones again.
    """
    from stereokit.cli.tables import row_table
    from stereokit.workflows.prep_verify import VerifySettings, read_duration
    from stereokit.workflows.prep_verify import verify as workflow

    limit = None if at_most is None else read_duration(at_most)
    return output.show(workflow(VerifySettings(folder, limit, catalog)), row_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "prep verify")(verify)
