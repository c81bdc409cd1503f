"""Man pages, written from the commands themselves."""

import textwrap
from collections.abc import Iterator

import typer
import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from stereokit import __version__
from stereokit.errors import STATUS_MEANINGS

# A page's date changes with what it says, not with the day it is made.
_DATE = "2026-11-21"
# Escapes lengthen a line; mandoc asks for 80 at most.
_SOURCE_WIDTH = 64

_ENVIRONMENT = {
    "NO_COLOR": "Tables and progress are drawn without colour.",
    "NUMBA_CACHE_DIR": "Where compiled code is kept, if neither the package's nor the user's folder can be written.",
}

_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "stereokit": (
        ("A data set of procedural stabs, and a score:", "stereokit prep --synth stabs --count 256 -o stabs"),
        ("", "stereokit score stabs/test stabs/train"),
    ),
    "demo": (
        ("Everything once, to look at and listen to:", "stereokit demo"),
        ("Then more of its sounds:", "stereokit generate stereokit-demo/run -n 16 -o more --seed 1"),
    ),
    "render-midi": (
        ("Electric piano as input, grand piano as target:", "stereokit render-midi songs/ -o pairs --programs 4,0"),
        (
            "Equally loud, without the input's pedal, cut into windows:",
            "stereokit render-midi songs/ -o pairs --match-level --pedal remove,keep --window 8192 --overlap 0.5",
        ),
    ),
    "prep": (
        (
            "Drum machines, split by machine, 0.6 s each:",
            "stereokit prep drums/ -o ds --labels drums/labels.csv --group machine --length 0.6",
        ),
        ("What would be done:", "stereokit prep drums/ -o ds --dry-run"),
        ("Every night, by cron; known bad files are no fault:", "stereokit prep drums/ -o ds --accept-failed -q"),
        ("A list of files:", "find . -name '*kick*.wav' | stereokit prep - -o kicks"),
    ),
    "prep-verify": (("Some of it every night:", "stereokit prep verify ds --at-most 20m"),),
    "import-weights": (
        (
            "A published network, to begin a training with:",
            "stereokit import-weights Cnn14.pth --as cnn14 -o cnn14.safetensors",
        ),
        (
            "Only its last part learns:",
            "stereokit train drum-classifier ds -o run --preset cnn14 --weights cnn14.safetensors --freeze base",
        ),
    ),
    "train": (
        ("Ten minutes on prepared kicks:", "stereokit train sample-gan kicks/ -o run --minutes 10"),
        ("How large it is and how long a step takes:", "stereokit train sample-gan kicks/ -o run --dry-run"),
        ("Go on after Ctrl-C:", "stereokit train --resume -o run"),
    ),
    "generate": (
        (
            "64 clips, and how near they come to the test clips:",
            "stereokit generate run -n 64 -o gen | stereokit score - ds/test",
        ),
        ("Eight clips one after another, to listen to:", "stereokit generate run -n 8 -o - > eight.wav"),
        (
            "From clip 3 of the seed to clip 17, on a page to see and hear:",
            "stereokit generate run --interpolate 3 17 -o way --page way.html",
        ),
        ("The 16 of 400 that the model's critic takes for real:", "stereokit generate run --select 16-of-400 -o best"),
    ),
    "transfer": (
        ("Classical clips as jazz, by a run that knows these two:", "stereokit transfer run clips/ --to jazz -o out"),
        ("Half of it, of one file:", "stereokit transfer run in.wav --to jazz -o out.wav --wet 0.5"),
    ),
    "enhance": (
        ("A folder of recordings; run again, only what is new:", "stereokit enhance run in/ -o out"),
        ("Half of it, and the side as it was:", "stereokit enhance run in.wav -o out.wav --wet 0.5 --channels mid"),
        ("From pipe to pipe:", "stereokit enhance run - -o - < in.wav > out.wav"),
    ),
    "score": (
        ("Guard a CI job; status 1 when coverage is low:", "stereokit score gen/ ref/ --json --fail-if 'cov<0.4'"),
        ("The paper's own figures on its stabs:", "stereokit score gen/ ref/ --protocol ml2020 --drop-silent"),
        ("Timbre and width together:", "stereokit score gen/ ref/ --feature logmel"),
    ),
    "label": (("What a model says that sounds are:", "stereokit label predict run drums/"),),
    "label-predict": (
        (
            "A folder a label, without what the model is unsure of:",
            "stereokit label predict run drums/ --abstain 0.6 --sort-into sorted",
        ),
        (
            "Weak labels from names, as a table that prep reads:",
            "stereokit label predict --from-names drums/ --csv > names.csv",
        ),
    ),
    "label-propagate": (
        (
            "The labels of a few to all, without the unsure ones:",
            "stereokit label propagate drums/ --labels some.csv --abstain 0.6 --csv > all.csv",
        ),
        (
            "How well that works, by file and by machine:",
            "stereokit label propagate drums/ --labels labels.csv --evaluate --group machine",
        ),
    ),
    "label-audit": (
        (
            "Guard a CI job against wrong labels:",
            "stereokit label audit ds/ --labels metadata --fail-if 'suspect_share>0.1' --fail-if 'duplicates>0'",
        ),
    ),
    "label-map": (
        (
            "A page to move about in, with the labels that the data set has:",
            "stereokit label map ds/ --labels metadata --html map.html --save map.npz",
        ),
        (
            "Where new clips lie on that map, which does not move:",
            "stereokit label map new/ --into map.npz --csv > places.csv",
        ),
    ),
    "label-review": (
        (
            "Label a folder by ear, the most useful clips first, and keep the labels as a table:",
            "stereokit label review drums/ --classes kick,snare,hat -o drums.sqlite --csv > labels.csv",
        ),
        (
            "Draw the map of a large set once, and go on with it another day:",
            "stereokit label map drums/ --save drums.npz && stereokit label review drums/ --map drums.npz",
        ),
        ("What has been decided so far:", "stereokit label review drums/ -o drums.sqlite --results"),
    ),
    "score-listen": (
        (
            "Which of two models do people prefer? 20 pairs, 4 of them twice:",
            "stereokit score listen mine/ theirs/ -o study.sqlite --pairs 20 --controls 4 --groups musicians,others",
        ),
        (
            "Which is nearer to the original, as a picture:",
            "stereokit score listen mine/ theirs/ originals/ -o near.sqlite --plot near.svg",
        ),
        ("How it stands, while people listen:", "stereokit score listen -o study.sqlite --results --per-listener"),
    ),
    "list": (("The features of score:", "stereokit list feature"),),
    "doctor": (("What is used, and under which licence:", "stereokit doctor --licences"),),
    "completion": (
        (
            "For bash, for one user:",
            "stereokit completion bash > ~/.local/share/bash-completion/completions/stereokit",
        ),
    ),
}


