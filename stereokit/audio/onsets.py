"""Where sounds start within a recording: attacks found by the rise of the spectrum, placed by the rise of the level."""

from collections.abc import Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stereokit.audio.spectrum import hann, mel_filters

# Frames of 20 ms every 5 ms, compared with the one 10 ms before.
_HOP_S, _WINDOW_HOPS, _BACK_HOPS = 0.005, 4, 2
_BANDS, _LOW_HZ, _HIGH_HZ = 24, 40.0, 16_000.0
# Levels of a band under this are as good as silence.
_FLOOR_DB = -70.0
# An onset rises by this, on the mean over the bands, above what the 200 ms around it rise on the mean.
_RISE_DB, _AROUND_HOPS = 3.0, 20
# Where a sound is cut off, that splashes over all bands, too; but the whole does not rise, and soon has fallen.
_SWELL_DB, _FALL_DB = 1.0, -6.0
# It rises as nothing else does in the 30 ms before and after, and lies 50 ms after the one before.
_ALONE_HOPS, _APART_HOPS = 6, 10
# Its place is where the level of a millisecond rises most over that of the three before.
_CELL_S, _CELLS_BEFORE = 0.001, 3
_FRAMES_AT_ONCE = 512


def onset_frames(blocks: Iterable[NDArray[np.float32]], sample_rate: int) -> list[int]:
    """Return the frames at which something starts, ascending: a millisecond or two before each attack.

    The spectrum's rise in dB is compared with its mean over 200 ms around, so that a steady sound, however loud, has
    no onsets. Both channels are heard together.

    Parameters
    ----------
    blocks
        The sound from its start, in arrays of shape (n, 2), full scale 1. Of each second some 5 kB are kept.
    sample_rate
        Hz.
    """
    hop, cell = max(1, round(_HOP_S * sample_rate)), max(1, round(_CELL_S * sample_rate))
    listener = _Listener(sample_rate, hop, cell)
    for block in blocks:
        listener.hear(block)
    # A sound that starts at the end is heard whole in the windows that reach beyond it.
    listener.hear(np.zeros((_WINDOW_HOPS * hop + cell, 2), np.float32))
    level = np.concatenate(listener.levels)
    rise = np.where(_stays(np.concatenate(listener.wholes)), np.concatenate(listener.rises), 0.0)
    found: list[int] = []
    for place in _peaks(rise):
        first = max(0, place - _BACK_HOPS) * hop // cell
        last = min((place + _WINDOW_HOPS) * hop // cell + 1, len(level))
        found.append(max(0, (_attack(level, first, last) - 1) * cell))
    return sorted(set(found))


def _peaks(rise: NDArray[np.float64]) -> list[int]:
    """Return the hops at which the rise is highest around and stands out."""
    if not len(rise):
        return []
    highest = sliding_window_view(np.pad(rise, _ALONE_HOPS), 2 * _ALONE_HOPS + 1).max(axis=1)
    total = np.concatenate([[0.0], np.cumsum(np.pad(rise, _AROUND_HOPS))])
    width = 2 * _AROUND_HOPS + 1
    mean = (total[width:] - total[:-width]) / width
    kept: list[int] = []
    for place in np.flatnonzero((rise == highest) & (rise > mean + _RISE_DB)):
        if not kept or place - kept[-1] >= _APART_HOPS:
            kept.append(int(place))
    return kept


def _stays(whole: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell of each hop whether the level rises there, or has not fallen much once the window has moved on."""
    silence = np.full(_BACK_HOPS, _FLOOR_DB + 10.0 * np.log10(_BANDS))
    before = np.concatenate([silence, whole])[: len(whole)]
    around = sliding_window_view(np.pad(whole, (0, _WINDOW_HOPS + 1), mode="edge"), _WINDOW_HOPS + 2)
    return np.asarray((around.max(axis=1) > before + _SWELL_DB) | (around[:, -1] > before + _FALL_DB))


def _attack(level: NDArray[np.float32], first: int, last: int) -> int:
    """Return the millisecond from ``first`` to before ``last`` that rises most over those before it."""
    padded = np.concatenate([np.zeros(_CELLS_BEFORE, np.float32), level[max(0, first - _CELLS_BEFORE) : last]])
    padded = padded[len(padded) - (last - first) - _CELLS_BEFORE :]
    before = sliding_window_view(padded[:-1], _CELLS_BEFORE).max(axis=1)
    return first + int(np.argmax(padded[_CELLS_BEFORE:] - before))


class _Listener:
    """Keeps of a sound that goes by what onsets are found in.

    Attributes
    ----------
    rises
        dB by which the bands rise on the mean, a figure a hop.
    wholes
        dB of all bands together, a figure a hop.
    levels
        The highest absolute sample of both channels, a figure a cell.
    """

    def __init__(self, sample_rate: int, hop: int, cell: int) -> None:
        self.rises: list[NDArray[np.float64]] = []
        self.wholes: list[NDArray[np.float64]] = []
        self.levels: list[NDArray[np.float32]] = []
        self._hop, self._cell, self._window = hop, cell, _WINDOW_HOPS * hop
        self._shape = hann(self._window).astype(np.float32)[:, None]
        filters = mel_filters(
            sample_rate=sample_rate, n_fft=self._window, bands=_BANDS, low_hz=_LOW_HZ, high_hz=_HIGH_HZ
        )
        # Scaled so that a full-scale sine has 0 dB in its band.
        self._filters = filters.T * (2.0 / self._shape.sum(dtype=np.float64)) ** 2
        # Silence before the sound: one that starts at once has an onset there.
        self._before = np.full((_BACK_HOPS, _BANDS), _FLOOR_DB)
        self._to_level = self._to_rise = np.zeros((0, 2), np.float32)

    def hear(self, block: NDArray[np.float32]) -> None:
        """Take the next samples, shape (n, 2)."""
        heard = np.concatenate([self._to_level, block])
        whole = len(heard) // self._cell * self._cell
        self.levels.append(np.abs(heard[:whole]).reshape(-1, self._cell * 2).max(axis=1))
        self._to_level = heard[whole:]
        heard = np.concatenate([self._to_rise, block])
        count = max(0, (len(heard) - self._window) // self._hop + 1)
        for start in range(0, count, _FRAMES_AT_ONCE):
            stop = min(start + _FRAMES_AT_ONCE, count)
            self._compare(heard[start * self._hop : (stop - 1) * self._hop + self._window])
        self._to_rise = heard[count * self._hop :]

    def _compare(self, samples: NDArray[np.float32]) -> None:
        frames = sliding_window_view(samples, self._window, axis=0)[:: self._hop].swapaxes(1, 2)
        spectra = np.fft.rfft(frames * self._shape, axis=1)
        power = (spectra.real**2 + spectra.imag**2).sum(axis=2)
        bands = 10.0 * np.log10(power @ self._filters + 10.0 ** (_FLOOR_DB / 10.0))
        self.wholes.append(10.0 * np.log10((10.0 ** (bands / 10.0)).sum(axis=1)))
        bands = np.concatenate([self._before, bands])
        self.rises.append(np.maximum(bands[_BACK_HOPS:] - bands[:-_BACK_HOPS], 0.0).mean(axis=1))
        self._before = bands[-_BACK_HOPS:]
