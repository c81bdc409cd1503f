"""A listening study as a picture: how often A was chosen, with its exact interval, a line a group."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from stereokit.data.text import printable
from stereokit.workflows.events import Json
from stereokit.workflows.report_pictures import COLOURS, new_figure, png_of
from stereokit.workflows.score_pictures import svg_of

_WIDTH, _LINE, _MARGIN = 7.5, 0.45, 1.0
_LETTERS, _LETTERS_A_LINE = 28, 80


def picture(rows: Sequence[Mapping[str, Json]], *, is_vector: bool) -> bytes:
    """Draw results.

    Parameters
    ----------
    rows
        The fields of the groups' rows, and last those of all.
    is_vector
        SVG, else PNG. Equal rows give equal bytes either way.
    """
    height = _MARGIN + _LINE * len(rows)
    figure = new_figure(_WIDTH, height, layout=None)
    figure.subplots_adjust(left=0.26, right=0.86, bottom=0.6 / height, top=1.0 - 0.35 / height)
    axes = figure.subplots()
    for place, row in enumerate(rows):
        colour = COLOURS[0] if row["of"] == "all" else COLOURS[2]
        low, high, share = (100.0 * _number(row[name]) for name in ("share_a_low", "share_a_high", "share_a"))
        axes.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
        if row["share_a"] is not None:
            axes.plot([share], [place], marker="o", markersize=7, color=colour)
        told = f"{row['for_a']} : {row['for_b']}\np {_number(row['p']):.3g}"
        axes.annotate(told, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.axvline(50.0, color="0.5", linewidth=1, linestyle="--", zorder=0)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows], fontsize=9)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0.0, 100.0)
    words = f"{_name(rows[-1]['a'])} chosen over {_name(rows[-1]['b'])}, %, with exact 95 % intervals"
    axes.set_xlabel(_plain(words), fontsize=9)
    axes.set_title("\n".join(textwrap.wrap(_plain(str(rows[-1]["question"])), _LETTERS_A_LINE)[:2]), fontsize=10)
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", alpha=0.25)
    return svg_of(figure) if is_vector else png_of(figure)


def _label(row: Mapping[str, Json]) -> str:
    name = "all" if row["of"] == "all" else "no group" if row["group"] is None else str(row["group"])
    return _plain(f"{_short(name)} ({row['listeners']})")


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _name(path: Json) -> str:
    return _short(PurePath(str(path)).name or str(path))


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"


def _plain(text: str) -> str:
    """Return a text as it is to be read: dollar signs would start a formula."""
    return printable(text).replace("$", r"\$")
