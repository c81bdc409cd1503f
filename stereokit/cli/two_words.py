"""Commands of two words: ``stereokit prep verify`` is the command that is registered as "prep verify"."""

from collections.abc import MutableMapping, Sequence

import typer
import typer.main
from typer.core import TyperGroup


def joined(arguments: Sequence[str], app: typer.Typer) -> list[str]:
    """Make one word of the first two where they are a command's name.

    A source may have the name of a second word: with an option that only the command of one word has, it is that
    command (``prep verify -o ds``), and ``./verify`` is a source everywhere.
    """
    words = list(arguments)
    name = " ".join(words[:2])
    if len(words) < 2 or not any(info.name == name for info in app.registered_commands):
        return words
    group = typer.main.get_command(app)
    if isinstance(group, TyperGroup) and words[0] in group.commands:
        theirs = {option for parameter in group.commands[name].params for option in parameter.opts}
        others = {option for parameter in group.commands[words[0]].params for option in parameter.opts} - theirs
        if any(_option(word, others) for word in words[2:]):
            return words
    return [name, *words[2:]]


def _option(word: str, options: set[str]) -> bool:
    """Tell whether a word is one of these options, with its value behind it or not."""
    if word.startswith("--"):
        return word.partition("=")[0] in options
    return word.startswith("-") and word[:2] in options


def join_for_completion(environment: MutableMapping[str, str], app: typer.Typer) -> None:
    """Make one word of a command's two in what a shell says was typed so far."""
    for name in (info.name for info in app.registered_commands if info.name and " " in info.name):
        first, second = name.split()
        if "COMP_WORDS" in environment:
            words = environment["COMP_WORDS"].split("\n")
            number = int(environment.get("COMP_CWORD", "0"))
            if words[1:3] == [first, second] and number > 2:
                environment["COMP_WORDS"] = "\n".join([words[0], f"'{name}'", *words[3:]])
                environment["COMP_CWORD"] = str(number - 1)
        typed = environment.get("_TYPER_COMPLETE_ARGS", "").split(" ")
        if typed[1:3] == [first, second] and len(typed) > 3:
            environment["_TYPER_COMPLETE_ARGS"] = " ".join([typed[0], f"'{name}'", *typed[3:]])