def manual_pages(app: typer.Typer) -> dict[str, str]:
    """Return each man page's text by its file name, for the program and each of its commands."""
    group = typer.main.get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError("the program must have several commands")
    context = typer.Context(group, info_name="stereokit")
    names = list(group.commands)
    related = [_page_name(name) for name in names]
    pages = {"stereokit.1": "\n".join(_page(group, context, "stereokit", related)) + "\n"}
    for name, command in group.commands.items():
        if not isinstance(command, TyperCommand):
            raise TypeError(f"{name} is no command")
        own = typer.Context(command, info_name=name, parent=context)
        others = ["stereokit", *(page for page in related if page != _page_name(name))]
        pages[f"{_page_name(name)}.1"] = "\n".join(_page(command, own, _page_name(name), others)) + "\n"
    return pages


def _page_name(command: str) -> str:
    return f"stereokit-{command}".replace(" ", "-")


def _page(command: TyperCommand | TyperGroup, context: typer.Context, name: str, related: list[str]) -> Iterator[str]:
    help_text = (command.help or "").strip()
    summary, _, rest = help_text.partition("\n")
    yield f'.TH {name.upper()} 1 {_DATE} "stereokit {__version__}" "User Commands"'
    yield ".SH NAME"
    yield from _lines(f"{name} \0 {summary.rstrip('.')}")
    yield ".SH SYNOPSIS"
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption)]
    words = ["[\\fIOPTIONS\\fR]", *(_argument_word(one) for one in arguments)]
    if isinstance(command, TyperGroup):
        words.append("\\fICOMMAND\\fR [\\fIARGUMENTS\\fR]")
    yield f".B {name.replace('-', ' ')}"
    yield " ".join(words)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(f"{summary}\n{rest}")
    if isinstance(command, TyperGroup):
        yield ".SH COMMANDS"
        for child, entry in command.commands.items():
            yield from _entry(f"\\fBstereokit {_text(child)}\\fR", (entry.help or "").strip().partition("\n")[0])
    if arguments:
        yield ".SH ARGUMENTS"
        for argument in arguments:
            yield from _entry(_argument_word(argument), argument.help or "")
    yield ".SH OPTIONS"
    for option in options:
        yield from _entry(_option_words(option, context), _option_help(option))
    yield from _entry("\\fB\\-h\\fR, \\fB\\-\\-help\\fR", "Show a summary and exit.")
    yield from _closing(name, related)


def _closing(name: str, related: list[str]) -> Iterator[str]:
    """Write the sections that every page ends with."""
    yield ".SH EXIT STATUS"
    for status, meaning in STATUS_MEANINGS.items():
        yield from _entry(f"\\fB{int(status)}\\fR", meaning)
    yield ".SH ENVIRONMENT"
    for variable, meaning in _ENVIRONMENT.items():
        yield from _entry(f"\\fB{variable}\\fR", meaning)
    yield ".SH EXAMPLES"
    for number, (words_before, line) in enumerate(_EXAMPLES[name.removeprefix("stereokit-")]):
        if words_before:
            yield from (".PP",) * bool(number)
            yield from _lines(words_before)
        yield from (".RS 4", ".nf", _text(line), ".fi", ".RE")
    yield ".SH SEE ALSO"
    yield ",\n".join(f".BR {page} (1)" for page in sorted(related)).replace("(1),", "(1) ,")


def _argument_word(argument: TyperArgument) -> str:
    word = f"\\fI{_text((argument.metavar or argument.name or '').upper())}\\fR"
    return word if argument.required else f"[{word}]"


def _option_words(option: TyperOption, context: typer.Context) -> str:
    flags = ", ".join(f"\\fB{_text(flag)}\\fR" for flag in sorted((*option.opts, *option.secondary_opts), key=len))
    if option.is_flag:
        return flags
    word = option.metavar or option.display_type(context).strip("<>")
    return f"{flags} \\fI{_text(word)}\\fR"


def _option_help(option: TyperOption) -> str:
    text = option.help or ""
    if option.default is None or option.is_flag or option.required:
        return text
    return f"{text} [default: {option.default}]"


def _entry(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield term
    yield from _lines(text)


def _paragraphs(text: str) -> Iterator[str]:
    for index, paragraph in enumerate(text.split("\n\n")):
        if index:
            yield ".PP"
        yield from _lines(paragraph)


def _lines(text: str) -> Iterator[str]:
    """Fill text into short source lines; a NUL stands for the dash after a page's name."""
    for line in textwrap.wrap(text, _SOURCE_WIDTH, break_long_words=False, break_on_hyphens=False):
        yield _text(line).replace("\0", "\\-")


def _text(text: str) -> str:
    """Escape what roff would act on."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
