"""All figures of a pair, for the whole clip or window by window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.paired.levels import Levels, level_dbfs
from stereokit.metrics.paired.mel_picture import PictureErrors, mel_view_powers, mel_window, white_power
from stereokit.metrics.paired.pair import Section
from stereokit.metrics.paired.spectra import (
    LONGEST_WINDOW,
    LSD_HOP,
    LSD_WINDOW,
    RESOLUTIONS,
    LogSpectral,
    SpectralGap,
    spectra,
)
from stereokit.metrics.paired.views import VIEWS, power_views, signal_views

# Windows of the target under this level are left out: there the floor decides, not the sound.
QUIET_DBFS = -60.0

FIGURES = ("snr_db", "si_sdr_db", "lsd", "mr_stft", "mel_mse", "mel_mae")

# Samples of the windows that are compared side by side, each at least as long as the longest transform.
_BATCH_SAMPLES = 1 << 15

Value = TypeVar("Value", np.float64, np.bool_)

Figures = dict[str, dict[str, NDArray[np.float64]]]


@dataclass(frozen=True)
class WindowFigures:
    """Figures of one view of a pair, window by window; a whole clip is one window.

    Attributes
    ----------
    values
        For each of ``FIGURES`` one value a window, shape (n,); NaN where it has none, and where the window is quiet.
    target_dbfs
        Level of the target in each window, shape (n,).
    is_quiet
        Which windows are left out, their target under -60 dBFS, shape (n,); a whole clip is not.
    """

    values: dict[str, NDArray[np.float64]]
    target_dbfs: NDArray[np.float64]
    is_quiet: NDArray[np.bool_]

    @property
    def quiet(self) -> int:
        """How many windows are left out."""
        return int(self.is_quiet.sum())


def reach(sample_rate: int) -> int:
    """Return how far windows reach, in samples, that begin at the last sample of a section."""
    return max(LONGEST_WINDOW, LSD_WINDOW, mel_window(sample_rate))


class PairSums:
    """The figures of clips of one rate that are compared side by side, each gone through twice.

    Parameters
    ----------
    clips
        How many.
    sample_rate
        Hz.
    """

    def __init__(self, clips: int, sample_rate: int) -> None:
        self._rate = sample_rate
        self._white = np.zeros(clips)
        self._levels = {view: Levels(clips) for view in VIEWS}
        self._log_spectral = {view: LogSpectral(clips) for view in VIEWS}
        self._gaps = [{view: SpectralGap(clips) for view in VIEWS} for _ in RESOLUTIONS]
        self._pictures: dict[str, PictureErrors] = {}

    def look(self, both: NDArray[np.float64], *, start: int = 0, own: int | None = None) -> None:
        """Take the next section of all clips.

        Parameters
        ----------
        both
            Left and right of estimates and targets, shape (2, n, 2, T), full scale ±1.
        start
            Where in the clips the section starts, in samples.
        own
            Its own samples, all if None; what follows them belongs to windows that begin in them.
        """
        white = white_power(both[1], self._rate, start=start, own=own)
        np.maximum(self._white, white, out=self._white)
        for view, estimate, target in signal_views(both[..., :own]):
            self._levels[view].look(estimate, target)

    def look_again(self, both: NDArray[np.float64], *, start: int = 0, own: int | None = None) -> None:
        """Take the same sections again, after all of them."""
        if not self._pictures:
            self._pictures = {view: PictureErrors(self._white, self._rate) for view in VIEWS}
        for view, estimate, target in signal_views(both[..., :own]):
            self._levels[view].look_again(estimate, target)
        for view, estimate, target in mel_view_powers(both, self._rate, start=start, own=own):
            self._pictures[view].add(estimate, target)
        for block in spectra(both, window=LSD_WINDOW, hop=LSD_HOP, start=start, own=own):
            for view, estimate, target in power_views(block):
                self._log_spectral[view].add(estimate, target)
        for (size, window, hop), gaps in zip(RESOLUTIONS, self._gaps, strict=True):
            for block in spectra(both, window=window, hop=hop, size=size, start=start, own=own):
                for view, estimate, target in power_views(block):
                    gaps[view].add(estimate, target)

    def target_dbfs(self) -> dict[str, NDArray[np.float64]]:
        """Return each view's levels of the targets, shape (n,)."""
        return {view: levels.target_dbfs() for view, levels in self._levels.items()}

    def figures(self) -> Figures:
        """Return view -> figure -> values, shape (n,).

        NaN where a figure has no value: SNR where target and estimate are silent, SI-SDR where the target is.
        """
        result = {}
        for view in VIEWS:
            squared, absolute = self._pictures[view].errors()
            result[view] = {
                "snr_db": self._levels[view].signal_to_noise_db(),
                "si_sdr_db": self._levels[view].scale_invariant_db(),
                "lsd": self._log_spectral[view].distance(),
                "mr_stft": np.mean([gaps[view].distance() for gaps in self._gaps], axis=0),
                "mel_mse": squared,
                "mel_mae": absolute,
            }
        return result


def section_windows(section: Section, window: int, sample_rate: int) -> Iterator[dict[str, WindowFigures]]:
    """Yield the figures of windows that follow each other without overlap, some at a time; a rest is left out.

    Whether a window is quiet is asked of each view by itself: the side of a narrow clip is, where its mid is not.

    Parameters
    ----------
    section
        Begins at a multiple of ``window``.
    window
        Samples of a window.
    sample_rate
        Hz.
    """
    both = section.left_right()[..., : section.own]
    count = both.shape[-1] // window
    windows = np.moveaxis(both[..., : count * window].reshape(2, 2, count, window), 2, 1)
    step = max(1, _BATCH_SAMPLES // max(window, reach(sample_rate)))
    for first in range(0, count, step):
        yield _compared(windows[:, first : first + step], sample_rate)


def _compared(windows: NDArray[np.float64], sample_rate: int) -> dict[str, WindowFigures]:
    """Compare windows, shape (2, n, 2, T), that are not quiet in every view."""
    levels = {view: level_dbfs(target) for view, _, target in signal_views(windows)}
    is_heard = np.any([level >= QUIET_DBFS for level in levels.values()], axis=0)
    heard = windows[:, is_heard]
    figures: Figures = {}
    if heard.shape[1]:
        sums = PairSums(heard.shape[1], sample_rate)
        sums.look(heard)
        sums.look_again(heard)
        figures = sums.figures()
    result = {}
    for view, level in levels.items():
        is_quiet = level < QUIET_DBFS
        values = {}
        for name in FIGURES:
            values[name] = np.full(len(level), np.nan)
            if figures:
                values[name][is_heard] = figures[view][name]
            values[name][is_quiet] = np.nan
        result[view] = WindowFigures(values, level, is_quiet)
    return result


def joined(parts: list[dict[str, WindowFigures]]) -> dict[str, WindowFigures]:
    """Return all windows of parts that follow each other; of no part, no window."""
    return {
        view: WindowFigures(
            {name: _end_to_end([part[view].values[name] for part in parts], np.float64) for name in FIGURES},
            _end_to_end([part[view].target_dbfs for part in parts], np.float64),
            _end_to_end([part[view].is_quiet for part in parts], np.bool_),
        )
        for view in VIEWS
    }


def _end_to_end(parts: list[NDArray[Value]], kind: type[Value]) -> NDArray[Value]:
    return np.concatenate([np.zeros(0, kind), *parts])
