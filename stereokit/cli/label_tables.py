"""Labels as tables for a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from stereokit.cli.tables import plain_table, row_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stereokit.workflows.events import Row

# Of a long list the first ones are drawn; --csv and --json have them all.
_CLIPS_DRAWN = 20
_EVALUATION = {
    "space": "space", "method": "method", "neighbours": "k", "by": "by", "share": "share", "accuracy": "accuracy",
    "accuracy_deviation": "\N{PLUS-MINUS SIGN}", "balanced_accuracy": "balanced", "surest_accuracy": "surest 90 %",
    "told_share": "told", "calibration_error": "calibration", "misaligned_accuracy": "misaligned",
}  # fmt: skip


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
        return plain_table([*_EVALUATION.values()], [[row.fields[name] for name in _EVALUATION] for row in rows])
    return _clips_and_summary(rows, ("path", "label", "confidence", "provenance", "reason"))


def audit_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw the findings, a table a kind, and the summary."""
    *findings, last = rows
    values = [[name, value] for name, value in last.fields.items() if name != "status" and value not in (None, {}, [])]
    return Group(row_table(findings), Text(), plain_table(["", str(last.fields["status"])], values))
