"""The rows of ``stereokit score --paired`` as tables for a terminal."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from stereokit.cli.tables import plain_table
from stereokit.data.text import printable
from stereokit.metrics.paired.figures import FIGURES
from stereokit.metrics.paired.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from stereokit.workflows.events import Json, Row

_DRIFTS = ("stsd_mean", "stsd_l1", "stsd_emd")


def pairs_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw mean ± deviation of each figure, a line a view; pairs come first, theirs of left and right together."""
    *pairs, last = rows
    parts: list[RenderableType] = []
    if pairs:
        lines = [[one.fields["path"], *(_mean(_part(one, "left_right", name)) for name in FIGURES)] for one in pairs]
        parts += [plain_table(["path", *FIGURES], lines), Text()]
    views: list[list[Json]] = [[view, *(_spread(_part(last, view, name)) for name in FIGURES)] for view in VIEWS]
    parts.append(plain_table(["", *FIGURES], views))
    parts.append(Text())
    parts.append(plain_table(list(_DRIFTS), [[_spread(last.fields[name]) for name in _DRIFTS]]))
    parts.append(Text(f"\n{last.fields['pairs']} pairs, mean ± standard deviation over {last.fields['over']}"))
    for name, counts in (("without a partner", "without_partner"), ("quiet windows left out", "quiet_windows")):
        told = last.fields[counts]
        if isinstance(told, dict) and any(told.values()):
            parts.append(Text(f"{name}: " + ", ".join(f"{key} {count}" for key, count in told.items())))
    notes = last.fields["notes"]
    parts.extend(Text(f"- {printable(str(note))}") for note in (notes if isinstance(notes, list) else []))
    return Group(*parts)


def _part(row: "Row", view: str, name: str) -> "Json":
    figures = row.fields[view]
    return figures[name] if isinstance(figures, dict) else None


def _mean(value: "Json") -> "Json":
    return value["mean"] if isinstance(value, dict) else value


def _spread(value: "Json") -> "Json":
    """Return a mean with its deviation as text; what has none, as it is."""
    if not isinstance(value, dict) or value["mean"] is None:
        return None
    told = f"{value['mean']:.4g}"
    return told if value["sd"] is None else f"{told} ± {value['sd']:.2g}"
