"""``stereokit transfer``."""

from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.changing_options import Bits, Channels, Loudness, Run, Sources, Target, Wet
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Genre = Annotated[
    str, typer.Option("--to", metavar="GENRE", help="What the sounds should become, of the run's genres.")
]
Source = Annotated[
    str | None, typer.Option("--from", metavar="GENRE", help="What they are, where the run knows more than two.")
]


def transfer(
    output: Output,
    run: Run,
    sources: Sources,
    target_label: Genre = ...,  # type: ignore[assignment]
    target: Target = ...,  # type: ignore[assignment]
    source_label: Source = None,
    wet: Wet = 1.0,
    channels: Channels = "stereo",
    loudness: Loudness = "keep",
    bits: Bits = "24",
    device: options.Device = "auto",
    strict: options.Strict = False,
    force: options.Force = False,
    dry_run: options.DryRun = False,
) -> Status:
    """Turn sounds of one genre into another with a trained model.

    Any length and rate, in little memory; the result has the length, the rate and the loudness of its input, sample by
    sample beside it. A folder gets metadata.jsonl with the drift of the stereo width; run again, only what is new or
    changed is translated. With '-' for SRC and OUT a sound goes from pipe to pipe.
    """
    from stereokit.cli.tables import enhance_table

    if target == "-":
        output.refuse_terminal("-o -")
    try:
        from stereokit.workflows.transfer import TransferSettings
        from stereokit.workflows.transfer import transfer as workflow
    except ImportError as error:
        raise options.missing_extra(error, "train") from error
    settings = TransferSettings(
        run=run, sources=tuple(sources), output=target, target_label=target_label, source_label=source_label, wet=wet,
        channels=channels, is_loudness_kept=loudness == "keep", encoding=bits, device=device, strict=strict,
        force=force, is_dry_run=dry_run,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin, output.streams.stdin_bytes), enhance_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "transfer")(transfer)
