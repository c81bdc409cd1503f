"""Options that several commands share: the same name, letter and meaning everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from stereokit import catalog
from stereokit.errors import MissingError


def file_path(text: str) -> Path:
    """Read a path; an empty word is an unset variable more often than the current folder."""
    if not text:
        raise typer.BadParameter("is empty: give a path")
    return Path(text)


def complete_kinds() -> list[str]:
    """Complete a kind of the catalogue."""
    return list(catalog.LISTED_KINDS)


def complete_features() -> list[str]:
    """Complete a feature's name."""
    return catalog.names("feature")


def complete_distances() -> list[str]:
    """Complete a distance's name."""
    return catalog.names("distance")


def complete_voices() -> list[str]:
    """Complete a procedural voice's name."""
    return catalog.names("synth")


def complete_renderers() -> list[str]:
    """Complete a renderer's name."""
    return catalog.names("renderer")


def complete_propagations() -> list[str]:
    """Complete a way to propagate labels."""
    return catalog.names("propagation")


def complete_spaces() -> list[str]:
    """Complete a space in which labels are propagated."""
    return ["embedding", *catalog.names("layout")]


def complete_layouts() -> list[str]:
    """Complete a way to draw a map."""
    return catalog.names("layout")


def complete_clip_features(incomplete: str) -> list[str]:
    """Complete what clips are compared by: a feature's name, or the folder of a run."""
    named = [name for name in ["portrait", *catalog.names("feature")] if name.startswith(incomplete)]
    return [*named, *complete_runs(incomplete)]


def complete_families() -> list[str]:
    """Complete a model family's name."""
    return catalog.names("family")


def complete_presets(ctx: typer.Context) -> list[str]:
    """Complete a preset's name, of the family that was typed before it, or of any."""
    typed = ctx.params.get("family")
    families = [typed] if typed in catalog.names("family") else catalog.names("family")
    return sorted({preset for family in families for preset in catalog.load("family", family).presets})


def complete_runs(incomplete: str) -> list[str]:
    """Complete the folder of a run: those beside what is typed that have a ``config.json``."""
    above, slash, _ = incomplete.rpartition("/")
    try:
        folders = [path for path in Path(above + slash or ".").iterdir() if (path / "config.json").is_file()]
    except OSError:
        return []
    names = sorted(above + slash + path.name for path in folders)
    return [name for name in names if name.startswith(incomplete)]


def complete_second_words(*names: str) -> Callable[[typer.Context, str], list[str]]:
    """Return what completes the second word of a command of two, where nothing was typed before it."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        typed = any(value for value in ctx.params.values() if isinstance(value, list | tuple))
        words = [name.split()[1] for name in names]
        return [word for word in words if incomplete and not typed and word.startswith(incomplete)]

    return complete


def missing_extra(error: ImportError, extra: str) -> MissingError:
    """Return the one line for a command whose extra is not installed."""
    what = error.name.partition(".")[0] if error.name else str(error)
    return MissingError(f"{what} is not installed: pip install 'stereokit[{extra}]'")


Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Seed of everything random; recorded in the result.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, metavar="N", help="Processes [default: the CPUs this process may use]."),
]
Strict = Annotated[bool, typer.Option("--strict", help="With any refused input do nothing (status 4).")]
Only = Annotated[list[str] | None, typer.Option(metavar="LABEL", help="Only clips with this label; repeatable.")]
LabelSources = Annotated[
    list[str] | None,
    typer.Argument(metavar="SRC...", help="Folders, sound files, .jsonl or .txt lists, or '-'."),
]
LabelColumn = Annotated[str, typer.Option("--label-column", metavar="COLUMN", help="In which labels stand.")]
Abstain = Annotated[float, typer.Option(metavar="P", help="Say nothing of clips that are told less surely than this.")]
ClipFeatures = Annotated[
    str | None,
    typer.Option(
        metavar="FEATURES|RUN",
        help="What clips are compared by: portrait, mfcc, logmel ..., or a trained model that embeds. "
        "[default: portrait]",
        autocompletion=complete_clip_features,
    ),
]
MapLayout = Annotated[
    str | None,
    typer.Option(metavar="LAYOUT", help="umap, tsne or pca. [default: umap]", autocompletion=complete_layouts),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; write nothing.")]
Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="Where the model runs; auto takes the fastest there is.")
]
Catalog = Annotated[
    Path | None,
    typer.Option(parser=file_path, metavar="FILE", help="The catalogue, off a network disk. [default: inside]"),
]
