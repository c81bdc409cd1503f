"""``stereokit generate``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Run = Annotated[
    Path,
    typer.Argument(
        parser=options.file_path,
        metavar="RUN",
        help="The folder that train left.",
        autocompletion=options.complete_runs,
    ),
]
Count = Annotated[int, typer.Option("--count", "-n", min=1, metavar="N", help="How many clips.")]
Target = Annotated[
    str, typer.Option("--output", "-o", metavar="DIR", help="A new folder for them; '-' sends one WAV to stdout.")
]
Start = Annotated[int, typer.Option(min=0, metavar="N", help="Number of the first clip.")]
Bits = Annotated[Literal["16", "24", "float"], typer.Option(help="Encoding of the WAV files.")]


def generate(
    output: Output,
    run: Run,
    count: Count = ...,  # type: ignore[assignment]
    target: Target = ...,  # type: ignore[assignment]
    seed: options.Seed = 0,
    start: Start = 0,
    device: options.Device = "auto",
    bits: Bits = "16",
    force: options.Force = False,
    dry_run: options.DryRun = False,
) -> Status:
    """Make new sounds with a trained model.

    Writes WAV files, metadata.jsonl and generated.json, all of them or none. Clip N of a seed is the same however many
    are asked for, with the same versions, device and number of threads. What would pass full scale is turned down as
    a whole, never clipped.
    """
    from stereokit.cli.tables import generate_table

    is_stream = target == "-"
    if is_stream:
        output.refuse_terminal("-o -")
    try:
        from stereokit.workflows.generate import GenerateSettings
        from stereokit.workflows.generate import generate as workflow
    except ImportError as error:
        raise options.missing_extra(error, "train") from error
    settings = GenerateSettings(
        run=run, count=count, output=None if is_stream else options.file_path(target), seed=seed, start=start,
        device=device, encoding=bits, force=force, is_dry_run=dry_run,
    )  # fmt: skip
    return output.show(workflow(settings), generate_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "generate")(generate)
