"""``stereokit enhance``."""

import typer

from stereokit.cli import options
from stereokit.cli.changing_options import Bits, Channels, Loudness, Run, Sources, Target, Wet
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status


def enhance(
    output: Output,
    run: Run,
    sources: Sources,
    target: Target = ...,  # type: ignore[assignment]
    wet: Wet = 1.0,
    channels: Channels = "stereo",
    loudness: Loudness = "keep",
    bits: Bits = "24",
    device: options.Device = "auto",
    strict: options.Strict = False,
    force: options.Force = False,
    dry_run: options.DryRun = False,
) -> Status:
    """Convert recordings with a trained model.

    Any length and rate, in little memory; the result has the length, the rate and the loudness of its input, sample by
    sample beside it. A folder gets metadata.jsonl with the drift of the stereo width; run again, only what is new or
    changed is converted. With '-' for SRC and OUT a sound goes from pipe to pipe.
    """
    from stereokit.cli.tables import enhance_table

    if target == "-":
        output.refuse_terminal("-o -")
    try:
        from stereokit.workflows.enhance import enhance as workflow
        from stereokit.workflows.enhance_settings import EnhanceSettings
    except ImportError as error:
        raise options.missing_extra(error, "train") from error
    settings = EnhanceSettings(
        run=run, sources=tuple(sources), output=target, wet=wet, channels=channels, is_loudness_kept=loudness == "keep",
        encoding=bits, device=device, strict=strict, force=force, is_dry_run=dry_run,
    )  # fmt: skip
    return output.show(workflow(settings, output.streams.stdin, output.streams.stdin_bytes), enhance_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "enhance")(enhance)
