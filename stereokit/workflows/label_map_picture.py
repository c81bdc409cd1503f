"""A map of clips as a picture, PNG or SVG."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from stereokit.workflows.label_colours import UNLABELLED, label_colours

_INCHES, _DOTS_AN_INCH = (9.0, 7.0), 160
# Points of about as much ink, however many there are.
_INK, _SMALLEST, _LARGEST = 20_000.0, 1.0, 30.0
_MOST_SHAPES = 5000
_LEGEND_ROWS = 30


def map_picture(
    places: NDArray[np.float64], labels: Sequence[str | None], title: str, *, kind: str, seed: int = 0
) -> bytes:
    """Draw a map.

    Parameters
    ----------
    places
        Shape (n, 2 or 3).
    labels
        Of the n clips; None for none.
    title
        Drawn as it is.
    kind
        ``png`` or ``svg``.
    seed
        Of the order in which points are drawn: one class must not lie over all others.

    Returns
    -------
    bytes
        Equal maps give equal bytes on one machine.
    """
    classes = sorted({label for label in labels if label is not None})
    numbers = {label: number for number, label in enumerate(classes)}
    groups = np.array([len(classes) if one is None else numbers[one] for one in labels], np.int64)
    colours = np.array(label_colours(len(classes))) / 255.0
    order = np.random.default_rng(seed).permutation(len(places))
    size = float(np.clip(_INK / max(len(places), 1), _SMALLEST, _LARGEST))
    with rc_context({"svg.hashsalt": "stereokit"}), warnings.catch_warnings():
        # of letters that the font has not
        warnings.simplefilter("ignore")
        figure = Figure(figsize=_INCHES, dpi=_DOTS_AN_INCH)
        FigureCanvasAgg(figure)
        axis = figure.add_axes((0.02, 0.02, 0.76, 0.92), projection="3d" if places.shape[1] == 3 else None)
        looks: dict[str, Any] = {"s": size, "c": colours[groups[order]], "linewidths": 0.0}
        axis.scatter(*places[order].T, **looks, rasterized=len(places) > _MOST_SHAPES)
        axis.set_xticks([])
        axis.set_yticks([])
        if places.shape[1] == 2:
            axis.set_aspect("equal", adjustable="datalim")
        axis.set_title(_plain(title), fontsize=10)
        _add_legend(figure, [*classes, UNLABELLED], groups, colours)
        file = io.BytesIO()
        # Without the program's version and the time, so that the bytes follow from the map.
        hidden = {"png": "Software", "svg": "Date"}[kind]
        figure.savefig(file, format=kind, metadata={hidden: None})
    return file.getvalue()


def _add_legend(figure: Figure, names: Sequence[str], groups: NDArray[np.int64], colours: NDArray[np.float64]) -> None:
    counts = np.bincount(groups, minlength=len(names))
    shown = [number for number in range(len(names)) if counts[number]][:_LEGEND_ROWS]
    handles = [Line2D([], [], marker="o", linestyle="", color=colours[number]) for number in shown]
    told = [_plain(f"{names[number]} ({counts[number]})") for number in shown]
    figure.legend(handles, told, loc="center left", bbox_to_anchor=(0.79, 0.5), fontsize=8, frameon=False)


def _plain(text: str) -> str:
    """Keep dollar signs from starting a formula, and a line below from hiding a name."""
    escaped = text.replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped
