"""``stereokit completion``."""

from typing import Annotated, Literal

import typer

from stereokit.cli.command import register
from stereokit.cli.output import Output
from stereokit.errors import Status

Shell = Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Whose script to print.")]


def completion(output: Output, shell: Shell) -> Status:
    """Print the completion script of a shell.

    For example: stereokit completion bash > ~/.local/share/bash-completion/completions/stereokit
    """
    from stereokit.workflows.completion import completion_script

    output.write(completion_script(shell))
    return Status.DONE


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    register(app, "completion")(completion)
