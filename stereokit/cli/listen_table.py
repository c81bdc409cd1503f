"""A listening study as tables for a terminal."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from stereokit.cli.tables import plain_table, row_table
from stereokit.data.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from stereokit.workflows.events import Json, Row

_COUNTS = ("A", "B", "same", "share A")


def listen_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw shares for A by group and in all; listeners and trials first where there are such rows; or the pairs."""
    last = rows[-1].fields
    if "of" not in last:
        return row_table(rows)
    trials = [row for row in rows if row.schema.startswith("stereokit.score.listen.trial/")]
    listeners = [row.fields for row in rows if "left" in row.fields and "listener" in row.fields]
    groups = [row.fields for row in rows if "of" in row.fields]
    parts: list[RenderableType] = [row_table(trials), Text()] if trials else []
    if listeners:
        lines = [
            [one["listener"], one["group"], *_counts(one), _p(one), _percent(one["consistency"]), one["left"]]
            for one in listeners
        ]
        parts += [plain_table(["listener", "group", *_COUNTS, "p", "consistent", "left"], lines), Text()]
    lines = [
        [_called(one), one["listeners"], *_counts(one), _interval(one), _p(one), _percent(one["consistency"])]
        for one in groups
    ]
    parts.append(plain_table(["group", "people", *_COUNTS, "95 % interval", "p", "consistent"], lines))
    words = [last["question"], f"A {last['a']}", f"B {last['b']}"]
    words += [f"reference {last['reference']}"] if last["reference"] is not None else []
    parts += [Text(), *(Text(printable(str(word)), overflow="fold") for word in words)]
    if last["listeners"]:
        parts.append(
            Text(
                f"{last['listeners_for_a']} listeners chose A more often, {last['listeners_for_b']} chose B: p"
                f" {last['listeners_p']:.3g}, where trials of one listener may go together"
            )
        )
    return Group(*parts)


def _called(fields: "Mapping[str, Json]") -> str:
    if fields["of"] == "all":
        return "all"
    return "no group" if fields["group"] is None else str(fields["group"])


def _counts(fields: "Mapping[str, Json]") -> "list[Json]":
    return [*(fields[name] for name in ("for_a", "for_b", "same")), _percent(fields["share_a"])]


def _interval(fields: "Mapping[str, Json]") -> str:
    low, high = (100.0 * float(str(fields[name])) for name in ("share_a_low", "share_a_high"))
    return f"{low:.1f} to {high:.1f}"


def _p(fields: "Mapping[str, Json]") -> str:
    return f"{fields['p']:.3g}"


def _percent(value: "Json") -> str:
    return f"{100.0 * value:.1f} %" if isinstance(value, int | float) else "-"
