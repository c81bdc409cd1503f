"""``stereokit prep verify``: the files of a data set against what they were when they were made."""

import contextlib
import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stereokit.data.build import building
from stereokit.data.build_place import Place, look_at
from stereokit.data.build_work import Build
from stereokit.data.catalogue import UnfinishedCatalogueError
from stereokit.data.records import OutputRecord
from stereokit.data.splits import SPLITS
from stereokit.errors import Status, UsageError
from stereokit.workflows.events import Events, Json, Progress, Row

VERIFY_SCHEMA = "stereokit.prep.verify/1"
FILE_SCHEMA = "stereokit.prep.verify.file/1"

_BATCH_S = 1.0
_PROGRESS_STEP = 50
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}


@dataclass(frozen=True)
class VerifySettings:
    """The words of ``stereokit prep verify``.

    Attributes
    ----------
    folder
        Of the data set.
    at_most
        Seconds after which no other file is begun; None for all files.
    catalog
        The data set's catalogue, where it lies elsewhere.
    """

    folder: Path
    at_most: float | None = None
    catalog: Path | None = None


def read_duration(text: str) -> float:
    """Return the seconds of ``90s``, ``20m``, ``1h30m`` or a number of seconds.

    Raises
    ------
    UsageError
        For anything else.

    >>> read_duration("1h30m")
    5400.0
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms]?)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"--at-most {text}: give a time, as 90s, 20m or 1h30m")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def verify(settings: VerifySettings) -> Events:
    """Compare files, those compared longest ago first, and yield a row a file that is not as it was, and a summary.

    Raises
    ------
    UsageError
        For a folder that is no data set with a catalogue.
    LockedError, OutputError
        When it is being built, or its catalogue cannot be written.
    """
    ending = None if settings.at_most is None else time.monotonic() + settings.at_most
    place = Place(settings.folder, settings.catalog)
    with contextlib.suppress(UnfinishedCatalogueError):
        if not look_at(place, force=False).has_content:
            raise UsageError(f"{settings.folder}: is no finished data set: make one with stereokit prep")
    with building(place, force=False) as build:
        return (yield from _verified(settings, build, ending))


def _verified(settings: VerifySettings, build: Build, ending: float | None) -> Events:
    outputs = build.snapshot.outputs
    ordered = sorted(outputs.values(), key=lambda output: (output.verified_at, output.file_name))
    bad: dict[str, int] = {"damaged": 0, "missing": 0}
    seen: dict[str, OutputRecord] = {}
    batch: list[OutputRecord] = []
    committed = time.monotonic()
    try:
        for number, output in enumerate(ordered, start=1):
            if ending is not None and time.monotonic() >= ending:
                break
            status, record = _compared(settings.folder, output)
            batch.append(record)
            seen[record.file_name] = record
            if status != "whole":
                bad[status] += 1
                path = str(settings.folder / output.file_name)
                yield Row(FILE_SCHEMA, {"status": status, "path": path, "source": output.key or None})
            if time.monotonic() - committed >= _BATCH_S:
                build.verified(batch)
                batch, committed = [], time.monotonic()
            if number % _PROGRESS_STEP == 0 or number == len(ordered):
                yield Progress("verifying", number, len(ordered))
    finally:
        build.verified(batch)
    foreign = 0
    for found in _foreign(settings.folder, outputs):
        foreign += 1
        yield Row(FILE_SCHEMA, {"status": "foreign", "path": str(found), "source": None})
    yield _summary(settings, {**outputs, **seen}, len(seen), {**bad, "foreign": foreign})
    return Status.SOME_FAILED if foreign or any(bad.values()) else Status.DONE


def _compared(folder: Path, output: OutputRecord) -> tuple[str, OutputRecord]:
    """Return what became of a file, and its record: of a bad one it says that it must be made again."""
    path = folder / output.file_name
    now = time.time()
    try:
        stat = path.stat(follow_symlinks=False)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing", output._replace(mtime_ns=-1, verified_at=now)
    if sha256 != output.sha256:
        return "damaged", output._replace(mtime_ns=-1, verified_at=now)
    return "whole", output._replace(size=stat.st_size, mtime_ns=stat.st_mtime_ns, verified_at=now)


def _foreign(folder: Path, outputs: Mapping[str, OutputRecord]) -> Iterator[Path]:
    """Yield the files among the clips that the data set does not know."""
    for split in SPLITS:
        for path in sorted((folder / split).rglob("*")):
            if path.is_file() and path.relative_to(folder).as_posix() not in outputs:
                yield path


def _summary(
    settings: VerifySettings, outputs: Mapping[str, OutputRecord], verified: int, bad: Mapping[str, int]
) -> Row:
    oldest = min(output.verified_at for output in outputs.values())
    fields: dict[str, Json] = {
        "status": "done",
        "dataset": str(settings.folder),
        "files": len(outputs),
        "verified": verified,
        "left": len(outputs) - verified,
        **bad,
        "oldest": datetime.fromtimestamp(oldest, UTC).isoformat(timespec="seconds") if oldest else None,
    }
    return Row(VERIFY_SCHEMA, fields)
