"""``stereokit prep``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SRC...",
        help="Folders, sound files, .jsonl or .txt lists, or '-'.",
        autocompletion=options.complete_second_words("prep verify"),
    ),
]
Folder = Annotated[
    Path, typer.Option("--output", "-o", parser=options.file_path, metavar="DATASET", help="The data set's folder.")
]
Synth = Annotated[
    str | None,
    typer.Option(metavar="VOICE", help="Make procedural sounds.", autocompletion=options.complete_voices),
]
Count = Annotated[int | None, typer.Option(min=1, metavar="N", help="How many procedural sounds.")]
Rate = Annotated[int, typer.Option(min=1_000, max=768_000, metavar="HZ", help="Sample rate in Hz.")]
Length = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Seconds: clips are cut (with a fade) or padded. [default: as is]"),
]
Normalize = Annotated[
    Literal["none", "peak", "loudness"],
    typer.Option(help="One gain for both channels, so that the image stays."),
]
Level = Annotated[
    float | None,
    typer.Option("--target", metavar="DB", help="dB for peak [default: -1], LUFS for loudness [default: -23]."),
]
Bits = Annotated[Literal["16", "24", "float"], typer.Option(help="Encoding of the samples.")]
Format = Annotated[Literal["wav", "flac"], typer.Option("--format", help="Of the files.")]
Trim = Annotated[bool, typer.Option("--trim-silence", help="Leave silence at both ends of a source out.")]
Silence = Annotated[
    float | None, typer.Option(metavar="DB", help="What is under this is silence, in dB. [default: -60]")
]
Fade = Annotated[
    str | None, typer.Option(metavar="SECONDS|IN,OUT", help="Raise the start from silence, lower the end to it.")
]
Slice = Annotated[
    str | None, typer.Option("--slice", metavar="SECONDS|onsets", help="Cut sources into windows, or at attacks.")
]
Overlap = Annotated[
    float | None, typer.Option(metavar="SHARE", help="What windows have in common with the next. [default: 0]")
]
MinSide = Annotated[float | None, typer.Option(metavar="D", help="Leave out what has a side distance under this.")]
MaxPeak = Annotated[float | None, typer.Option(metavar="DB", help="Leave out what has a true peak over this.")]
OnlyStereo = Annotated[
    bool, typer.Option("--only-stereo", help="Leave out (nearly) mono, one-sided, inverted and silent sound.")
]
Augment = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[:REACH],...", help="Variants of training clips: stabs24, or names of 'list augmentation'."
    ),
]
Variants = Annotated[int | None, typer.Option(metavar="N", help="How many of each training clip. [default: 1]")]
Degrade = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[:VALUE],...",
        help="Pairs of a degraded and the clean clip: phone, or names of 'list degradation'.",
    ),
]
Uneven = Annotated[
    float | None, typer.Option(metavar="SHARE", help="How far degradations weaken along a track. [default: 0.5]")
]
NearDuplicates = Annotated[
    Literal["keep", "group", "drop"],
    typer.Option(help="The same sound again (encoded, gained, trimmed ...): as it is, in one split, left out."),
]
Labels = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="CSV with file_name, label and other columns."),
]
Group = Annotated[str | None, typer.Option(metavar="COLUMN|folder", help="Clips that share this stay in one split.")]
Split = Annotated[str, typer.Option(metavar="SHARES", help="Shares of train, validation and test.")]
Assign = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="CSV with group,split: splits given by hand."),
]
Deleted = Annotated[
    Literal["keep", "remove"], typer.Option(help="What becomes of the clips of sources that are no longer there.")
]
AcceptFailed = Annotated[
    bool, typer.Option("--accept-failed", help="Inputs that failed before and are as they were are no fault.")
]
Report = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="JSON file with all that this run did."),
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="tcp://HOST:PORT", help="Work on this dask cluster, which must see the files where they are."),
]
Rebuild = Annotated[
    bool, typer.Option("--force", help="Make everything anew, with other settings and without what is gone.")
]


def prep(
    output: Output,
    sources: Sources = None,
    folder: Folder = ...,  # type: ignore[assignment]
    synth: Synth = None,
    count: Count = None,
    rate: Rate = 44_100,
    length: Length = None,
    normalize: Normalize = "none",
    level: Level = None,
    bits: Bits = "16",
    container: Format = "wav",
    trim_silence: Trim = False,
    silence: Silence = None,
    fade: Fade = None,
    slicing: Slice = None,
    overlap: Overlap = None,
    min_side: MinSide = None,
    max_peak: MaxPeak = None,
    only_stereo: OnlyStereo = False,
    near_duplicates: NearDuplicates = "keep",
    augment: Augment = None,
    variants: Variants = None,
    degrade: Degrade = None,
    uneven: Uneven = None,
    labels: Labels = None,
    only: options.Only = None,
    group: Group = None,
    split: Split = "0.8,0.1,0.1",
    assign: Assign = None,
    seed: options.Seed = 0,
    strict: options.Strict = False,
    deleted: Deleted = "keep",
    accept_failed: AcceptFailed = False,
    force: Rebuild = False,
    dry_run: options.DryRun = False,
    catalog: options.Catalog = None,
    report: Report = None,
    jobs: options.Jobs = None,
    cluster: Cluster = None,
) -> Status:
    """Make a data set, or bring it up to date: decode, resample, make stereo, fit, level, split.

    Writes train, validation and test folders of sound files, metadata.jsonl and dataset.json. A bad file is
    reported with its reason and the rest is done (status 3).

    Run it again, and only what changed is done: new, changed, renamed and deleted sources. A run that was killed
    is finished by the next one, with the same bytes. Other settings are refused (status 2); --force rebuilds.
    """
    from stereokit.cli.tables import prep_table
    from stereokit.data.text import nfc
    from stereokit.workflows.prep import prep as workflow
    from stereokit.workflows.prep_clips import ClipWords, preparation_of
    from stereokit.workflows.prep_settings import PrepSettings

    words = ClipWords(
        rate=rate, length=length, normalize=normalize, target=level, bits=bits, container=container,
        is_trimmed=trim_silence, silence=silence, fade=fade, slicing=slicing, overlap=overlap, min_side=min_side,
        max_peak=max_peak, is_only_stereo=only_stereo, near_duplicates=near_duplicates, augment=augment,
        variants=variants, degrade=degrade, uneven=uneven,
    )  # fmt: skip
    settings = PrepSettings(
        sources=tuple(sources or ()), output=folder, synth=synth, count=count, preparation=preparation_of(words),
        labels=labels, only=tuple(map(nfc, only or ())), group=group, split=split, assign=assign, seed=seed,
        strict=strict, force=force, is_dry_run=dry_run, jobs=jobs, catalog=catalog, deleted=deleted,
        accept_failed=accept_failed, report=report, cluster=cluster,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin), prep_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "prep")(prep)
