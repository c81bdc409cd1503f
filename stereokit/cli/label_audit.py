"""``stereokit label audit``."""

from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Labels = Annotated[
    str, typer.Option(metavar="FILE|metadata", help="CSV with file_name and labels, or what the data set itself says.")
]
Features = Annotated[
    str,
    typer.Option(
        metavar="FEATURES|RUN",
        help="What clips are compared by: portrait, mfcc, logmel ..., or a trained model that embeds.",
        autocompletion=options.complete_clip_features,
    ),
]
Least = Annotated[int, typer.Option(min=1, metavar="N", help="A label with fewer clips is too small.")]
FailIf = Annotated[
    list[str] | None,
    typer.Option(metavar="CHECK", help="Status 1 if it holds: 'suspect_share>0.05', 'duplicates>0'; repeatable."),
]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header, of the first kind of finding.")]


def audit(
    output: Output,
    sources: options.LabelSources = None,
    labels: Labels = ...,  # type: ignore[assignment]
    column: options.LabelColumn = "label",
    features: Features = "portrait",
    least: Least = 10,
    fail_if: FailIf = None,
    csv: Csv = False,
    strict: options.Strict = False,
    seed: options.Seed = 0,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
) -> Status:
    """Find labels that are probably wrong, the same sound under two labels, and labels of too few clips.

    A row a finding, the most suspicious first: what the label is, and what it is by those of other clips. A suspect is
    a clip to listen to, not an error.
    """
    from stereokit.cli.label_tables import audit_table
    from stereokit.workflows.label_audit import AuditSettings
    from stereokit.workflows.label_audit import audit as workflow

    settings = AuditSettings(
        sources=tuple(sources or ()), labels=labels, column=column, features=features, least=least,
        fail_if=tuple(fail_if or ()), strict=strict, seed=seed, jobs=jobs, device=device,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin), audit_table, as_csv=csv)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "label audit")(audit)
