"""``stereokit import-weights``: a published state dict to safetensors, read by a process that it may take down."""

from dataclasses import dataclass
from pathlib import Path

from stereokit.data.isolated_worker import Limits
from stereokit.data.isolation import map_isolated
from stereokit.errors import BadInputError, Status, UsageError
from stereokit.models.drum_classifier.outside import PUBLISHED
from stereokit.workflows.events import Events, Row
from stereokit.workflows.published_weights import Task, convert

IMPORT_SCHEMA = "stereokit.import-weights/1"

# The largest network's file is a third of a GB, and is in memory three times while it is written.
_LIMITS = Limits(seconds=300.0, memory_bytes=4 << 30)


@dataclass(frozen=True)
class ImportSettings:
    """The words of ``stereokit import-weights``."""

    source: Path
    network: str
    output: Path
    is_dry_run: bool = False
    force: bool = False


def import_weights(settings: ImportSettings) -> Events:
    """Convert a file, and yield one row about it.

    Raises
    ------
    UsageError
        For an unknown network, a missing file, or an output that is there.
    BadInputError
        When the file is no state dict of that network, asks for more than weights, or ends the process that reads it.
    OutputError
        When the output cannot be written.
    """
    source, output = settings.source, settings.output
    if settings.network not in PUBLISHED:
        raise UsageError(f"--as {settings.network!r}: choose from {', '.join(PUBLISHED)}")
    if not source.is_file():
        raise UsageError(f"{source}: is no file")
    if output.is_dir() or (output.exists() and source.samefile(output)):
        raise UsageError(f"-o {output}: is a folder, or the input itself")
    if output.exists() and not settings.force:
        raise UsageError(f"-o {output}: is there already; --force replaces it")
    task = Task(source.resolve(), settings.network, None if settings.is_dry_run else output.absolute())
    (found,) = map_isolated(convert, [task], jobs=1, limits=_LIMITS)
    if isinstance(found, BadInputError):
        raise BadInputError(f"{source}: {found}") from found
    yield Row(
        IMPORT_SCHEMA,
        {
            "status": "planned" if settings.is_dry_run else "done",
            "path": str(output),
            "source": str(source),
            "network": settings.network,
            "tensors": found.tensors,
            "parameters": found.parameters,
            "labels": found.labels,
        },
    )
    return Status.DONE
