"""``stereokit label``: names its commands."""

from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status, UsageError

NAMES = ("label predict", "label propagate", "label audit", "label map", "label review")

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="predict|propagate|audit|map|review",
        help="What to do; each has a page of its own.",
        autocompletion=options.complete_second_words(*NAMES),
    ),
]


def label(output: Output, what: What = None) -> Status:
    """Label clips: by a trained model or their names, by other clips' labels; or find errors in labels.

    label predict: what a trained model, or a file's name, says that clips are.
    label propagate: from the labels of some clips to those of all.
    label audit: labels that are probably wrong.
    label map: clips that are alike near each other, as a picture or a page.
    label review: a page to label clips by ear, the most useful first.
    """
    given = f"label {what[0]!r}" if what else "label"
    raise UsageError(f"{given}: choose from {', '.join(NAMES)}")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "label")(label)
