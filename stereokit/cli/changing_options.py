"""Options of the commands that make sounds of sounds."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stereokit.cli import options

Run = Annotated[
    Path,
    typer.Argument(
        parser=options.file_path,
        metavar="RUN",
        help="The folder that train left.",
        autocompletion=options.complete_runs,
    ),
]
Sources = Annotated[
    list[str], typer.Argument(metavar="SRC...", help="Sound files, folders, .jsonl or .txt lists, or '-'.")
]
Target = Annotated[
    str, typer.Option("--output", "-o", metavar="OUT", help="A folder, a file ending in .wav, or '-' for stdout.")
]
Wet = Annotated[float, typer.Option(metavar="SHARE", help="Of the converted sound; the rest stays as it was.")]
Channels = Annotated[
    Literal["stereo", "mid", "mid-side"],
    typer.Option(help="Both through the model, the mid alone with the side as it was, or mid and side apart."),
]
Loudness = Annotated[
    Literal["keep", "free"], typer.Option(help="Bring the converted sound to its input's, by one gain a file.")
]
Bits = Annotated[Literal["16", "24", "float"], typer.Option(help="Encoding of the WAV files.")]
