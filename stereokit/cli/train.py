"""``stereokit train``."""

from pathlib import Path
from typing import Annotated

import typer

from stereokit.cli import options
from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

FamilyName = Annotated[
    str | None,
    typer.Argument(
        metavar="FAMILY", help="What to train: see 'list family'.", autocompletion=options.complete_families
    ),
]
Dataset = Annotated[
    Path | None,
    typer.Argument(
        parser=options.file_path,
        metavar="DATASET",
        help="A folder that prep or render-midi made, or '-' for the one that they pipe.",
    ),
]
Run = Annotated[Path, typer.Option("--output", "-o", parser=options.file_path, metavar="RUN", help="The run's folder.")]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Named settings of the family. [default: default]",
        autocompletion=options.complete_presets,
    ),
]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Replace a field of the preset; repeatable.")
]
Steps = Annotated[int | None, typer.Option(min=1, metavar="N", help="Length in steps. [default: the preset's]")]
Epochs = Annotated[float | None, typer.Option(metavar="N", help="Length in passes through the data.")]
Minutes = Annotated[float | None, typer.Option(metavar="M", help="Length on the clock; resuming counts on.")]
Seed = Annotated[int | None, typer.Option(min=0, metavar="N", help="Seed of everything random; recorded. [default: 0]")]
Devices = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Processes with a device, or a CPU thread, each. [default: 1]"),
]
Precision = Annotated[str | None, typer.Option(metavar="P", help="32-true, bf16-mixed or 64-true. [default: 32-true]")]
Compile = Annotated[bool, typer.Option("--compile", help="Compile the networks where that is possible.")]
Patience = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="End after so many validations without improvement.")
]
Condition = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column of metadata that labels come from; pitch-in-name: pitch classes in file names. [default: label]",
    ),
]
OnCollapse = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="When clips become few, alike or mono or gradients explode: warn, stop, back (to the best state) or off. "
        "[default: warn]",
        autocompletion=lambda: ["warn", "stop", "back", "off"],
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        parser=options.file_path, metavar="FILE", help="Begin with weights that import-weights made of published ones."
    ),
]
Freeze = Annotated[
    str | None,
    typer.Option(
        metavar="PART",
        help="base: of a published network only the last part learns. [default: none]",
        autocompletion=lambda: ["base", "none"],
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from RUN with its own settings; a larger length prolongs.")
]


def train(
    output: Output,
    family: FamilyName = None,
    dataset: Dataset = None,
    run: Run = ...,  # type: ignore[assignment]
    preset: Preset = None,
    assignments: Assignments = None,
    steps: Steps = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    only: options.Only = None,
    condition: Condition = None,
    weights: Weights = None,
    freeze: Freeze = None,
    seed: Seed = None,
    device: options.Device = "auto",
    devices: Devices = None,
    precision: Precision = None,
    compiled: Compile = False,
    patience: Patience = None,
    on_collapse: OnCollapse = None,
    resume: Resume = False,
    force: options.Force = False,
    dry_run: options.DryRun = False,
) -> Status:
    """Train a model family on a data set; Ctrl-C saves, and --resume goes on.

    Writes config.json, model.safetensors (the averaged model that came nearest to the validation clips), log.jsonl,
    curve.png, previews or a report of what it tells right, and all that --resume needs. FAMILY and DATASET may be left
    out with --resume.
    """
    from stereokit.data.dataset import piped_dataset
    from stereokit.data.text import nfc

    if dataset == Path("-"):
        dataset = piped_dataset(output.streams.stdin)
    try:
        from stereokit.workflows.train import train as workflow
        from stereokit.workflows.train_settings import TrainSettings
    except ImportError as error:
        raise options.missing_extra(error, "train") from error
    settings = TrainSettings(
        run=run, family=family, dataset=dataset, preset=preset, assignments=tuple(assignments or ()), steps=steps,
        epochs=epochs, minutes=minutes, seed=seed, devices=devices, device=device, precision=precision,
        is_compiled=compiled, patience=patience, on_collapse=on_collapse, only=tuple(map(nfc, only or ())),
        condition=condition, weights=weights, freeze=freeze, is_dry_run=dry_run, resume=resume, force=force,
    )  # fmt: skip
    from stereokit.cli.tables import train_table

    return output.show(workflow(settings), train_table)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "train")(train)
