"""What a run has to do: the sources as they are now, against what the catalogue knows. Nothing is opened or written."""

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stereokit.data.records import Snapshot, SourceRecord
from stereokit.data.units import GONE, Stat, Unit, plan_of, stat_inputs

Why = Literal["new", "changed", "damaged"]
Deleted = Literal["keep", "remove"]
# In the place of ``place``: the source is no longer there, its clips are kept.
KEPT = "gone"


@dataclass(frozen=True)
class Changes:
    """What a run has to do.

    Attributes
    ----------
    todo
        Keys of units to make, and why.
    stats
        Of every unit's inputs, by key.
    gone
        Keys with clips whose sources are no longer there.
    is_nothing
        Nothing at all has to be written.
    """

    todo: Mapping[str, Why]
    stats: Mapping[str, Stat]
    gone: tuple[str, ...]
    is_nothing: bool


def find_changes(
    snapshot: Snapshot,
    units: Sequence[Unit],
    *,
    folder: Path,
    context: str,
    left_out: Collection[str],
    refused_paths: Iterable[str],
    deleted: Deleted,
) -> Changes:
    """Compare sources with the catalogue.

    Parameters
    ----------
    snapshot
        The catalogue's; an empty one has everything made.
    units
        One a source.
    folder
        Of the data set.
    context
        All else that decides the data set; another one has its manifest written again.
    left_out
        Keys of sources that are there and are not wanted: they are not gone.
    refused_paths
        Of sources that are there and were refused before they became units.
    deleted
        What becomes of the clips of sources that are gone.
    """
    damaged = damaged_keys(snapshot, folder)
    stats = {unit.key: stat_inputs(unit.inputs) for unit in units}
    todo: dict[str, Why] = {}
    for unit in units:
        why = reason_to_make(snapshot.sources.get(unit.key), unit, stats[unit.key], damaged)
        if why is not None:
            todo[unit.key] = why
    present = {unit.key for unit in units}
    gone = find_gone(snapshot, present, left_out, refused_paths)
    is_nothing = (
        snapshot.has_content
        and snapshot.state == "clean"
        and not todo
        and not damaged
        and snapshot.description.get("context") == context
        and all(snapshot.sources[unit.key].columns == unit.columns for unit in units)
        and all(deleted == "keep" and snapshot.sources[key].place == KEPT for key in gone)
        and all(record.parent or record.key in present or record.key in gone for record in snapshot.sources.values())
    )
    return Changes(todo, stats, gone, is_nothing)


def reason_to_make(record: SourceRecord | None, unit: Unit, stat: Stat, damaged: Collection[str]) -> Why | None:
    """Tell why a unit must be made; None when what is known of it still holds.

    What failed is tried again when anything was done to its file, even to its mode (ctime), and by other versions.
    """
    if record is None:
        return "new"
    plan = plan_of(unit, record.status)
    same = (record.size, record.mtime_ns, record.plan) == (stat.size, stat.mtime_ns, plan)
    same = same and _without_ctimes(record.more_inputs) == _without_ctimes(stat.more_inputs)
    if record.status == "failed":
        same = same and (record.ctime_ns, record.more_inputs) == (stat.ctime_ns, stat.more_inputs)
    if stat == GONE and unit.parent and record.plan == unit.plan:
        same = True
    if not same or record.target != unit.target:
        return "changed" if record.status == "done" else "new"
    return "damaged" if unit.key in damaged else None


def _without_ctimes(more_inputs: str) -> list[list[int]]:
    return [one[:2] for one in json.loads(more_inputs)] if more_inputs else []


def find_gone(
    snapshot: Snapshot, present: Collection[str], left_out: Collection[str], refused_paths: Iterable[str]
) -> tuple[str, ...]:
    """Return the keys with clips whose sources are neither there nor left out nor refused."""
    refused = {os.path.abspath(path) for path in refused_paths}  # noqa: PTH100 - text against text
    return tuple(
        key
        for key, record in snapshot.sources.items()
        if record.status == "done"
        and not record.parent
        and key not in present
        and key not in left_out
        and record.path not in refused
    )


def damaged_names(snapshot: Snapshot, folder: Path) -> set[str]:
    """Return the files in place that are missing or not as they were put there."""
    if snapshot.state == "switching":
        return set()
    damaged = set()
    for name, output in snapshot.outputs.items():
        try:
            found = os.stat(f"{folder}/{name}", follow_symlinks=False)  # noqa: PTH116 - ten thousand at a time
        except OSError:
            damaged.add(name)
            continue
        if (found.st_size, found.st_mtime_ns) != (output.size, output.mtime_ns):
            damaged.add(name)
    return damaged


def damaged_keys(snapshot: Snapshot, folder: Path) -> set[str]:
    """Return whose files are missing or not as they were put there ("" for manifest and description)."""
    return {snapshot.outputs[name].key for name in damaged_names(snapshot, folder)}


def new_refusals(snapshot: Snapshot, refused: Sequence[tuple[str, str]]) -> list[int]:
    """Return which refusals (path, reason) the catalogue does not know yet, by their number."""
    known = Counter(map(tuple, json.loads(snapshot.description.get("refused", "[]"))))
    new = []
    for number, refusal in enumerate(refused):
        if known[refusal] > 0:
            known[refusal] -= 1
        else:
            new.append(number)
    return new
