"""What a command was given to read: folders, single files, lists and rows, found in one order everywhere."""

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stereokit.audio.files import is_audio_name
from stereokit.data.text import printable
from stereokit.errors import BadInputError, UsageError
from stereokit.writing import contained_path

_TEXT_LIMIT_BYTES = 1 << 30
# What a row on a pipe says of a file that is there.
_IN_PLACE = ("done", "changed", "renamed")


@dataclass(frozen=True)
class Source:
    """A sound file to read.

    Attributes
    ----------
    path
        Where it is.
    key
        Its name inside what was given, with slashes: relative to the folder, the list or the row's manifest.
    root
        The name of the folder or list that was given.
    row
        The columns that a manifest gives it, without ``file_name``.
    """

    path: Path
    key: str
    root: str
    row: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """An input that was not used, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Found:
    """All that was found, sorted by path bytes, and all that was refused."""

    sources: list[Source]
    refused: list[Refusal]


def find_sources(
    given: str,
    stdin: Iterable[str] | None = None,
    *,
    single_file: bool = True,
    wanted: Callable[[str], bool] = is_audio_name,
    called: str = "sound",
) -> Found:
    """Resolve one argument of a command.

    Parameters
    ----------
    given
        A folder (searched recursively), ``-`` (paths or JSON rows from ``stdin``), a ``.jsonl`` manifest, a ``.txt``
        list of paths relative to it or, with ``single_file``, a sound file.
    stdin
        Lines of standard input, for ``-``.
    wanted
        Whether a file of a folder is taken, by its name.
    called
        What such a file is called.

    Raises
    ------
    UsageError
        When it does not exist, or is none of these.
    BadInputError
        When a folder or list cannot be read.
    """
    if not given:
        raise UsageError("an empty name (an unset variable?): give a folder or a list of files")
    if given == "-":
        return _sorted(_from_lines(stdin or (), Path(), "stdin", contained=False))
    path = Path(given)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{given}: {reason}; give a folder or a list of files") from error
    if stat.S_ISDIR(mode):
        return _sorted(_walk(path, wanted))
    if path.suffix.lower() in (".jsonl", ".txt"):
        lines = read_text(path).split("\n")
        contained = path.suffix.lower() == ".jsonl"
        return _sorted(_from_lines(lines, path.parent, printable(path.stem), contained=contained))
    if single_file and wanted(path.name):
        return _sorted(iter([_listed(path, path.name, printable(path.parent.resolve().name))]))
    kinds = "a folder, - , a .jsonl or a .txt list" + (f" or a {called} file" if single_file else "")
    raise UsageError(f"{given}: give {kinds}")


def _sorted(found: Iterator[Source | Refusal]) -> Found:
    sources: list[Source] = []
    refused: list[Refusal] = []
    seen: set[Path] = set()
    for entry in found:
        if isinstance(entry, Source) and entry.path in seen:
            refused.append(Refusal(str(entry.path), "is listed twice"))
        elif isinstance(entry, Source):
            seen.add(entry.path)
            sources.append(entry)
        else:
            refused.append(entry)
    sources.sort(key=lambda source: os.fsencode(source.path))
    refused.sort(key=lambda refusal: refusal.path)
    return Found(sources, refused)


def _walk(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Source | Refusal]:
    """Find the wanted files below a folder; links to folders are not followed, hidden folders not searched."""
    root = folder.resolve()
    pending = [(str(folder), "")]
    while pending:
        current, prefix = pending.pop()
        try:
            entries = list(os.scandir(current))
        except OSError as error:
            if not prefix:
                raise BadInputError(f"{current}: cannot be listed: {error.strerror}") from error
            yield Refusal(current, f"cannot be listed: {error.strerror}")
            continue
        for entry in entries:
            # Hidden folders hold other programs' things, and what a killed run of prep has not put in place.
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, f"{prefix}{entry.name}/"))
            elif wanted(entry.name):
                yield _entry(entry, f"{prefix}{entry.name}", root)


def _entry(entry: "os.DirEntry[str]", key: str, root: Path) -> Source | Refusal:
    """Refuse names that are no text, links that leave the source, and what is no plain file."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return Refusal(printable(entry.path), "has a name that is not UTF-8: rename it")
    try:
        if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(root):
            return Refusal(entry.path, "is a link that ends outside the source")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Refusal(entry.path, f"cannot be read: {reason}")
    if not entry.is_file():
        return Refusal(entry.path, "is no plain file")
    return Source(Path(entry.path), key, printable(root.name))


def read_text(path: Path) -> str:
    """Return a text file that the user names.

    Raises
    ------
    UsageError
        When it cannot be opened.
    BadInputError
        When it is no UTF-8, or larger than 1 GiB.
    """
    try:
        if path.stat().st_size > _TEXT_LIMIT_BYTES:
            raise BadInputError(f"{path}: is larger than 1 GiB, too much for a list or table")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: is not UTF-8 text (byte {error.start})") from error


def _from_lines(lines: Iterable[str], folder: Path, root: str, *, contained: bool) -> Iterator[Source | Refusal]:
    """Read paths or JSON rows, one a line; blank lines are skipped."""
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\r\n")
        if not line.strip():
            continue
        if contained or line.lstrip().startswith("{"):
            yield from _from_row(line, number, folder, root, contained=contained)
        else:
            yield _listed(folder / line, line, root)


def _from_row(line: str, number: int, folder: Path, root: str, *, contained: bool) -> Iterator[Source | Refusal]:
    where = f"{root}.jsonl line {number}" if contained else f"{root} line {number}"
    row = json_row(line)
    if row is None:
        yield Refusal(where, "is not a JSON object of text and finite numbers")
        return
    # Rows on a pipe carry the whole path; in a manifest file_name is relative to it and stays inside. A row
    # without either is another kind of row (a summary), not a sound.
    name = row.pop("path", None) if not contained else None
    name = row.pop("file_name", None) if name is None else name
    if name is None and not contained and "schema" in row:
        return
    if not isinstance(name, str):
        yield Refusal(where, "has no file_name")
        return
    if not contained:
        if row.get("status", "done") in _IN_PLACE:
            yield _listed(folder / name, name, root, row)
        return
    try:
        path = contained_path(folder, name)
    except BadInputError as error:
        yield Refusal(where, str(error))
        return
    yield _listed(path, name, root, row)


def json_row(line: str) -> dict[str, object] | None:
    """Return a line's JSON object; None for all else, and for what could not be written as JSON again (NaN)."""
    try:
        row = json.loads(line)
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _listed(path: Path, name: str, root: str, row: dict[str, object] | None = None) -> Source | Refusal:
    """Take a file that a list names; where it lies was the list's to say."""
    try:
        name.encode()
        if not stat.S_ISREG(path.stat().st_mode):
            return Refusal(name, "is no plain file")
    except UnicodeEncodeError:
        return Refusal(printable(name), "has a name that is not UTF-8: rename it")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Refusal(name, f"cannot be read: {reason}")
    return Source(path, Path(name).as_posix(), root, row or {})
