"""``stereokit label review``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status, UsageError

Decisions = Annotated[
    Path,
    typer.Option(
        "--output", "-o", parser=options.file_path, metavar="FILE", help="Where every decision goes, at once; SQLite."
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|metadata", help="Labels there are already: a CSV or JSONL, or what the set itself says."
    ),
]
Classes = Annotated[str, typer.Option(metavar="A,B,...", help="Classes to choose from, in the order of their keys.")]
Map = Annotated[
    Path | None,
    typer.Option(
        "--map",
        parser=options.file_path,
        metavar="MAP",
        help="A map of label map --save: its clips are not heard again, new ones are placed in it.",
    ),
]
Results = Annotated[bool, typer.Option("--results", help="Tell what has been decided; open no page.")]
Port = Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Where the page is served; 0: any free port.")]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header, as prep --labels reads it; no summary.")]


def review(
    output: Output,
    sources: options.LabelSources = None,
    decisions: Decisions = Path("label-review.sqlite"),
    labels: Labels = None,
    column: options.LabelColumn = "label",
    classes: Classes = "",
    features: options.ClipFeatures = None,
    layout: options.MapLayout = None,
    map_file: Map = None,
    results: Results = False,
    port: Port = 0,
    opens: Open = False,
    csv: Csv = False,
    strict: options.Strict = False,
    seed: options.Seed = 0,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
) -> Status:
    """Label clips by ear, on a page that this machine alone can open.

    The page plays what is under the pointer or the arrow keys; number keys give labels, a lasso on the map gives many.
    It asks for those first from which most is learned, and learns while you label. Every decision is on the disk
    before the page shows it; 'Finish' ends the page, and a row a clip comes out.
    """
    from stereokit.cli.label_tables import review_table

    if output.is_quiet and not (opens or results):
        raise UsageError("--quiet hides the page's address: add --open, or leave it out")
    try:
        from stereokit.workflows.label_review import review as workflow
        from stereokit.workflows.review_settings import ReviewSettings
    except ImportError as error:
        raise options.missing_extra(error, "label") from error

    settings = ReviewSettings(
        sources=tuple(sources or ()), output=decisions, labels=labels, column=column,
        classes=tuple(name for name in classes.split(",") if name), features=features, layout=layout, map=map_file,
        results=results, port=port, opens=opens, strict=strict, seed=seed, jobs=jobs, device=device,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin), review_table, as_csv=csv)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "label review")(review)
