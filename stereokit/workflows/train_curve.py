"""``curve.png`` of a run: its validations against training time, drawn from ``log.jsonl``."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stereokit.training.checkpoint import LOG
from stereokit.writing import write_file

CURVE = "curve.png"

# Figures of a validation's line, by its event: the name and the unit of their panel.
_PANELS = {
    "validation": (
        ("energy", "energy distance, dB"),
        ("mmd", "MMD, dB"),
        ("cov", "COV"),
        ("nna", "1-NNA"),
        ("variety", "variety"),
        ("side", "clips with a side"),
    ),
    "pair_validation": (
        ("snr_db", "SNR, dB"),
        ("si_sdr_db", "SI-SDR, dB"),
        ("lsd", "log-spectral distance"),
        ("mr_stft", "multi-resolution STFT distance"),
    ),
    "translation_validation": (
        ("mse", "MSE of what is given back"),
        ("mae", "MAE of what is given back"),
        ("change_mae", "MAE of another label's"),
    ),
    "label_validation": (
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced accuracy"),
        ("f1", "F1"),
        ("nll", "log loss, nats"),
        ("calibration_error", "calibration error"),
        ("temperature", "temperature"),
    ),
}
_WORDS = {
    "validation": "dashed: a perfect generator\ndotted: an alarm of collapse",
    "pair_validation": "dashed: the inputs as they are\ndotted: an alarm of gradients",
    "translation_validation": "dotted: an alarm of gradients",
    "label_validation": "dotted: an alarm of gradients",
}
_INCHES, _DOTS_AN_INCH = (9.0, 7.5), 80
_SECONDS_A_MINUTE = 60.0


def write_curve(run: Path) -> None:
    """Draw the log's validations: each figure against minutes, with what a perfect generator gets.

    Dotted lines are alarms and returns; the last panel has the gradients of each turn. A run without validations has
    no curve.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    lines = [json.loads(line) for line in (run / LOG).read_bytes().splitlines()]
    validations = [line for line in lines if line["event"] in _PANELS]
    if validations:
        alarms = [line["seconds"] / _SECONDS_A_MINUTE for line in lines if line["event"] == "alarm"]
        write_file(run / CURVE, _picture(validations, alarms))


def _picture(validations: Sequence[Mapping[str, Any]], alarms: Sequence[float]) -> bytes:
    figure = Figure(figsize=_INCHES, dpi=_DOTS_AN_INCH)
    FigureCanvasAgg(figure)
    axes = figure.subplots(4, 2, sharex=True)
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.06, top=0.96, hspace=0.3, wspace=0.18)
    minutes = [line["seconds"] / _SECONDS_A_MINUTE for line in validations]
    event = validations[-1]["event"]
    for axis, (name, title) in zip(axes.flat, _PANELS[event], strict=False):
        axis.set_title(title, fontsize=8)
        axis.plot(minutes, _values(validations, name), ".-")
        expected = {**validations[-1].get("expected", {}), **validations[-1].get("input", {})}.get(name)
        if expected is not None:
            axis.axhline(expected, color="grey", linestyle="--", linewidth=1.0)
    _draw_gradients(axes[3, 0], minutes, validations)
    axes[3, 1].set_axis_off()
    axes[3, 1].text(0.0, 0.5, _WORDS[event], fontsize=8, transform=axes[3, 1].transAxes)
    for axis in axes.flat:
        axis.tick_params(which="both", labelsize=7, labelbottom=True)
        for moment in alarms:
            axis.axvline(moment, color="red", linestyle=":", linewidth=1.0)
    axes[2, 1].set_xlabel("minutes", fontsize=8)
    axes[3, 0].set_xlabel("minutes", fontsize=8)
    file = io.BytesIO()
    # Without the program's version, so that the bytes follow from the log.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _draw_gradients(axis: Axes, minutes: Sequence[float], validations: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title("gradient", fontsize=8)
    turns = dict.fromkeys(turn for line in validations for turn in line["gradients"])
    for turn in turns:
        axis.plot(minutes, [line["gradients"].get(turn, float("nan")) for line in validations], ".-", label=turn)
    if turns:
        axis.set_yscale("log")
        axis.legend(fontsize=6)


def _values(validations: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [float("nan") if line[name] is None else line[name] for line in validations]
