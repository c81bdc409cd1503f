"""Rows as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from stereokit import catalog
from stereokit.data.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stereokit.workflows.events import Json, Row


# Of a long list the first ones are drawn; the folder's metadata.jsonl has them all.
_CLIPS_DRAWN = 20


def plain_table(columns: Sequence[str], rows: Sequence[Sequence["Json"]]) -> Table:
    """Return a table without lines; numbers stand to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        table.add_column(column, justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    return table


def cell(value: "Json") -> str:
    """Return a value as it is read in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{printable(name)} {cell(one)}" for name, one in value.items())
    return printable(str(value))


def row_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw rows of any schema, one table a schema."""
    tables = []
    for schema in dict.fromkeys(row.schema for row in rows):
        alike = [row.fields for row in rows if row.schema == schema]
        columns = list(dict.fromkeys(key for fields in alike for key in fields))
        tables.append(plain_table(columns, [[fields.get(key) for key in columns] for fields in alike]))
    return Group(*tables)


def prep_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw the summary of a data set: clips by split and label."""
    summary = rows[-1].fields
    # What failed, was dropped or removed has no label.
    clips = [row.fields for row in rows[:-1] if "label" in row.fields]
    splits = ("train", "validation", "test")
    lines: list[list[Json]] = []
    for label in sorted({str(clip["label"] or "-") for clip in clips}):
        counts = [sum(str(c["label"] or "-") == label and c["split"] == split for c in clips) for split in splits]
        lines.append([label, *counts, sum(counts)])
    totals = [summary[split] for split in splits]
    lines.append(["all", *totals, summary["clips"]])
    skipped = [
        f"{summary[key]} {key}"
        for key in ("refused", "excluded", "dropped", "mono", "without_side")
        if summary.get(key)
    ]
    ending = f"\n{summary['status']}: {summary.get('dataset', '')}" + (f" ({', '.join(skipped)})" if skipped else "")
    return Group(plain_table(["label", *splits, "total"], lines), Text(ending))


def render_midi_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw the summary of rendered songs: files by split."""
    summary = rows[-1].fields
    names = ("songs", "pairs", "clips", "train", "validation", "test", "refused", "unchanged")
    lines = [[name, summary[name]] for name in names if name in summary]
    return Group(plain_table(["", ""], lines), Text(f"\n{summary['status']}: {summary.get('dataset', '')}"))


def train_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw a run, or a plan of one, as names and values; players and phases of a plan come first as tables."""
    *details, last = rows
    parts: list[RenderableType] = [row_table(details), Text()] if details else []
    values = [(name, value) for name, value in last.fields.items() if value is not None and value != {}]
    parts.append(plain_table(["", str(last.fields["status"])], [[name, value] for name, value in values[1:]]))
    return Group(*parts)


def generate_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw what was generated, or would be: its last row, and what each clip is where there are few."""
    *clips, last = rows
    fields = [row.fields for row in clips[:_CLIPS_DRAWN]]
    columns = [name for name in ("path", "index", "peak", "gain_db", "has_side") if fields and name in fields[0]]
    parts: list[RenderableType] = []
    if fields:
        parts.append(plain_table(columns, [[one[name] for name in columns] for one in fields]))
        left = len(clips) - len(fields)
        parts.append(Text(f"... and {left} more\n" if left else ""))
    values = [[name, value] for name, value in last.fields.items() if name != "status" and value is not None]
    parts.append(plain_table(["", str(last.fields["status"])], values))
    return Group(*parts)


def enhance_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw what was converted, or would be: its last row, and the first of the sounds before it."""
    *sounds, last = rows
    fields = [row.fields for row in sounds[:_CLIPS_DRAWN] if "source" in row.fields]
    columns = [name for name in ("path", "gain_db", "stsd_in", "stsd_out") if fields and name in fields[0]]
    parts: list[RenderableType] = []
    if fields:
        parts += [plain_table(columns, [[one[name] for name in columns] for one in fields]), Text()]
    values = [[name, value] for name, value in last.fields.items() if name != "status" and value is not None]
    parts.append(plain_table(["", str(last.fields["status"])], values))
    return Group(*parts)


def demo_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw the compared sets, what to read from their figures, and how to go on."""
    *sets, last = rows
    names = catalog.names("score")
    titles = [catalog.load("score", name).title for name in names]
    features = [name for row in sets[:1] for name, value in row.fields.items() if isinstance(value, dict)]
    columns = ["set", "clips", *(f"{feature}\n{title}" for feature in features for title in titles)]
    lines = [[row.fields["set"], row.fields["clips"], *_by_feature(row.fields, features, names)] for row in sets]
    reading, commands = last.fields["reading"], last.fields["next"]
    parts: list[RenderableType] = [plain_table(columns, lines), Text()]
    parts += [Text(f"- {line}") for line in (reading if isinstance(reading, list) else [])]
    parts.append(Text(f"\nTo look at and listen to: {printable(str(last.fields['report']))}\nTo go on:"))
    for line in commands if isinstance(commands, list) else []:
        # to be copied, so in one piece
        parts.append(Text(f"  {printable(str(line))}", no_wrap=True, overflow="ignore"))
    parts.append(Text(f"{last.fields['status']} in {cell(last.fields['seconds'])} s"))
    return Group(*parts)


def _by_feature(fields: "Mapping[str, Json]", features: Sequence[str], names: Sequence[str]) -> "list[Json]":
    values = [fields[feature] for feature in features]
    return [scores[name] if isinstance(scores, dict) else None for scores in values for name in names]
