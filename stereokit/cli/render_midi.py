"""``stereokit render-midi``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Sources = Annotated[
    list[str] | None, typer.Argument(metavar="SRC...", help="Folders, MIDI files, .jsonl or .txt lists, or '-'.")
]
Folder = Annotated[
    Path, typer.Option("--output", "-o", parser=options.file_path, metavar="DATASET", help="The data set's folder.")
]
Programs = Annotated[
    str, typer.Option(metavar="P,...", help="A side each: 0 to 127 or keep; the last is the target of the others.")
]
Velocity = Annotated[str, typer.Option(metavar="V,...", help="keep, 1 to 127 for all notes, or x0.5 to scale.")]
Pedal = Annotated[str, typer.Option(metavar="P,...", help="keep, remove, or down all the time.")]
Controls = Annotated[str, typer.Option(metavar="C,...", help="keep, remove, or fixed: 7=100+10=64.")]
Transpose = Annotated[str, typer.Option(metavar="N,...", help="Semitones, of all but the drums.")]
Drums = Annotated[str, typer.Option(metavar="D,...", help="keep, or remove the drums' channel.")]
Tempo = Annotated[float, typer.Option(min=0.05, max=20.0, metavar="F", help="Times the song's own, for all sides.")]
Tail = Annotated[float, typer.Option(min=0.0, max=60.0, metavar="SECONDS", help="What rings out after the last note.")]
MatchLevel = Annotated[bool, typer.Option("--match-level", help="Bring every side to the loudness of the target.")]
Peak = Annotated[
    float, typer.Option(min=-60.0, max=0.0, metavar="DB", help="Of the loudest sample of all sides: one gain for all.")
]
Renderer = Annotated[
    str,
    typer.Option(metavar="NAME", help="builtin, fluidsynth or symusic.", autocompletion=options.complete_renderers),
]
SoundFont = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="An .sf2 file. [default: pretty_midi's TimGM6mb]"),
]
Window = Annotated[
    int | None, typer.Option(min=16, max=1 << 24, metavar="N", help="Cut into windows of N samples. [default: whole]")
]
Overlap = Annotated[float, typer.Option(min=0.0, max=0.99, metavar="SHARE", help="Of a window with the next one.")]
Rate = Annotated[int, typer.Option(min=8_000, max=192_000, metavar="HZ", help="Sample rate in Hz.")]
Bits = Annotated[Literal["16", "24", "float"], typer.Option(help="Encoding of the samples.")]
MaxSeconds = Annotated[
    float, typer.Option(min=1.0, max=7_200.0, metavar="S", help="Songs that last longer are refused.")
]
MaxNotes = Annotated[int, typer.Option(min=1, max=2_000_000, metavar="N", help="So are songs of more notes.")]
Group = Annotated[
    str | None,
    typer.Option(metavar="COLUMN|folder", help="Songs that share this stay in one split. [default: the same notes]"),
]
Split = Annotated[str, typer.Option(metavar="SHARES", help="Shares of train, validation and test.")]
Assign = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="CSV with group,split: splits given by hand."),
]
Deleted = Annotated[
    Literal["keep", "remove"], typer.Option(help="What becomes of the renders of songs that are no longer there.")
]
AcceptFailed = Annotated[
    bool, typer.Option("--accept-failed", help="Songs that failed before and are as they were are no fault.")
]
Report = Annotated[
    Path | None,
    typer.Option(parser=options.file_path, metavar="FILE", help="JSON file with all that this run did."),
]
Rebuild = Annotated[
    bool, typer.Option("--force", help="Make everything anew, with other settings and without what is gone.")
]


def render_midi(
    output: Output,
    sources: Sources = None,
    folder: Folder = ...,  # type: ignore[assignment]
    programs: Programs = "4,0",
    velocity: Velocity = "keep",
    pedal: Pedal = "keep",
    controls: Controls = "keep",
    transpose: Transpose = "0",
    drums: Drums = "keep",
    tempo: Tempo = 1.0,
    tail: Tail = 2.0,
    match_level: MatchLevel = False,
    peak: Peak = -1.0,
    renderer: Renderer = "builtin",
    soundfont: SoundFont = None,
    window: Window = None,
    overlap: Overlap = 0.0,
    rate: Rate = 44_100,
    bits: Bits = "16",
    max_seconds: MaxSeconds = 1_800.0,
    max_notes: MaxNotes = 200_000,
    group: Group = None,
    split: Split = "0.8,0.1,0.1",
    assign: Assign = None,
    strict: options.Strict = False,
    deleted: Deleted = "keep",
    accept_failed: AcceptFailed = False,
    force: Rebuild = False,
    dry_run: options.DryRun = False,
    catalog: options.Catalog = None,
    report: Report = None,
    jobs: options.Jobs = None,
) -> Status:
    """Render each MIDI file once per program: aligned stereo pairs of input and target.

    All sides of a song have one length, and their notes start on the same samples, which is proved for each. Words
    with commas are a side each. Runs again do only what changed, as prep does; songs never cross splits.
    """
    from stereokit.data.isolated_process import start_server

    if not dry_run:
        # What renders takes as long to load as all that follows here.
        start_server(["stereokit.data.midi.rendering"])
    from stereokit.cli.tables import render_midi_table
    from stereokit.workflows.build_job import BuildWords
    from stereokit.workflows.render_midi import render_midi as workflow
    from stereokit.workflows.render_midi_settings import RenderMidiSettings, rendering_of, sides_of

    sides = sides_of(programs, velocity=velocity, pedal=pedal, controls=controls, transpose=transpose, drums=drums)
    rendering = rendering_of(
        sides, soundfont, renderer=renderer, window=window, overlap=overlap, max_seconds=max_seconds,
        max_notes=max_notes, sample_rate=rate, tempo=tempo, tail=tail, match_level=match_level, peak_db=peak,
        encoding=bits,
    )  # fmt: skip
    words = BuildWords(
        output=folder, catalog=catalog, deleted=deleted, force=force, strict=strict, accept_failed=accept_failed,
        is_dry_run=dry_run, report=report,
    )  # fmt: skip
    settings = RenderMidiSettings(tuple(sources or ()), rendering, words, group, split, assign, jobs)
    return output.show(workflow(settings, output.streams.stdin), render_midi_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "render-midi")(render_midi)
