"""``stereokit score listen``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stereokit.workflows.events import Row

A = Annotated[str | None, typer.Argument(metavar="A", help="Clips to compare: a folder, a .jsonl or a .txt list.")]
B = Annotated[str | None, typer.Argument(metavar="B", help="Clips to compare them with, likewise.")]
Ref = Annotated[
    str | None, typer.Argument(metavar="REF", help="References of the same names: which of two is nearer to it?")
]
File = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        parser=options.file_path,
        metavar="FILE.sqlite",
        help="The study and all its answers; one that is there goes on.",
    ),
]
Pairs = Annotated[int | None, typer.Option(min=1, metavar="N", help="Draw so many pairs. [default: all]")]
Controls = Annotated[
    int, typer.Option(min=0, metavar="N", help="Ask so many pairs twice, sides swapped: is a listener consistent?")
]
Question = Annotated[str | None, typer.Option(metavar="TEXT", help="What listeners are asked, in your own words.")]
AllowSame = Annotated[
    bool, typer.Option("--allow-same", help="'No difference' is an answer; counted, and no part of shares and p.")
]
Groups = Annotated[
    str | None, typer.Option(metavar="NAMES", help="Groups to choose from: musicians,others. [default: free]")
]
Results = Annotated[bool, typer.Option("--results", help="Results so far, also while the study is held; no page.")]
PerListener = Annotated[bool, typer.Option("--per-listener", help="A row a listener first.")]
PerTrial = Annotated[bool, typer.Option("--per-trial", help="A row a trial first: names, sides, gains, answer.")]
Plot = Annotated[
    Path | None, typer.Option(parser=options.file_path, metavar="FILE", help="One picture: .png or .svg; replaced.")
]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header; of --per-listener or --per-trial those alone.")]
Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, metavar="N", help="Where the page is. [default: a free one]")
]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell the pairs and their gains; hold nothing, write nothing.")]


def listen(
    output: Output,
    a: A = None,
    b: B = None,
    ref: Ref = None,
    file: File = ...,  # type: ignore[assignment]
    pairs: Pairs = None,
    controls: Controls = 0,
    question: Question = None,
    allow_same: AllowSame = False,
    groups: Groups = None,
    results: Results = False,
    per_listener: PerListener = False,
    per_trial: PerTrial = False,
    plot: Plot = None,
    csv: Csv = False,
    port: Port = None,
    opens: Open = False,
    dry_run: DryRun = False,
    strict: options.Strict = False,
    seed: options.Seed = 0,
) -> Status:
    """Hold a blind listening study on a local page: which of two people prefer, or find nearer to a reference.

    Clips of one name are a pair. Both are played equally loud, in an order and on sides drawn for each listener; the
    page does not know which is which. Every answer is in FILE before the page says so. The end gives shares for A with
    exact 95 % intervals and p, of each group and in all.
    """
    from stereokit.workflows.score_listen_settings import ListenSettings

    settings = ListenSettings(
        output=file, a=a, b=b, reference=ref, pairs=pairs, controls=controls, question=question,
        allow_same=allow_same, groups=groups, port=port or 0, opens=opens, results=results, per_listener=per_listener,
        per_trial=per_trial, plot=plot, dry_run=dry_run, strict=strict, seed=seed,
    )  # fmt: skip
    if results:
        from stereokit.workflows.score_listen_results import listen_results

        return output.show(listen_results(settings), _table, as_csv=csv)
    if output.is_quiet and not (opens or dry_run):
        raise UsageError("--quiet hides the page's address: add --open, or leave it out")
    try:
        from stereokit.workflows.score_listen import listen as workflow
    except ImportError as error:
        raise options.missing_extra(error, "label") from error
    return output.show(workflow(settings), _table, as_csv=csv)


def _table(rows: "list[Row]") -> "RenderableType":
    """Draw shares for A by group and in all; listeners and trials first where asked for."""
    from stereokit.cli.listen_table import listen_table

    return listen_table(rows)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "score listen")(listen)
