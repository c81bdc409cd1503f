"""Pictures of sounds as PNG: spectrograms of mid and side, for grids and as thumbnails."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.spectrum import mel_filters, power_spectrogram
from stereokit.audio.stereo import mid_side

FLOOR_DB = -90.0
_WINDOW_S, _HOPS_A_WINDOW = 0.023, 8
_COLUMNS = 4
_INCHES, _DOTS_AN_INCH = (2.4, 1.5), 80

_THUMBNAIL_BANDS, _THUMBNAIL_FRAMES, _THUMBNAIL_FLOOR_DB, _DOTS_A_CELL = 48, 128, -80.0, 2


def thumbnail(clip: Clip) -> bytes:
    """Draw a clip small and fast: mel bands of mid above those of side, without axes, from -80 dB (black) to 0 dB.

    Returns
    -------
    bytes
        PNG; equal clips give equal bytes on one machine.
    """
    window = _HOPS_A_WINDOW * max(1, round(_WINDOW_S * clip.sample_rate / _HOPS_A_WINDOW))
    filters = mel_filters(
        sample_rate=clip.sample_rate, n_fft=window, bands=_THUMBNAIL_BANDS, low_hz=40.0, high_hz=16_000.0
    )
    hop = max(1, clip.frames // _THUMBNAIL_FRAMES)
    panels = []
    for signal in mid_side(clip):
        # half a window of silence on both sides puts each frame over its own time
        power = power_spectrogram(np.pad(signal.astype(np.float64), window // 2), window=window, hop=hop) @ filters.T
        level_db = 10.0 * np.log10(np.maximum(3.0 * power, 1e-20))
        panels.append(np.clip(1.0 - level_db.T / _THUMBNAIL_FLOOR_DB, 0.0, 1.0)[::-1])
    gap = np.ones((1, panels[0].shape[1]))
    colours = colormaps["magma"](np.concatenate([panels[0], gap, panels[1]]))
    file = io.BytesIO()
    cells = np.ones((_DOTS_A_CELL, _DOTS_A_CELL, 1))
    # without the name of the program, so that the bytes follow from the picture
    imsave(file, np.kron(colours, cells), format="png", pil_kwargs={"pnginfo": None})
    return file.getvalue()


def spectrogram_grid(clips: Sequence[NDArray[np.float32]], titles: Sequence[str], *, sample_rate: int) -> bytes:
    """Draw a clip a cell, four cells a row: the spectrogram of mid above that of side, in seconds and kHz.

    Parameters
    ----------
    clips
        One or more, float32 of shape (2, T), full scale ±1.
    titles
        One a clip; drawn as they are.
    sample_rate
        Hz of all clips.

    Returns
    -------
    bytes
        PNG; equal clips give equal bytes on one machine. Colours span -90 dB to 0 dB, a full-scale sine being 0 dB.
    """
    rows = -(-len(clips) // _COLUMNS)
    columns = min(len(clips), _COLUMNS)
    width, height = _INCHES
    figure = Figure(figsize=(width * columns, 2 * height * rows), dpi=_DOTS_AN_INCH)
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * rows, columns, squeeze=False, sharex=True, sharey=True)
    # Fixed margins: finding them would take as long as drawing.
    margin = 0.35
    figure.subplots_adjust(
        left=margin / (width * columns), right=1.0 - 0.1 / (width * columns), bottom=0.2 / (2 * height * rows),
        top=1.0 - 0.2 / (2 * height * rows), wspace=0.08, hspace=0.25,
    )  # fmt: skip
    for axis in axes.flat:
        axis.set_axis_off()
    for number, (clip, title) in enumerate(zip(clips, titles, strict=True)):
        row, column = divmod(number, _COLUMNS)
        left, right = np.asarray(clip, np.float64)
        _draw(axes[2 * row, column], (left + right) / 2.0, sample_rate, f"{title}: mid".lstrip(": "))
        _draw(axes[2 * row + 1, column], (left - right) / 2.0, sample_rate, "side")
    file = io.BytesIO()
    # Without the program's version, so that the bytes follow from the picture.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _draw(axis: Axes, signal: NDArray[np.float64], sample_rate: int, title: str) -> None:
    window = _HOPS_A_WINDOW * max(1, round(_WINDOW_S * sample_rate / _HOPS_A_WINDOW))
    power = power_spectrogram(signal, window=window, hop=window // _HOPS_A_WINDOW)
    # Of a full-scale sine's mean square, 1/2, a Hann window leaves 2/3 in its own bin.
    level_db = 10.0 * np.log10(np.maximum(3.0 * power, 1e-20))
    axis.set_axis_on()
    axis.imshow(
        level_db.T,
        origin="lower",
        aspect="auto",
        vmin=FLOOR_DB,
        vmax=0.0,
        cmap="magma",
        interpolation="nearest",
        extent=(0.0, len(signal) / sample_rate, 0.0, sample_rate / 2000.0),
    )
    # Dollar signs would start a formula.
    axis.set_title(title.replace("$", r"\$"), fontsize=7)
    axis.tick_params(labelsize=6)
