"""Labels as tables for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from stereokit.cli.tables import cell, plain_table, row_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stereokit.workflows.events import Json, Row

# Of a long list the first ones are drawn; --csv and --json have them all.
_CLIPS_DRAWN = 20
# What makes a line of the table of an evaluation; its columns are shares of labels.
_WAY = ("space", "method", "neighbours", "by")


def _clips_and_summary(rows: "Sequence[Row]", columns: Sequence[str]) -> "RenderableType":
    *clips, last = rows
    drawn = [row.fields for row in clips[:_CLIPS_DRAWN]]
    kept = [name for name in columns if any(fields.get(name) is not None for fields in drawn)]
    parts: list[RenderableType] = []
    if drawn:
        parts.append(plain_table(kept, [[fields.get(name) for name in kept] for fields in drawn]))
        left = len(clips) - len(drawn)
        parts.append(Text(f"... and {left} more: --csv or --json has them all\n" if left else ""))
    values = [[name, value] for name, value in last.fields.items() if name != "status" and value not in (None, {}, [])]
    parts.append(plain_table(["", str(last.fields.get("status", "done"))], values))
    return Group(*parts)


def predict_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw what clips are, the first ones, and how many there are of each label."""
    return _clips_and_summary(rows, ("path", "label", "probability", "second", "second_probability", "reason"))


def propagate_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw labels and how sure they are; or, where labels were hidden, how often they were told right."""
    if "accuracy" in rows[-1].fields:
        return _evaluation(rows)
    return _clips_and_summary(rows, ("path", "label", "confidence", "provenance", "reason"))


def review_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw what was decided, and what the other clips are told to be."""
    return _clips_and_summary(rows, ("path", "label", "provenance", "best", "confidence"))


def map_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw where clips lie, the first ones, and how the map was made."""
    return _clips_and_summary(rows, ("path", "label", "x", "y", "z", "reason"))


def _evaluation(rows: "Sequence[Row]") -> "RenderableType":
    """Draw accuracy by share of labels, and below it that of the surest nine tenths."""
    shares = sorted({cell(row.fields["share"]) for row in rows})
    ways = dict.fromkeys(tuple(row.fields[name] for name in _WAY) for row in rows)
    parts: list[RenderableType] = []
    for figure in ("accuracy", "surest_accuracy"):
        found = {
            (tuple(row.fields[name] for name in _WAY), cell(row.fields["share"])): row.fields[figure] for row in rows
        }
        lines = [[*way, *(_rounded(found.get((way, share))) for share in shares)] for way in ways]
        parts += [Text(f"{figure} by share of labels"), plain_table([*_WAY, *shares], lines), Text()]
    return Group(*parts)


def _rounded(value: "Json") -> "Json":
    return round(value, 3) if isinstance(value, float) else value


def audit_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw the findings, a table a kind, and the summary; names say enough where whole paths would take the line."""
    *findings, last = rows
    findings = [replace(row, fields=_without_paths(row.fields)) for row in findings]
    values = [[name, value] for name, value in last.fields.items() if name != "status" and value not in (None, {}, [])]
    return Group(row_table(findings), Text(), plain_table(["", str(last.fields["status"])], values))


def _without_paths(fields: "Mapping[str, Json]") -> "dict[str, Json]":
    return {name: value for name, value in fields.items() if name not in ("path", "other_path")}
