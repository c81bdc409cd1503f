"""``stereokit label predict``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN SRC...",
        help="A trained labeller, then folders, sound files, lists, or '-'; with --from-names no RUN.",
        autocompletion=options.complete_runs,
    ),
]
FromNames = Annotated[
    bool, typer.Option("--from-names", help="Weak labels from the names of files and folders: bd, Kick, closed hat ...")
]
Synonyms = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="CSV with word,label: more words for --from-names."),
]
SortInto = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="DIR", help="Copy the clips into a folder a label, with metadata."),
]
Link = Annotated[bool, typer.Option("--link", help="With --sort-into: symbolic links instead of copies.")]
Add = Annotated[bool, typer.Option("--force", help="Sort into a folder that is not empty, replacing the same names.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header, as prep --labels reads it; no summary.")]


def predict(
    output: Output,
    words: Words = None,
    abstain: options.Abstain = 0.0,
    from_names: FromNames = False,
    synonyms: Synonyms = None,
    sort_into: SortInto = None,
    link: Link = False,
    force: Add = False,
    dry_run: options.DryRun = False,
    csv: Csv = False,
    strict: options.Strict = False,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
) -> Status:
    """Tell what clips are: by a trained labeller, or by their names.

    A row a clip: its label, the probability and how far the second choice is behind. The first minute of a clip is
    heard; silence is told nothing.
    """
    from stereokit.cli.label_tables import predict_table
    from stereokit.workflows.label_predict import PredictSettings
    from stereokit.workflows.label_predict import predict as workflow

    settings = PredictSettings(
        words=tuple(words or ()), abstain=abstain, from_names=from_names, synonyms=synonyms, sort_into=sort_into,
        is_linked=link, force=force, dry_run=dry_run, strict=strict, jobs=jobs, device=device,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin), predict_table, as_csv=csv)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "label predict")(predict)
