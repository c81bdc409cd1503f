"""The pictures of ``stereokit score``: widths over time and of clips, vectorscopes, and one figure of them all."""

import io
import textwrap
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.stereo import mid_side
from stereokit.workflows.report_pictures import COLOURS, draw_bands, new_figure, png_of
from stereokit.workflows.score_shown import Course, Pair, Shown, heard

_MIN_BINS, _MAX_BINS = 8, 40
_SCOPE_BINS = 90
_SCOPE_COLOURS = "magma"
# Told apart without colours, too.
_LINES = ("-", "--")
_LETTERS_A_LINE = 120

# Margins are fixed: a layout that is searched for takes as long as drawing, and differs in its last digits.

Values = NDArray[np.float64]


def courses_picture(courses: Mapping[str, Course]) -> bytes:
    """Draw the short-time side distance over time as PNG, a panel a set."""
    figure = new_figure(9.0, 2.9, layout=None)
    figure.subplots_adjust(left=0.07, right=0.99, bottom=0.16, top=0.91, wspace=0.06)
    _draw_courses(figure.subplots(1, len(courses), sharex=True, sharey=True, squeeze=False)[0], courses)
    return png_of(figure)


def widths_picture(widths: Mapping[str, Values]) -> bytes:
    """Draw histograms of the side distances of whole clips as PNG."""
    figure = new_figure(9.0, 2.9, layout=None)
    figure.subplots_adjust(left=0.07, right=0.99, bottom=0.16, top=0.89)
    _draw_widths(figure.subplots(), widths)
    return png_of(figure)


def scope_picture(clip: Clip) -> bytes:
    """Draw a clip's vectorscope as PNG."""
    figure = new_figure(2.9, 2.9, layout=None)
    figure.subplots_adjust(left=0.07, right=0.995, bottom=0.07, top=0.995)
    _draw_scope(figure.subplots(), clip)
    return png_of(figure)


def plot(shown: Shown, words: str, *, is_vector: bool) -> bytes:
    """Draw everything in one figure, under a sentence.

    Parameters
    ----------
    shown
        What is drawn; the clips of the first nearest and the first farthest pair are read.
    words
        The sentence.
    is_vector
        SVG, else PNG. Equal data give equal bytes either way.

    Raises
    ------
    BadInputError
        When a clip is gone.
    """
    figure = new_figure(11.0, 6.6, layout=None)
    figure.suptitle("\n".join(textwrap.wrap(words, _LETTERS_A_LINE)), fontsize=10)
    above = figure.add_gridspec(1, 3, left=0.055, right=0.99, bottom=0.57, top=0.88, wspace=0.2)
    first, second, third = above.subplots(squeeze=False)[0]
    second.sharex(first)
    second.sharey(first)
    _draw_courses([first, second], shown.courses)
    _draw_widths(third, shown.widths)
    pairs = {"nearest": shown.nearest[:1], "farthest": shown.farthest[:1]}
    drawn: list[tuple[str, Pair]] = [(name, pair) for name, some in pairs.items() for pair in some]
    below = figure.add_gridspec(1, 2 * len(drawn), left=0.03, right=0.99, bottom=0.05, top=0.45, wspace=0.1)
    panels = below.subplots(squeeze=False)[0]
    for number, (name, pair) in enumerate(drawn):
        for panel, path, title in (
            (panels[2 * number], pair.generated, f"{name} generated clip"),
            (panels[2 * number + 1], pair.reference, f"its reference, {pair.distance:.3g} away"),
        ):
            _draw_scope(panel, heard(path)[0])
            panel.set_title(title, fontsize=9)
    return svg_of(figure) if is_vector else png_of(figure)


def _draw_courses(panels: "list[Axes] | NDArray[np.object_]", courses: Mapping[str, Course]) -> None:
    for panel, (name, course), colour in zip(panels, courses.items(), COLOURS, strict=False):
        draw_bands(panel, course.times, course.bands, colour, name)
    panels[0].set_ylabel("side distance of 40 ms", fontsize=9)
    panels[0].set_ylim(bottom=0.0)


def _draw_widths(axes: Axes, widths: Mapping[str, Values]) -> None:
    widest = max(float(values.max()) for values in widths.values())
    # Few clips in many bins would show chance alone.
    clips = min(map(len, widths.values()))
    bins = int(np.clip(3.0 * np.cbrt(clips), _MIN_BINS, _MAX_BINS))
    edges = np.linspace(0.0, widest or 1.0, bins + 1)
    for (name, values), colour, line in zip(widths.items(), COLOURS, _LINES, strict=False):
        shares = np.histogram(values, edges)[0] / len(values)
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.18)
        axes.stairs(shares, edges, color=colour, linewidth=1.8, linestyle=line, label=name)
    axes.set_xlabel("side distance of a clip", fontsize=9)
    axes.set_ylabel("share of clips", fontsize=9)
    axes.set_xlim(left=0.0)
    axes.set_ylim(bottom=0.0)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    # Above the axes, where no bar is.
    axes.legend(fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(widths), frameon=False)


def _draw_scope(axes: Axes, clip: Clip) -> None:
    """Draw how often each pair of mid (up) and side (left is to the left) occurs, scaled to the largest value."""
    mid, side = mid_side(clip)
    largest = float(max(np.abs(mid).max(), np.abs(side).max())) or 1.0
    reach = (-largest, largest)
    counts, _, _ = np.histogram2d(mid, -side, bins=_SCOPE_BINS, range=(reach, reach))
    # One sample is the darkest colour that is seen, no sample is black.
    axes.imshow(
        np.ma.masked_less(counts, 1.0),
        origin="lower",
        extent=(-1.0, 1.0, -1.0, 1.0),
        cmap=_SCOPE_COLOURS,
        norm=LogNorm(0.2, max(2.0, float(counts.max()))),
        interpolation="nearest",
    )
    axes.set_facecolor("black")
    for slope in (-1.0, 1.0):
        axes.plot([-1.0, 1.0], [-slope, slope], color="white", alpha=0.25, linewidth=0.7)
    for place, name in ((-0.9, "L"), (0.9, "R")):
        axes.text(place, 0.9, name, color="white", fontsize=9, ha="center", va="center")
    axes.set_xlim(-1.0, 1.0)
    axes.set_ylim(-1.0, 1.0)
    axes.set_xlabel("side", fontsize=8)
    axes.set_ylabel("mid", fontsize=8)
    axes.set_xticks([])
    axes.set_yticks([])


def svg_of(figure: Figure) -> bytes:
    """Return a figure as SVG; equal figures give equal bytes."""
    file = io.BytesIO()
    # Names of parts follow from this word and not from chance; letters are drawn as curves, for any viewer.
    with mpl.rc_context({"svg.hashsalt": "stereokit", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()
