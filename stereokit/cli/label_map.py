"""``stereokit label map``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Dimensions = Annotated[int | None, typer.Option(min=2, max=3, metavar="2|3", help="Of the map. [default: 2]")]
Neighbours = Annotated[
    int | None, typer.Option(metavar="K", help="Of umap: how many keep a clip in its place. [default: 15]")
]
MinDistance = Annotated[
    float | None, typer.Option(metavar="D", help="Of umap: how near clips may lie, 0 to 1. [default: 0.1]")
]
Perplexity = Annotated[
    float | None, typer.Option(metavar="P", help="Of tsne: about how many keep a clip in its place. [default: 30]")
]
Labels = Annotated[
    str | None,
    typer.Option(metavar="FILE|metadata", help="For colours: a CSV with file_name, or what the data set itself says."),
]
Guided = Annotated[bool, typer.Option("--guided", help="Labels pull clips together (umap); others stay free.")]
Into = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="MAP", help="Place new clips in a saved map, which does not move."),
]
Save = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="Keep the map (.npz) for --into."),
]
Plot = Annotated[
    Path | None, typer.Option(parser=options.file_path, metavar="FILE", help="Draw it: a .png or .svg picture.")
]
Html = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="A page to move about in, in one file."),
]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header; no summary.")]
Seed = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Seed of everything random; recorded in the result. [default: 0]"),
]


def label_map(
    output: Output,
    sources: options.LabelSources = None,
    features: options.ClipFeatures = None,
    layout: options.MapLayout = None,
    dimensions: Dimensions = None,
    neighbours: Neighbours = None,
    min_distance: MinDistance = None,
    perplexity: Perplexity = None,
    labels: Labels = None,
    column: options.LabelColumn = "label",
    guided: Guided = False,
    into: Into = None,
    save: Save = None,
    plot: Plot = None,
    html: Html = None,
    csv: Csv = False,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    seed: Seed = None,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
) -> Status:
    """Draw a map on which clips that are alike lie near each other.

    A row a clip with its place; a picture, a page, and the map itself, into which new clips can be placed.
    """
    from stereokit.cli.label_tables import map_table
    from stereokit.workflows.label_map import make_map
    from stereokit.workflows.label_map_settings import MapSettings

    given = {"neighbours": neighbours, "min-distance": min_distance, "perplexity": perplexity}
    settings = MapSettings(
        sources=tuple(sources or ()), features=features, layout=layout, dimensions=dimensions,
        parameters={name: value for name, value in given.items() if value is not None}, labels=labels, column=column,
        is_guided=guided, into=into, save=save, plot=plot, html=html, force=force, dry_run=dry_run, strict=strict,
        seed=seed, jobs=jobs, device=device,
    )  # fmt: skip
    return output.show(make_map(settings, output.streams.stdin), map_table, as_csv=csv)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "label map")(label_map)
