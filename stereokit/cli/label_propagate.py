"""``stereokit label propagate``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Labels = Annotated[
    str, typer.Option(metavar="FILE|metadata", help="CSV with file_name and labels, or what the data set itself says.")
]
Method = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD",
        help="How, of 'list propagation'. [default: kernel-machine]",
        autocompletion=options.complete_propagations,
    ),
]
Space = Annotated[
    str | None,
    typer.Option(
        metavar="SPACE",
        help="embedding: the features themselves; or a map: umap, tsne, pca. [default: embedding]",
        autocompletion=options.complete_spaces,
    ),
]
Dimensions = Annotated[int | None, typer.Option(min=2, max=3, metavar="2|3", help="Of a map. [default: 2]")]
Features = Annotated[
    str,
    typer.Option(
        metavar="FEATURES|RUN",
        help="What clips are compared by: portrait, mfcc, logmel ..., or a trained model that embeds.",
        autocompletion=options.complete_clip_features,
    ),
]
Neighbours = Annotated[
    int | None, typer.Option(min=1, metavar="K", help="Clips that are asked. [default: 6; with --evaluate 3, 6 and 12]")
]
Radius = Annotated[
    float | None,
    typer.Option(metavar="R", help="Of --method radius, in the unit of the space. [default: K-th labelled neighbour]"),
]
Model = Annotated[
    Path | None,
    typer.Option(
        parser=options.file_path,
        metavar="RUN",
        help="With --method assisted: a trained labeller, asked about clips without labels.",
        autocompletion=options.complete_runs,
    ),
]
Weight = Annotated[
    float | None,
    typer.Option("--predicted-weight", metavar="W", help="What its word weighs; a label weighs 1. [default: 0.5]"),
]
Evaluate = Annotated[bool, typer.Option("--evaluate", help="Hide labels, tell them, and say how often that is right.")]
Shares = Annotated[
    list[float] | None,
    typer.Option("--share", metavar="SHARE", help="Labels kept; repeatable. [default: 0.5 0.6 0.7 0.8 0.9]"),
]
Group = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="With --evaluate: also split by this column, as machine.")
]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header, as prep --labels reads it; no summary.")]


def propagate(
    output: Output,
    sources: options.LabelSources = None,
    labels: Labels = ...,  # type: ignore[assignment]
    column: options.LabelColumn = "label",
    method: Method = None,
    space: Space = None,
    dimensions: Dimensions = None,
    features: Features = "portrait",
    neighbours: Neighbours = None,
    radius: Radius = None,
    model: Model = None,
    predicted_weight: Weight = None,
    abstain: options.Abstain = 0.0,
    evaluate: Evaluate = False,
    share: Shares = None,
    group: Group = None,
    csv: Csv = False,
    strict: options.Strict = False,
    seed: options.Seed = 0,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
) -> Status:
    """Tell the labels of all clips from those of some.

    A row a clip: its label, how sure that is (calibrated on clips with labels, each told without its own), whether it
    is a human's, propagated or a model's, and from which clips it is.
    """
    from stereokit.cli.label_tables import propagate_table
    from stereokit.workflows.label_propagate import propagate as workflow
    from stereokit.workflows.label_settings import PropagateSettings

    settings = PropagateSettings(
        sources=tuple(sources or ()), labels=labels, column=column, method=method, space=space, dimensions=dimensions,
        features=features, neighbours=neighbours, radius=radius, model=model, predicted_weight=predicted_weight,
        abstain=abstain, evaluate=evaluate, shares=tuple(share or ()), group=group, strict=strict, seed=seed, jobs=jobs,
        device=device,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin), propagate_table, as_csv=csv)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "label propagate")(propagate)
