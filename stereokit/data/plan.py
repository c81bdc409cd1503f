"""What a data set will hold: each source with its label, group, split and output name, before anything is decoded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stereokit import catalog
from stereokit.data.sources import Refusal, Source
from stereokit.data.splits import SPLITS, assign_splits
from stereokit.data.tables import FileTable
from stereokit.data.text import label_text, nfc, output_stem
from stereokit.errors import UsageError


@dataclass(frozen=True)
class Item:
    """A clip to be.

    Attributes
    ----------
    key
        Its name among all sources: the given root, a slash, its place below.
    source
        The file, or None for a procedural sound.
    label
        None without one.
    group
        Clips of one group share a split; without groups each source is one, named by its place.
    extra
        Columns that a table or manifest gives it.
    split
        Filled by ``with_splits``.
    """

    key: str
    source: Path | None
    label: str | None
    group: str
    extra: Mapping[str, object]
    split: str = ""

    @property
    def file_name(self) -> str:
        """Where the clip goes, relative to the data set."""
        return f"{self.split}/{output_stem(self.key)}.wav"


@dataclass(frozen=True)
class Plan:
    """Items and what was left out of them.

    Attributes
    ----------
    items
        Sorted as their sources are.
    refused
        Sources and rows that cannot be used.
    excluded
        How many ``--only`` leaves out.
    warnings
        What the user should know before it is too late.
    left_out
        The keys of those that ``--only`` leaves out.
    """

    items: list[Item]
    refused: list[Refusal]
    excluded: int
    warnings: list[str]
    left_out: frozenset[str] = frozenset()


def plan_files(sources: Sequence[Source], table: FileTable | None, *, only: Sequence[str], group: str | None) -> Plan:
    """Give each source its label and group.

    Parameters
    ----------
    table
        Labels and other columns by file; without one a manifest's own columns count, then the folder's name.
    only
        Labels to keep; empty keeps all.
    group
        A column, ``folder`` (the first folder below what was given), or None: each file by itself.

    Raises
    ------
    UsageError
        For a column that no source has.
    """
    rows, warnings = _rows(sources, table)
    items: list[Item] = []
    left_out = set()
    ungrouped = 0
    for source, row in rows:
        label = _label(source, row, has_table=table is not None)
        key = f"{source.root}/{source.key}"
        if only and label not in only:
            left_out.add(key)
            continue
        named = _group(source, row, group)
        ungrouped += named is None
        extra = {column: value for column, value in row.items() if column not in ("label", "status", "schema")}
        items.append(Item(key, source.path, label, key if named is None else named, extra))
    if group is None and any("/" in source.key for source in sources):
        warnings.append("sources in folders are split file by file: --group folder keeps a folder in one split")
    elif group is not None and items and ungrouped == len(items):
        columns = ", ".join(table.columns) if table is not None else "none"
        raise UsageError(f"--group {group}: no such column (columns: {columns}); or use folder")
    elif group is not None and ungrouped:
        warnings.append(f"{ungrouped} sources have no {group}: each is a group by itself")
    excluded = len(sources) - len(items)
    items, twins = _without_twins(items)
    refused = [*(table.refused if table is not None else ()), *twins]
    return Plan(items, refused, excluded, warnings, frozenset(left_out))


def _rows(
    sources: Sequence[Source], table: FileTable | None
) -> tuple[list[tuple[Source, Mapping[str, object]]], list[str]]:
    """Return each source with its columns, and what does not match between sources and table."""
    if table is None:
        return [(source, source.row) for source in sources], []
    keys = [table.key_of(source) for source in sources]
    rows = [(source, {} if key is None else table.rows[key]) for source, key in zip(sources, keys, strict=True)]
    warnings = []
    if missing := keys.count(None):
        warnings.append(f"{missing} sources have no row in the labels: they stay unlabelled")
    if unused := len(table.rows.keys() - set(keys)):
        warnings.append(f"{unused} rows of the labels name no source")
    return rows, warnings


def _label(source: Source, row: Mapping[str, object], *, has_table: bool) -> str | None:
    given = label_text(row.get("label"))
    if given is not None:
        return given
    if has_table or "label" in row:
        return None
    folders = PurePosixPath(source.key).parts[:-1]
    return nfc(folders[-1]) if folders and folders[-1] not in ("..", "/") else None


def _group(source: Source, row: Mapping[str, object], group: str | None) -> str | None:
    if group is None:
        return None
    if group == "folder":
        place = PurePosixPath(source.key)
        if place.is_absolute() or ".." in place.parts:
            # From a list: nothing was given that it lies below, so its own folder is the group.
            return nfc(place.parent.as_posix())
        return nfc(place.parts[0]) if len(place.parts) > 1 else None
    value = row.get(group)
    return None if value in (None, "") else nfc(str(value))


def _without_twins(items: Iterable[Item]) -> tuple[list[Item], list[Refusal]]:
    """Keep the first of the items that would get one output name: it comes from the whole composed name."""
    kept: dict[str, Item] = {}
    refused = []
    for item in items:
        first = kept.setdefault(output_stem(item.key), item)
        if first is not item:
            refused.append(Refusal(str(item.source), f"has the name of {first.source}: rename one, or its folder"))
    return list(kept.values()), refused


def plan_synth(voice: str, count: int, *, sample_rate: int, only: Sequence[str]) -> Plan:
    """List ``count`` procedural sounds of one voice; labels come with the sounds.

    Raises
    ------
    UsageError
        For an unknown voice, a rate too low for it, or a label that it does not have.
    """
    if voice not in catalog.names("synth"):
        raise UsageError(f"--synth {voice}: choose from {', '.join(catalog.names('synth'))}")
    loaded = catalog.load("synth", voice)
    if sample_rate < loaded.lowest_rate_hz:
        raise UsageError(f"--rate {sample_rate}: {voice} need {loaded.lowest_rate_hz} Hz or more")
    if unknown := [label for label in only if label not in loaded.labels]:
        raise UsageError(f"--only {unknown[0]}: {voice} have the labels {', '.join(loaded.labels)}")
    keys = [f"{voice}/{voice}-{index:06d}" for index in range(count)]
    return Plan([Item(key, None, None, key, {}) for key in keys], [], 0, [])


def with_splits(
    items: Sequence[Item], fractions: Sequence[float], assignment: Mapping[str, str], *, is_grouped: bool
) -> tuple[list[Item], list[str]]:
    """Return the items with their splits, and warnings.

    Raises
    ------
    UsageError
        When groups leave a split empty that has a share.
    """
    groups = dict.fromkeys(item.group for item in items)
    splits = assign_splits(list(groups), fractions, assignment)
    placed = [Item(item.key, item.source, item.label, item.group, item.extra, splits[item.group]) for item in items]
    warnings = []
    if unknown := set(assignment) - {nfc(group) for group in groups}:
        warnings.append(f"--assign names {len(unknown)} groups that do not occur, e.g. {min(unknown)}")
    filled = {item.split for item in placed}
    empty = [split for split, share in zip(SPLITS, fractions, strict=True) if share and split not in filled]
    if items and empty:
        text = f"{len(groups)} groups leave {' and '.join(empty)} empty"
        advice = "change the shares of --split or place groups by --assign FILE.csv (group,split)"
        if is_grouped:
            raise UsageError(f"{text}: {advice}")
        warnings.append(f"{text}: {advice}")
    return placed, warnings
