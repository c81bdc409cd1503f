"""Rows and counts that every build of a data set yields."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stereokit.data.build_switch import PlacedFile
from stereokit.data.records import Snapshot, SourceRecord
from stereokit.data.sources import Refusal
from stereokit.data.splits import SPLITS
from stereokit.data.units import Task
from stereokit.workflows.build_job import Arrangement, Job
from stereokit.workflows.events import Json, Message, Row


def by_split(splits: Iterable[str]) -> dict[str, Json]:
    """Return the count of every split, empty ones too."""
    counts = Counter(splits)
    return {split: counts[split] for split in SPLITS}


def failed_rows(job: Job[Task], refused: Iterable[Refusal]) -> Iterator[Row]:
    """Yield a row a refused input."""
    for refusal in refused:
        yield Row(job.clip_schema, {"status": "failed", "path": refusal.path, "reason": refusal.reason})


def find_renamed(base: Snapshot, gone: Sequence[str], records: Iterable[SourceRecord]) -> dict[str, str]:
    """Return the old key of each new source whose content a source had that is gone."""
    by_content: dict[str, list[str]] = {}
    for key in sorted(gone):
        by_content.setdefault(base.sources[key].content, []).append(key)
    renamed = {}
    for record in records:
        if record.content and record.status == "done" and not record.parent and record.key not in base.sources:
            olds = by_content.get(record.content)
            if olds:
                renamed[record.key] = olds.pop(0)
    return renamed


def change_rows(
    job: Job[Task],
    arrangement: Arrangement,
    changed: Mapping[str, str],
    renamed: Mapping[str, str],
) -> Iterator[Row]:
    """Yield a row a clip of each source whose state changed: ``done``, ``changed`` or ``renamed``."""
    for file, row in zip(arrangement.files, arrangement.rows, strict=True):
        status = changed.get(file.key)
        if status is None:
            continue
        place: dict[str, Json] = {"status": status, "path": str(job.words.output / file.file_name)}
        if status == "renamed":
            place["from"] = renamed[file.key]
        yield Row(job.clip_schema, {**place, **job.told(row)})


def removed_rows(job: Job[Task], base: Snapshot, files: Sequence[PlacedFile], keys: Iterable[str]) -> Iterator[Row]:
    """Yield a row a file that went with its source."""
    wanted = set(keys)
    there = {file.file_name for file in files}
    for name, output in base.outputs.items():
        if output.key in wanted and name not in there:
            path = str(job.words.output / name)
            yield Row(job.clip_schema, {"status": "removed", "path": path, "source": output.key})


def dropped_rows(job: Job[Task], base: Snapshot, records: Iterable[SourceRecord]) -> Iterator[Row]:
    """Yield a row a source that was left out for a reason in its sound, unless it was before."""
    for record in records:
        old = base.sources.get(record.key)
        if record.status == "dropped" and (old is None or (old.status, old.reason) != ("dropped", record.reason)):
            place = {"status": "dropped", "path": record.path or record.key, "source": record.key}
            yield Row(job.clip_schema, {**place, "reason": record.reason})


def still_failing_message(job: Job[Task], still: int) -> Iterator[Message]:
    """Yield a line about inputs that failed before and are as they were."""
    if still and not job.words.accept_failed:
        yield Message(
            f"{still} inputs still fail, as was told before; --accept-failed leaves them out of the status",
            is_warning=True,
        )
