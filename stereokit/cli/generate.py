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
Count = Annotated[int | None, typer.Option("--count", "-n", min=1, metavar="N", help="How many clips.")]
Target = Annotated[
    str, typer.Option("--output", "-o", metavar="DIR", help="A new folder for them; '-' sends one WAV to stdout.")
]
Start = Annotated[int, typer.Option(min=0, metavar="N", help="Number of the first clip.")]
Bits = Annotated[Literal["16", "24", "float"], typer.Option(help="Encoding of the WAV files.")]
Condition = Annotated[
    str | None,
    typer.Option(
        "--condition",
        "--class",
        metavar="LABEL",
        help="Label of all clips. [default: drawn as often as the data had it]",
    ),
]
Truncation = Annotated[
    float | None, typer.Option(metavar="T", help="Keep random latents within ±T: less variety, fewer failures.")
]
Length = Annotated[float | None, typer.Option(metavar="SECONDS", help="Cut clips to this length, faded.")]
Interpolate = Annotated[
    tuple[str, str] | None, typer.Option(metavar="A B", help="Clips from A to B, each a clip's number or a file.")
]
Grid = Annotated[
    tuple[str, str, str, str] | None,
    typer.Option(metavar="A B C D", help="Clips between four, A and B above C and D."),
]
Steps = Annotated[
    int | None, typer.Option(metavar="N", help="Clips of a way [default: 9], or on a side of a grid [default: 5].")
]
Curve = Annotated[
    Literal["linear", "spherical"] | None, typer.Option(help="How latents go from one to the other. [default: linear]")
]
Around = Annotated[str | None, typer.Option(metavar="A", help="Neighbours of a clip's number or a file.")]
Spread = Annotated[
    float | None, typer.Option(metavar="S", help="How far neighbours stray: standard deviations. [default: 0.3]")
]
Reconstruct = Annotated[
    list[str] | None,
    typer.Option(metavar="SRC", help="Encode and decode these sounds: a folder, list or file; repeatable."),
]
Select = Annotated[str | None, typer.Option(metavar="N-of-M", help="Make M clips and keep the best N.")]
By = Annotated[
    Literal["critic", "data"] | None,
    typer.Option(help="Best for the model's critic, or nearest to the training clips. [default: critic]"),
]
DataSet = Annotated[
    Path | None,
    typer.Option("--data", parser=options.file_path, metavar="DATASET", help="For --by data. [default: the run's]"),
]
Page = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="A page to see and hear the clips: .html; replaced."),
]


def generate(
    output: Output,
    run: Run,
    count: Count = None,
    target: Target = ...,  # type: ignore[assignment]
    condition: Condition = None,
    truncation: Truncation = None,
    length: Length = None,
    interpolate: Interpolate = None,
    grid: Grid = None,
    steps: Steps = None,
    curve: Curve = None,
    around: Around = None,
    spread: Spread = None,
    reconstruct: Reconstruct = None,
    select: Select = None,
    by: By = None,
    data: DataSet = None,
    page: Page = None,
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
        from stereokit.workflows.generate import generate as workflow
        from stereokit.workflows.generate_settings import GenerateSettings
    except ImportError as error:
        raise options.missing_extra(error, "train") from error
    settings = GenerateSettings(
        run=run, count=count, output=None if is_stream else options.file_path(target), seed=seed, start=start,
        device=device, encoding=bits, force=force, is_dry_run=dry_run, condition=condition, truncation=truncation,
        length=length, interpolate=interpolate, grid=grid, around=around, reconstruct=tuple(reconstruct or ()),
        steps=steps, curve=curve, spread=spread, select=select, by=by, data=data, page=page,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin), generate_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "generate")(generate)
