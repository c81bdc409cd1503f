"""``stereokit demo``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Folder = Annotated[
    Path, typer.Option("--output", "-o", parser=options.file_path, metavar="DIR", help="The folder for everything.")
]
Count = Annotated[int, typer.Option(min=40, metavar="N", help="How many stabs to make: half of them are learned from.")]


def demo(
    output: Output,
    folder: Folder = Path("stereokit-demo"),
    count: Count = 800,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    force: options.Force = False,
) -> Status:
    """Make sounds, learn from them, generate new ones and compare: everything once, in some minutes.

    Synthesises stereo stabs, trains sample-gan on half of them and scores what it generates against stabs that it never
    saw, beside noise and beside the training clips. Writes report.html, one file with figures, pictures and players,
    and the folders dataset, run, generated and noise, which the other commands take. An interrupted demo goes on.
    """
    from stereokit.cli.tables import demo_table

    try:
        from stereokit.workflows.demo import DemoSettings
        from stereokit.workflows.demo import demo as workflow
    except ImportError as error:
        raise options.missing_extra(error, "train") from error
    settings = DemoSettings(output=folder, count=count, seed=seed, device=device, force=force)
    return output.show(workflow(settings), demo_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "demo")(demo)
