"""``stereokit import-weights``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Source = Annotated[
    Path, typer.Argument(parser=options.file_path, metavar="FILE", help="A state dict that torch saved.")
]
Network = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NETWORK",
        help="cnn14, cnn14-dla, resnet50 or resnest50.",
        autocompletion=lambda: ["cnn14", "cnn14-dla", "resnet50", "resnest50"],
    ),
]
Target = Annotated[
    Path, typer.Option("--output", "-o", parser=options.file_path, metavar="FILE", help="Where to: FILE.safetensors.")
]


def import_weights(
    output: Output,
    source: Source,
    network: Network = ...,  # type: ignore[assignment]
    target: Target = ...,  # type: ignore[assignment]
    force: options.Force = False,
    dry_run: options.DryRun = False,
) -> Status:
    """Turn published weights into a file that train --weights takes.

    The file is read in a process of its own with bounded time and memory, as weights only: no code in it is run, and
    one that asks for any is refused (status 4). Of a file that holds more, only what stands under 'model' is read.
    """
    try:
        from stereokit.workflows.import_weights import ImportSettings
        from stereokit.workflows.import_weights import import_weights as workflow
    except ImportError as error:
        raise options.missing_extra(error, "train") from error
    from stereokit.cli.tables import row_table

    settings = ImportSettings(source=source, network=network, output=target, is_dry_run=dry_run, force=force)
    return output.show(workflow(settings), row_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "import-weights")(import_weights)
