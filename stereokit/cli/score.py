"""``stereokit score``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stereokit.workflows.events import Row


def _show_schema(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        from stereokit.workflows.score_schema import schema_line

        ctx.find_root().obj.stdout.write(schema_line())
        raise typer.Exit


Gen = Annotated[str, typer.Argument(help="Generated clips: a folder, '-', a .jsonl manifest or a .txt list.")]
Ref = Annotated[str, typer.Argument(help="Reference clips, likewise: the yardstick.")]
ProtocolName = Annotated[
    Literal["paper", "ml2020"], typer.Option("--protocol", help="Named settings, under which scores compare.")
]
Feature = Annotated[
    str | None,
    typer.Option(metavar="FEATURE", help="What is measured in each window.", autocompletion=options.complete_features),
]
Embedding = Annotated[
    Path | None,
    typer.Option(
        parser=options.file_path,
        metavar="RUN",
        help="Compare clips as this trained model embeds them, instead of by a feature.",
        autocompletion=options.complete_runs,
    ),
]
Distance = Annotated[
    str | None, typer.Option(metavar="DISTANCE", help="Between two clips.", autocompletion=options.complete_distances)
]
SideRange = Annotated[
    Literal["quantile", "full"] | None,
    typer.Option("--range", help="A side distance spans 5 % to 95 % or minimum to maximum."),
]
Length = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Seconds judged of each clip: cut, or padded with zeros.")
]
Shape = Annotated[
    bool | None,
    typer.Option("--shape/--no-shape", help="Divide each sequence by its sum: width goes, shape stays."),
]
Sizes = Annotated[
    Literal["equal", "all"],
    typer.Option(help="Unequal sets: 20 equal draws, averaged, or all clips with the null that goes with them."),
]
DropSilent = Annotated[
    bool, typer.Option("--drop-silent", help="Leave out and count clips without side signal (mono, silent).")
]
PerLabel = Annotated[bool, typer.Option("--per-label", help="A row a label first, from the data set's metadata.")]
PerClip = Annotated[bool, typer.Option("--per-clip", help="A row a clip first.")]
Paired = Annotated[bool, typer.Option("--paired", help="Compare clips of the same name instead: SNR, LSD and others.")]
Window = Annotated[
    int | None, typer.Option(metavar="SAMPLES", help="With --paired: in windows of so many samples, e.g. 8192.")
]
PerWindow = Annotated[bool, typer.Option("--per-window", help="With --window: a row a window first.")]
Statistics = Annotated[
    bool, typer.Option("--statistics", help="Also the p-value of MMD, intervals, and the smallest width that shows.")
]
SearchDevice = Annotated[
    Literal["auto", "cpu", "cuda"],
    typer.Option("--device", help="Where neighbours are searched and models run; auto: the GPU for large sets."),
]
Audit = Annotated[
    bool, typer.Option("--audit", help="Name the clips that are not what they seem: mono, clipped, duplicates ...")
]
Train = Annotated[
    str | None, typer.Option(metavar="DIR", help="Clips trained on: does GEN come nearer to them than REF does?")
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(metavar="CHECK", help="Status 1 if it holds: 'cov<0.4', 'mmd>1.1*baseline.mmd'; repeatable."),
]
BaselineFile = Annotated[
    Path | None, typer.Option("--baseline", parser=options.file_path, metavar="FILE", help="A result that --save kept.")
]
Save = Annotated[
    Path | None, typer.Option(parser=options.file_path, metavar="FILE", help="Keep the result as JSON; replaced.")
]
Junit = Annotated[
    Path | None, typer.Option(parser=options.file_path, metavar="FILE", help="Checks as JUnit XML; replaced.")
]
Markdown = Annotated[
    Path | None, typer.Option(parser=options.file_path, metavar="FILE", help="A summary in Markdown; replaced.")
]
Report = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="A page to see and hear: .html; replaced."),
]
Plot = Annotated[
    Path | None, typer.Option(parser=options.file_path, metavar="FILE", help="One picture: .png or .svg; replaced.")
]
Schema = Annotated[
    bool, typer.Option("--schema", callback=_show_schema, is_eager=True, help="Print the JSON Schema of the results.")
]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header; of --per-clip or --per-window those rows alone.")]


def score(
    output: Output,
    gen: Gen,
    ref: Ref,
    protocol: ProtocolName = "paper",
    feature: Feature = None,
    embedding: Embedding = None,
    distance: Distance = None,
    side_range: SideRange = None,
    length: Length = None,
    shape: Shape = None,
    sizes: Sizes = "equal",
    drop_silent: DropSilent = False,
    only: options.Only = None,
    per_label: PerLabel = False,
    per_clip: PerClip = False,
    statistics: Statistics = False,
    audit: Audit = False,
    train: Train = None,
    paired: Paired = False,
    window: Window = None,
    per_window: PerWindow = False,
    fail_if: FailIf = None,
    baseline: BaselineFile = None,
    save: Save = None,
    junit: Junit = None,
    markdown: Markdown = None,
    report: Report = None,
    plot: Plot = None,
    csv: Csv = False,
    schema: Schema = False,
    strict: options.Strict = False,
    seed: options.Seed = 0,
    jobs: options.Jobs = None,
    device: SearchDevice = "auto",
) -> Status:
    """Score a generated set against a reference set: COV, MMD and 1-NNA of their stereo image.

    With --paired, each clip against the clip of the same name: SNR, SI-SDR, LSD, mel pictures, drift of the width.
    Beside each score stands what a perfect generator would get at these sizes; p is how often chance alone tells the
    sets apart as well. REF is the yardstick.
    """
    from stereokit.data.text import nfc
    from stereokit.workflows.score_files import ScoreFiles
    from stereokit.workflows.score_settings import ScoreSettings

    is_full = None if side_range is None else side_range == "full"
    settings = ScoreSettings(
        generated=gen, reference=ref, protocol=protocol, feature=feature, embedding=embedding, distance=distance,
        is_full_range=is_full, length=length, is_shape=shape, sizes=sizes, drop_silent=drop_silent,
        only=tuple(map(nfc, only or ())),
        per_label=per_label, per_clip=per_clip, statistics=statistics, audit=audit, train=train, window=window,
        per_window=per_window,
        fail_if=tuple(fail_if or ()), baseline=baseline, files=ScoreFiles(save, junit, markdown, report, plot),
        strict=strict, seed=seed, jobs=jobs, device=device,
    )  # fmt: skip
    if paired:
        from stereokit.workflows.score_pairs import score_pairs

        return output.show(score_pairs(settings, output.streams.stdin), _pairs_table, as_csv=csv)
    from stereokit.workflows.score import score as score_sets

    return output.show(score_sets(settings, output.streams.stdin), _table, as_csv=csv)


def _table(rows: "list[Row]") -> "RenderableType":
    """Draw scores beside their nulls; clips first where asked for."""
    from stereokit.cli.score_table import score_table

    return score_table(rows)


def _pairs_table(rows: "list[Row]") -> "RenderableType":
    """Draw mean figures of left and right, mid and side; pairs first where asked for."""
    from stereokit.cli.pair_table import pairs_table

    return pairs_table(rows)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "score")(score)
