"""The pictures of a report as PNG: how wide sets of clips are, and a clip's mid and side."""

import io
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.spectrum import power_spectrogram
from stereokit.audio.stereo import mid_side
from stereokit.metrics.windows import HOP_S, WINDOW_S

# Twice what a page shows, for dense screens.
_DOTS_AN_INCH = 160
# Told apart by all eyes, and in this order by lightness too.
COLOURS = ("#1b1b1b", "#d55e00", "#0072b2", "#009e73")

_FLOOR_DB, _TOP_DB = -80.0, -10.0
_LOW_HZ, _HIGH_HZ = 60.0, 16_000.0
_WINDOW_S, _HOPS_A_WINDOW = 0.046, 8
_TICKS_HZ = (100.0, 1_000.0, 10_000.0)

# Nine of ten clips, the middle half, the median.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Sequences = NDArray[np.float64]
Curve = NDArray[np.floating[Any]]


def widths_over_time(sets: Mapping[str, Sequences]) -> bytes:
    """Draw the short-time side distance of each set, a panel a set: median, middle half and 5 % to 95 % of its clips.

    Parameters
    ----------
    sets
        By name, shape (clips, windows).
    """
    figure = new_figure(9.0, 2.9)
    panels = figure.subplots(1, len(sets), sharex=True, sharey=True, squeeze=False)[0]
    for panel, (name, values), colour in zip(panels, sets.items(), COLOURS, strict=False):
        times = WINDOW_S / 2.0 + HOP_S * np.arange(values.shape[1])
        draw_bands(panel, times, np.quantile(values, QUANTILES, axis=0), colour, name)
    panels[0].set_ylabel("side distance", fontsize=9)
    panels[0].set_ylim(bottom=0.0)
    return png_of(figure)


def draw_bands(panel: Axes, times: Curve, bands: Curve, colour: str, title: str) -> None:
    """Draw a set's course over time: a line for the median clip, a dark and a light band around it.

    Parameters
    ----------
    panel
        Where.
    times
        Seconds, shape (n,).
    bands
        Of ``QUANTILES``, shape (5, n).
    colour, title
        Of the set.
    """
    lowest, low, median, high, highest = bands
    panel.fill_between(times, lowest, highest, color=colour, alpha=0.15, linewidth=0)
    panel.fill_between(times, low, high, color=colour, alpha=0.35, linewidth=0)
    panel.plot(times, median, color=colour, linewidth=2)
    panel.set_title(_plain(title), fontsize=10)
    panel.set_xlabel("seconds", fontsize=9)
    panel.tick_params(labelsize=8)
    panel.grid(alpha=0.25)


def width_distributions(sets: Mapping[str, Sequences]) -> bytes:
    """Draw which share of all windows of a set is as wide as a value or less, a line a set.

    Parameters
    ----------
    sets
        By name, any shape.
    """
    figure = new_figure(9.0, 3.2)
    axes = figure.subplots()
    for (name, values), colour in zip(sets.items(), COLOURS, strict=False):
        ordered = np.sort(values, axis=None)
        shares = np.arange(1, len(ordered) + 1) / len(ordered)
        axes.plot(ordered, shares, color=colour, linewidth=2, label=_plain(name))
    axes.set_xlabel("side distance of a 40 ms window", fontsize=9)
    axes.set_ylabel("share of windows", fontsize=9)
    axes.set_xlim(left=0.0)
    axes.set_ylim(0.0, 1.01)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=9, loc="lower right", frameon=False)
    return png_of(figure)


def clip_picture(clip: Clip) -> bytes:
    """Draw the spectrogram of mid above that of side, with pitch upwards, from -80 dB (black) to -10 dB of a sine."""
    figure = new_figure(2.9, 2.9)
    panels = figure.subplots(2, 1, sharex=True)
    window = _HOPS_A_WINDOW * max(1, round(_WINDOW_S * clip.sample_rate / _HOPS_A_WINDOW))
    hop = window // _HOPS_A_WINDOW
    for panel, signal, name in zip(panels, mid_side(clip), ("mid", "side"), strict=True):
        # Half a window of silence on both sides puts each frame over its own time.
        power = power_spectrogram(np.pad(signal, window // 2), window=window, hop=hop)
        # Of a full-scale sine's mean square, 1/2, a Hann window leaves 2/3 in its own bin.
        level_db = 10.0 * np.log10(np.maximum(3.0 * power, 10.0 ** (_FLOOR_DB / 10.0)))
        times = hop / clip.sample_rate * (np.arange(len(power) + 1) - 0.5)
        edges_hz = clip.sample_rate / window * (np.arange(power.shape[1] + 1) - 0.5)
        # A logarithmic axis has no place for what is below 0 Hz.
        panel.pcolormesh(times, edges_hz[1:], level_db[:, 1:].T, vmin=_FLOOR_DB, vmax=_TOP_DB, cmap="magma")
        panel.set_yscale("log")
        panel.set_xlim(0.0, clip.frames / clip.sample_rate)
        panel.set_ylim(_LOW_HZ, min(_HIGH_HZ, clip.sample_rate / 2.0))
        panel.set_facecolor("black")
        panel.yaxis.set_major_locator(FixedLocator(_TICKS_HZ))
        panel.yaxis.set_minor_locator(NullLocator())
        panel.set_yticklabels(["100 Hz", "1 kHz", "10 kHz"])
        panel.tick_params(labelsize=8)
        panel.text(0.97, 0.94, name, color="white", fontsize=9, ha="right", va="top", transform=panel.transAxes)
    panels[-1].set_xlabel("seconds", fontsize=8)
    return png_of(figure)


def new_figure(width: float, height: float, *, layout: Literal["constrained"] | None = "constrained") -> Figure:
    """Return an empty figure of so many inches, never shown in a window; without a layout, margins are yours."""
    figure = Figure(figsize=(width, height), dpi=_DOTS_AN_INCH, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _plain(text: str) -> str:
    """Return a text as it is to be read: dollar signs would start a formula."""
    return text.replace("$", r"\$")


def png_of(figure: Figure) -> bytes:
    """Return a figure as PNG; equal figures give equal bytes."""
    file = io.BytesIO()
    # Without the program's version, so that the bytes follow from the picture.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
