"""The pictures of ``stereokit score --paired``: figures over pairs, widths of pairs, widths over time."""

import textwrap
from collections.abc import Iterable
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from stereokit.metrics.paired.figures import FIGURES
from stereokit.metrics.paired.views import VIEWS
from stereokit.workflows.report_pictures import COLOURS, new_figure, png_of
from stereokit.workflows.score_pair_shown import ShownPair, ShownPairs
from stereokit.workflows.score_pair_words import FIGURE_TITLES
from stereokit.workflows.score_pictures import svg_of

# Margins are fixed. A layout that is searched for takes as long as drawing, and its last digits, which name parts of
# an SVG, follow from chance.
_TICKS = ("L and R", "mid", "side")
_LETTERS_A_LINE = 120
# To each side of 0.
_MIN_BINS, _MAX_BINS = 10, 30
_ESTIMATE, _TARGET = COLOURS[1], COLOURS[0]


def figures_picture(shown: ShownPairs) -> bytes:
    """Draw each figure over all pairs or windows as PNG: a box a view."""
    figure = new_figure(9.0, 4.6, layout=None)
    figure.subplots_adjust(left=0.05, right=0.995, bottom=0.06, top=0.94, wspace=0.2, hspace=0.32)
    _draw_figures(figure.subplots(2, 3).ravel(), shown)
    return png_of(figure)


def widths_picture(shown: ShownPairs) -> bytes:
    """Draw a point a pair as PNG, the mean width of its estimate above that of its target; and how their gaps lie."""
    figure = new_figure(9.0, 3.2, layout=None)
    figure.subplots_adjust(left=0.07, right=0.995, bottom=0.15, top=0.97, wspace=0.2)
    points, gaps = figure.subplots(1, 2)
    _draw_widths(points, shown)
    _draw_gaps(gaps, shown)
    return png_of(figure)


def course_picture(pair: ShownPair, role: Literal["estimate", "target"]) -> bytes:
    """Draw a pair's widths over time as PNG: one as a line, the other thin behind it."""
    figure = new_figure(2.9, 2.1, layout=None)
    figure.subplots_adjust(left=0.19, right=0.98, bottom=0.2, top=0.97)
    _draw_course(figure.subplots(), pair, role)
    return png_of(figure)


def plot(shown: ShownPairs, words: str, *, is_vector: bool) -> bytes:
    """Draw everything in one figure, under a sentence: SVG, else PNG. Equal data give equal bytes either way."""
    figure = new_figure(11.0, 7.6, layout=None)
    figure.suptitle("\n".join(textwrap.wrap(words, _LETTERS_A_LINE)), fontsize=10)
    above = figure.add_gridspec(2, 3, left=0.045, right=0.99, bottom=0.43, top=0.9, wspace=0.15, hspace=0.32)
    _draw_figures(above.subplots(squeeze=False).ravel(), shown)
    pairs = {"nearest pair": shown.nearest[:1], "farthest pair": shown.farthest[:1]}
    drawn = [(name, pair) for name, some in pairs.items() for pair in some]
    below = figure.add_gridspec(1, 1 + len(drawn), left=0.055, right=0.99, bottom=0.07, top=0.35, wspace=0.2)
    first, *panels = below.subplots(squeeze=False)[0]
    _draw_widths(first, shown)
    for panel, (name, pair) in zip(panels, drawn, strict=True):
        _draw_course(panel, pair, "estimate")
        panel.set_title(f"{name}, distance {pair.distance:.3g}", fontsize=9)
    return svg_of(figure) if is_vector else png_of(figure)


def _draw_figures(panels: Iterable[Axes], shown: ShownPairs) -> None:
    for panel, figure in zip(panels, FIGURES, strict=True):
        panel.set_title(FIGURE_TITLES[figure], fontsize=9)
        places = [place for place, view in enumerate(VIEWS) if len(shown.figures[figure][view])]
        if not places:
            panel.set_axis_off()
            panel.text(0.5, 0.5, "no value", transform=panel.transAxes, fontsize=9, ha="center")
            continue
        boxes = panel.boxplot(
            [shown.figures[figure][VIEWS[place]] for place in places],
            positions=places,
            widths=0.6,
            whis=(5.0, 95.0),
            patch_artist=True,
            medianprops={"color": "black", "linewidth": 1.4},
            flierprops={"marker": ".", "markersize": 5, "markeredgewidth": 0.0, "alpha": 0.5},
        )
        for place, box, flier in zip(places, boxes["boxes"], boxes["fliers"], strict=True):
            colour = COLOURS[1:][place]
            box.set(facecolor=colour, alpha=0.45, edgecolor=colour)
            flier.set(markerfacecolor=colour)
        panel.set_xticks(range(len(VIEWS)), _TICKS)
        panel.set_xlim(-0.6, len(VIEWS) - 0.4)
        panel.tick_params(labelsize=8)
        panel.grid(axis="y", alpha=0.25)


def _draw_widths(axes: Axes, shown: ShownPairs) -> None:
    estimates, targets = shown.widths
    reach = 1.05 * float(max(estimates.max(), targets.max())) or 1.0
    axes.plot([0.0, reach], [0.0, reach], color="black", linewidth=1.0, linestyle="--")
    axes.plot(targets, estimates, ".", color=_ESTIMATE, alpha=0.6, markeredgewidth=0.0, markersize=8)
    axes.text(0.04, 0.96, "wider", transform=axes.transAxes, fontsize=8, va="top")
    axes.text(0.96, 0.04, "narrower", transform=axes.transAxes, fontsize=8, ha="right")
    axes.set(xlim=(0.0, reach), ylim=(0.0, reach))
    axes.set_xlabel("mean side distance of the target", fontsize=9)
    axes.set_ylabel("of the estimate", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)


def _draw_gaps(axes: Axes, shown: ShownPairs) -> None:
    estimates, targets = shown.widths
    gaps = estimates - targets
    # As many bins below 0 as above, so that no bar is both.
    reach = float(np.abs(gaps).max()) or 1.0
    side = int(np.clip(2.0 * np.cbrt(len(gaps)), _MIN_BINS, _MAX_BINS))
    counts, edges = np.histogram(gaps, np.linspace(-reach, reach, 2 * side + 1))
    axes.stairs(counts, edges, fill=True, color=_ESTIMATE, alpha=0.45)
    axes.stairs(counts, edges, color=_ESTIMATE, linewidth=1.4)
    axes.axvline(0.0, color="black", linewidth=1.0, linestyle="--")
    axes.set_xlabel("estimate less target: narrower to the left", fontsize=9)
    axes.set_ylabel("pairs", fontsize=9)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)


def _draw_course(axes: Axes, pair: ShownPair, role: Literal["estimate", "target"]) -> None:
    lines = {"estimate": (pair.widths[0], _ESTIMATE), "target": (pair.widths[1], _TARGET)}
    # What the panel is of is drawn last, and so lies in front.
    for name in sorted(lines, key=lambda name: name == role):
        values, colour = lines[name]
        is_front = name == role
        axes.plot(
            pair.times,
            values,
            color=colour,
            linewidth=1.8 if is_front else 1.0,
            linestyle="-" if is_front else "--",
            # A clip of one window is a point.
            marker="." if len(values) == 1 else "",
            label=name,
        )
    axes.set_xlabel("seconds", fontsize=8)
    axes.set_ylabel("side distance", fontsize=8)
    axes.set_ylim(bottom=0.0)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7, frameon=False)
