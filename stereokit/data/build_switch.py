"""The step from a data set's old content to its new one: written down first, so that the next run can finish it."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from stereokit.data.build_place import STAGING
from stereokit.data.catalogue import DamagedCatalogueError
from stereokit.data.dataset import DESCRIPTION
from stereokit.data.preparation import output_path
from stereokit.data.records import OutputRecord, SourceRecord, Step
from stereokit.data.splits import SPLITS
from stereokit.data.units import made_from_json
from stereokit.errors import BadInputError
from stereokit.writing import contained_path, make_folder, move_file, remove_file, uninterrupted

# Takes the description away while its successor waits, and does nothing once that is in place.
RETIRE = "retire"
MOVE = "move"
REMOVE = "remove"

# As our own names are: nothing in it means anything to a file system.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


class PlacedFile(NamedTuple):
    """A file of the new content: its name in the data set, whose it is, and its suffix among that unit's files."""

    file_name: str
    key: str
    name: str


class Content(NamedTuple):
    """The files of the new content, and the steps that lead to it."""

    outputs: dict[str, OutputRecord]
    steps: tuple[Step, ...]


def plan_switch(
    files: Sequence[PlacedFile],
    *,
    in_place: Mapping[str, OutputRecord],
    damaged: Collection[str],
    pending: Mapping[str, SourceRecord],
    texts: Mapping[str, OutputRecord],
    unlisted: Iterable[str],
) -> Content:
    """Return the new files, and the steps to them.

    Parameters
    ----------
    files
        Of the new content, without manifest and description.
    in_place
        The old content by file name.
    damaged
        Names of the old content that are missing or not as they were put there.
    pending
        What was made, by key; those whose ``place`` is empty are in place already.
    texts
        The staged manifest and description, by name.
    unlisted
        Names of files that must go though the old content does not list them.
    """
    old = {(output.key, output.name): output for output in in_place.values()}
    staged = {key: _staged_files(record) for key, record in pending.items() if record.place}
    outputs: dict[str, OutputRecord] = {}
    moves: list[Step] = []
    for file in files:
        if file.key in staged:
            source, output = staged[file.key][file.name]
            moves.append(Step(MOVE, source, file.file_name))
            outputs[file.file_name] = output._replace(file_name=file.file_name)
        else:
            output = old[file.key, file.name]
            if output.file_name != file.file_name:
                moves.append(Step(MOVE, output.file_name, file.file_name))
            outputs[file.file_name] = output._replace(file_name=file.file_name)
    moved = {step.source for step in moves}
    gone = {*in_place, *unlisted} - outputs.keys() - texts.keys() - moved
    if (
        not moves
        and not gone
        and all(name not in damaged and _is_same(text, in_place.get(name)) for name, text in texts.items())
    ):
        return Content(outputs | {name: in_place[name] for name in texts}, ())
    # Without a description the folder is unfinished for whoever opens it while the steps are done.
    waiting = f"{STAGING}/{DESCRIPTION}"
    steps = [
        Step(RETIRE, waiting, DESCRIPTION),
        *moves,
        *(Step(MOVE, f"{STAGING}/{name}", name) for name in texts if name != DESCRIPTION),
        *(Step(REMOVE, "", name) for name in sorted(gone)),
        Step(MOVE, waiting, DESCRIPTION),
    ]
    return Content({**outputs, **texts}, tuple(steps))


def _staged_files(record: SourceRecord) -> dict[str, tuple[str, OutputRecord]]:
    """Return where each of a record's files waits and what it is, by its suffix."""
    found = {}
    for output, mtime_ns in made_from_json(record.made)[1]:
        name = output_path(PurePath(record.target), output.name).as_posix()
        known = OutputRecord(name, record.key, output.name, output.size, mtime_ns, output.sha256)
        found[output.name] = f"{STAGING}/{record.place}/{name}", known
    return found


def _is_same(text: OutputRecord, old: OutputRecord | None) -> bool:
    return old is not None and (text.sha256, text.size) == (old.sha256, old.size)


def do_steps(folder: Path, steps: Sequence[Step]) -> None:
    """Do all steps; those that were done before a kill are left out, whatever the number of times.

    Raises
    ------
    OutputError
        When the disk fails; the steps can be done again.
    """
    with uninterrupted():
        for split in SPLITS:
            make_folder(folder / split)
        known: dict[str, Path] = {}
        for step in steps:
            target = _inside(folder, step.target, known)
            if step.action == REMOVE:
                remove_file(target)
                continue
            source = _inside(folder, step.source, known)
            if not source.exists():
                continue
            if step.action == RETIRE:
                remove_file(target)
            else:
                move_file(source, target)


def _inside(folder: Path, name: str, known: dict[str, Path]) -> Path:
    """Return a step's path; a catalogue that names what lies outside is not ours to follow.

    Steps move and remove names, never what a link points to. So the folder of a plain name is what counts, and that is
    looked up once for all of its files (``known``).
    """
    inner, _, last = name.rpartition("/")
    try:
        if not inner or not _PLAIN_NAME.fullmatch(last):
            return contained_path(folder, name)
        if inner not in known:
            known[inner] = contained_path(folder, inner)
        return known[inner] / last
    except BadInputError as error:
        raise DamagedCatalogueError(f"{folder}: its catalogue is damaged: {error}") from error
