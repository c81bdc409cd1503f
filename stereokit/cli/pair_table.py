"""The rows of ``stereokit score --paired`` as tables for a terminal."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from stereokit.cli.tables import plain_table
from stereokit.data.text import printable
from stereokit.metrics.paired.figures import FIGURES
from stereokit.metrics.paired.views import VIEWS
from stereokit.workflows.score_pair_words import spread, spread_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from stereokit.workflows.events import Json, Row

_WIDTHS = ("stsd_gen", "stsd_ref", "stsd_mean", "stsd_l1", "stsd_emd")
# Of a long list the first ones are drawn; --csv and --json have them all.
_WINDOWS_DRAWN = 50


def pairs_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw mean ± deviation of each figure, a line a view; windows and pairs come first, left and right together."""
    *details, last = rows
    fields = last.fields
    parts: list[RenderableType] = []
    windows = [row.fields for row in details if "start_s" in row.fields]
    if windows:
        parts.append(_details(windows[:_WINDOWS_DRAWN], ("start_s",)))
        left = len(windows) - _WINDOWS_DRAWN
        parts.append(Text(f"... and {left} more: --csv and --json list all\n" if left > 0 else ""))
    if pairs := [row.fields for row in details if "start_s" not in row.fields]:
        parts += [_details(pairs, ()), Text()]
    views: list[list[Json]] = [[view, *(_spread(fields, view, name) for name in FIGURES)] for view in VIEWS]
    parts.append(plain_table(["", *FIGURES], views))
    parts.append(Text())
    parts.append(plain_table(list(_WIDTHS), [[_spread(fields, name) for name in _WIDTHS]]))
    parts.append(Text(f"\n{fields['verdict']}"))
    parts.append(Text(f"mean ± standard deviation over {fields['over']}"))
    for name, counts in (("without a partner", "without_partner"), ("quiet windows left out", "quiet_windows")):
        told = fields[counts]
        if isinstance(told, dict) and any(told.values()):
            parts.append(Text(f"{name}: " + ", ".join(f"{key} {count}" for key, count in told.items())))
    notes = fields["notes"]
    parts.extend(Text(f"- {printable(str(note))}") for note in (notes if isinstance(notes, list) else []))
    return Group(*parts)


def _details(rows: "Sequence[Mapping[str, Json]]", more: tuple[str, ...]) -> "RenderableType":
    lines = [[row["path"], *(row[key] for key in more), *(_mean(row, name) for name in FIGURES)] for row in rows]
    return plain_table(["path", *more, *FIGURES], lines)


def _mean(fields: "Mapping[str, Json]", name: str) -> "Json":
    figures = fields["left_right"]
    value = figures[name] if isinstance(figures, dict) else None
    return value["mean"] if isinstance(value, dict) else value


def _spread(fields: "Mapping[str, Json]", *keys: str) -> "Json":
    """Return a mean with its deviation as text; None where there is no value."""
    value = spread(fields, *keys)
    return None if value["mean"] is None else spread_word(value)
