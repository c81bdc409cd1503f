"""What ``stereokit enhance`` was given: sounds that can be read, what each result is called, and what is refused."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stereokit.audio.blocks import Blocks, open_blocks
from stereokit.audio.files import Encoding
from stereokit.audio.stream import longest_frames
from stereokit.data.sources import Refusal, Source, find_sources
from stereokit.data.text import output_stem
from stereokit.errors import BadInputError, UsageError

# What may be part of a name on every system, and stands for itself.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _.,()+#&-]*(?<![ .])")


@dataclass(frozen=True)
class Item:
    """A sound to convert.

    Attributes
    ----------
    path
        Where it is.
    key
        Its name among the sources.
    file_name
        Of the result, inside the output folder.
    seconds
        Its length.
    """

    path: Path
    key: str
    file_name: str
    seconds: float


@dataclass(frozen=True)
class EnhancePlan:
    """What is converted, and what cannot be."""

    items: list[Item]
    refused: list[Refusal]

    @property
    def seconds(self) -> float:
        """Length of all sounds."""
        return sum(item.seconds for item in self.items)


def plan_folder(given: Sequence[str], stdin: Iterable[str] | None, output: Path, encoding: Encoding) -> EnhancePlan:
    """Find the sounds, look at each, and name the results as their sources, as far as every system knows such a name.

    Results of an earlier run that lie among the sources are none.

    Raises
    ------
    UsageError
        When what was given does not exist, or two results would have one name.
    BadInputError
        When a folder or list cannot be read.
    """
    sources: list[Source] = []
    refused: list[Refusal] = []
    for word in given:
        found = find_sources(word, stdin)
        sources += found.sources
        refused += found.refused
    inside = output.resolve()
    sources = [source for source in sources if not source.path.resolve().is_relative_to(inside)]
    items = []
    for source, name in zip(sources, _names(sources), strict=True):
        try:
            sound = checked_sound(source.path, encoding)
        except BadInputError as error:
            refused.append(Refusal(str(source.path), str(error)))
        else:
            items.append(Item(source.path, source.key, name, sound.frames / sound.sample_rate))
    return EnhancePlan(items, refused)


def checked_sound(path: Path, encoding: Encoding) -> Blocks:
    """Open a sound that can be converted.

    Raises
    ------
    BadInputError
        When it cannot be read, has more than two channels, or its result would be more than a WAV file can hold.
    """
    sound = open_blocks(path)
    if sound.channels > 2:
        raise BadInputError(f"has {sound.channels} channels: 1 or 2 are converted")
    if sound.frames > longest_frames(encoding):
        raise BadInputError(
            f"has {sound.frames} frames: a WAV file of {encoding} bit holds {longest_frames(encoding)}; "
            "use --bits 16, or cut it"
        )
    return sound


def _names(sources: Sequence[Source]) -> list[str]:
    """Return what each result is called: its source's own name, or a safe one where it has none of its own.

    Raises
    ------
    UsageError
        When two would have one name.
    """
    plain = [_plain_name(source.key) for source in sources]
    counts = Counter(name.lower() for name in plain)
    names = [
        name if name and counts[name.lower()] == 1 else f"{output_stem(f'{source.root}/{source.key}')}.wav"
        for name, source in zip(plain, sources, strict=True)
    ]
    seen: dict[str, Path] = {}
    for name, source in zip(names, sources, strict=True):
        if (other := seen.setdefault(name.lower(), source.path)) != source.path:
            raise UsageError(f"{other} and {source.path}: have one name ({source.key}); convert them apart")
    return names


def _plain_name(key: str) -> str:
    """Return a key with ``.wav`` at its end, or nothing where some system would not take it."""
    pure = PurePosixPath(key)
    is_plain = not pure.is_absolute() and all(_PLAIN.fullmatch(part) for part in pure.parts)
    return pure.with_suffix(".wav").as_posix() if is_plain else ""


def refuse_own_input(sources: Iterable[Path], target: Path) -> None:
    """Refuse a target that is a source, by whatever name.

    Raises
    ------
    UsageError
        Naming both.
    """
    for source in sources:
        try:
            is_same = source.samefile(target)
        except OSError:
            continue
        if is_same:
            raise UsageError(f"-o {target}: is the input {source} itself, which is never overwritten")
