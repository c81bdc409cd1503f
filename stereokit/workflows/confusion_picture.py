"""A picture of confusion matrices: which label was told for which."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

_CELL_INCHES, _LEAST_INCHES, _MARGIN_INCHES, _DOTS_AN_INCH = 0.42, 2.2, 1.3, 80
_MOST_NUMBERED = 24
_DARK = 0.5


def confusion_picture(matrices: Mapping[str, NDArray[np.int64]], labels: Sequence[str]) -> bytes:
    """Draw matrices side by side: a row a true label, a column a told one, colours by share of the row, counts in it.

    Parameters
    ----------
    matrices
        Title -> counts, shape (labels, labels).
    labels
        In the order of rows and columns; drawn as they are.

    Returns
    -------
    bytes
        PNG; equal matrices give equal bytes on one machine.
    """
    side = max(_LEAST_INCHES, _CELL_INCHES * len(labels))
    size = ((side + _MARGIN_INCHES) * len(matrices), side + _MARGIN_INCHES)
    figure = Figure(figsize=size, dpi=_DOTS_AN_INCH)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(
        left=0.9 / size[0], right=1.0 - 0.15 / size[0], bottom=0.9 / size[1], top=1.0 - 0.35 / size[1], wspace=0.45
    )
    axes = figure.subplots(1, len(matrices), squeeze=False)
    for axis, (title, matrix) in zip(axes.flat, matrices.items(), strict=True):
        _draw(axis, matrix, labels, title)
    file = io.BytesIO()
    # Without the program's version, so that the bytes follow from the counts.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _draw(axis: Axes, matrix: NDArray[np.int64], labels: Sequence[str], title: str) -> None:
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, vmin=0.0, vmax=1.0, cmap="Blues", interpolation="nearest", aspect="equal")
    # Dollar signs would start a formula.
    names = [label.replace("$", r"\$") for label in labels]
    places = range(len(labels))
    axis.set_xticks(places, names, rotation=90, fontsize=7)
    axis.set_yticks(places, names, fontsize=7)
    axis.set_xlabel("told", fontsize=8)
    axis.set_ylabel("true", fontsize=8)
    axis.set_title(f"{title}: {np.trace(matrix)} of {matrix.sum()}".replace("$", r"\$"), fontsize=8)
    if len(labels) > _MOST_NUMBERED:
        return
    for row, column in zip(*np.nonzero(matrix), strict=True):
        colour = "white" if shares[row, column] > _DARK else "black"
        axis.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=7, color=colour)
