"""A sound made longer or shorter at its own pitch: a phase vocoder that turns both channels by one angle.

Each region around a spectral peak is turned as a whole (J. Laroche and M. Dolson, Improved phase vocoder time-scale
modification of audio, IEEE Trans. Speech Audio Process. 7, 1999). Where theirs reads the angle off the peak of one
channel, ours takes the one that fits all bins of the region in both channels best: a bin's level and phase between left
and right stay as they are, so the stereo image stays. Attacks are copied, and only what lies between them is stretched.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.spectrum import hann, mel_filters, stft

# Long enough to tell apart the low notes of a chord, where half as long leaves a tenth of the energy beside them.
_WINDOW_S = 0.0929
_SHORT_WINDOW_S = 0.0116
_HOPS_A_WINDOW = 4
_FRAMES_AT_ONCE = 256
# An attack: the bands rise by so much in the mean from one short window to the next but one.
_RISE_DB = 4.0
_RANGE_DB = 50.0
_BANDS = 24
_LONG_AGO_S = 0.05
# What ends so far below its peak ends in silence, and does so afterwards.
_SILENT = 0.01
_FALL_S = 0.005

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class TimeMap:
    """Which moment of the sound is heard at which moment of the stretched one, both in samples, rising.

    Attributes
    ----------
    heard, source
        Corners of the line, shape (n,).
    copied
        Stretches of the stretched sound in which time runs as before, (start, stop).
    """

    heard: Samples
    source: Samples
    copied: list[tuple[float, float]]


def stretched(samples: Samples, *, sample_rate: int, factor: float) -> Samples:
    """Return the sound ``factor`` times as long: round(T x factor) samples.

    Parameters
    ----------
    samples
        Shape (2, T), T >= 1.
    sample_rate
        Hz; it gives the lengths of windows.
    factor
        From 0.25 to 4; 1 gives the samples back to rounding.

    Returns
    -------
    ndarray
        Shape (2, round(T x factor)), at least one sample.
    """
    window = 1 << max(6, round(np.log2(_WINDOW_S * sample_rate)))
    hop = window // _HOPS_A_WINDOW
    frames = samples.shape[1]
    length = max(1, round(frames * factor))
    time = time_map(attacks(samples, sample_rate), frames=frames, length=length, reach=window // 2)
    heard = np.arange(-(window // 2), length + window // 2 + hop, hop)
    source = np.rint(np.interp(heard, time.heard, time.source)).astype(np.int64)
    # Outside of the sound time runs on as it does inside a copied stretch.
    source = np.where(heard < 0, heard, np.where(heard > length, heard - length + frames, source))
    is_copied = np.zeros(heard.size, bool)
    for start, stop in time.copied:
        is_copied |= (heard >= start) & (heard <= stop)
    is_copied |= heard < 0
    # Room for the window before the first frame and after the last, and for a hop of looking back.
    margin = 2 * window + hop
    padded = np.pad(samples, ((0, 0), (margin, margin)))
    result = np.zeros((2, heard.size * hop + window))
    weight = np.zeros(result.shape[1])
    shape = hann(window)
    made: NDArray[np.complex128] | None = None
    for first in range(0, heard.size, _FRAMES_AT_ONCE):
        part = slice(first, first + _FRAMES_AT_ONCE)
        starts = source[part] + margin - window // 2
        now = _spectra(padded, starts, shape)
        before = _spectra(padded, starts - hop, shape)
        for index in range(now.shape[1]):
            if made is None or is_copied[first + index]:
                made = now[:, index]
            else:
                made = now[:, index] * _turn(made, before[:, index], now[:, index])
                now[:, index] = made
        sounds = np.fft.irfft(now, window, axis=-1) * shape
        for index in range(sounds.shape[1]):
            place = (first + index) * hop
            result[:, place : place + window] += sounds[:, index]
            weight[place : place + window] += shape**2
    # The first frame's middle lies half a window before the sound, so the sound starts a window into the result.
    whole = slice(window, window + length)
    sound = np.asarray(result[:, whole] / weight[whole])
    if np.abs(samples[:, -1]).max() <= _SILENT * np.abs(samples).max(initial=0.0) and factor != 1.0:
        # Turned phases do not meet in the zero that the sound ended with; a step there would click.
        fall = min(length, round(_FALL_S * sample_rate))
        sound[:, length - fall :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fall + 1) / fall)
    return sound


def _spectra(padded: Samples, starts: NDArray[np.int64], shape: Samples) -> NDArray[np.complex128]:
    """Return the spectra of both channels at these places, shape (2, n, bins)."""
    places = starts[:, None] + np.arange(shape.size)
    return np.fft.rfft(padded[:, places] * shape, axis=-1)


def _turn(
    made: NDArray[np.complex128], before: NDArray[np.complex128], now: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return what turns each bin of ``now``, modulus 1, shape (bins,).

    ``before`` lies a hop before ``now`` in the sound and should have come out as ``made``: its region's angle to that
    is the one by which the region goes on to be turned.
    """
    power = (now.real**2 + now.imag**2).sum(axis=0)
    # Regions meet halfway between peaks.
    inner = power[1:-1]
    peaks = np.flatnonzero((inner > power[:-2]) & (inner > power[2:])) + 1
    match = (made * before.conj()).sum(axis=0)
    starts = np.concatenate([[0], (peaks[1:] + peaks[:-1] + 1) // 2]) if peaks.size else np.zeros(1, np.int64)
    sums = np.add.reduceat(match, starts)
    size = np.abs(sums)
    angles = np.divide(sums, size, out=np.ones_like(sums), where=size > 0)
    return np.repeat(angles, np.diff(np.append(starts, power.size)))


def attacks(samples: Samples, sample_rate: int) -> list[int]:
    """Return the samples at which sounds set in, rising; the first sound always does, silence has none.

    Parameters
    ----------
    samples
        Shape (2, T).
    sample_rate
        Hz.
    """
    window = 1 << max(4, round(np.log2(_SHORT_WINDOW_S * sample_rate)))
    hop = window // 4
    # Silence in front, so that a sound that is there at once rises, too.
    padded = np.pad(samples, ((0, 0), (2 * window, window)))
    filters = mel_filters(
        sample_rate=sample_rate, n_fft=window, bands=_BANDS, low_hz=60.0, high_hz=min(16_000.0, sample_rate / 2)
    )
    # In parts: the spectra of some minutes would fill gigabytes.
    step = _FRAMES_AT_ONCE * hop
    parts = [padded[:, start : start + step + window - hop] for start in range(0, padded.shape[1] - window + 1, step)]
    power = np.concatenate(
        [(np.abs(stft(part, window=window, hop=hop)) ** 2).sum(axis=0) @ filters.T for part in parts]
    )
    highest = float(power.max(initial=0.0))
    if highest == 0.0:
        return []
    levels = 10.0 * np.log10(np.maximum(power / highest, 10.0 ** (-_RANGE_DB / 10.0)))
    rises = np.zeros(len(levels))
    rises[2:] = np.maximum(levels[2:] - levels[:-2], 0.0).mean(axis=1)
    reach = max(1, round(_LONG_AGO_S * sample_rate / hop))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(rises, reach), 2 * reach + 1).max(axis=1)
    found = np.flatnonzero((rises >= _RISE_DB) & (rises == around))
    # A window's rise shows when its middle passes the attack.
    places = [int(index * hop + window // 2 - 2 * window) for index in found]
    level = np.abs(samples).max(axis=0)
    first = int(np.argmax(level > 0.01 * level.max()))
    return [first, *(place for place in places if first + reach * hop < place < samples.shape[1])]


def time_map(places: list[int], *, frames: int, length: int, reach: int) -> TimeMap:
    """Return the line of time that puts each attack at its stretched time and copies what is around it.

    Copied are ``reach`` samples before and after an attack, at most a quarter of the way to the next one, as that way
    is or as it will be, whichever is shorter; so what lies between can always be stretched.
    """
    factor = length / frames
    heard, source, copied = [0.0], [0.0], []
    for number, place in enumerate(places):
        last = places[number - 1] if number else -place
        following = places[number + 1] if number + 1 < len(places) else 2 * frames - place
        room = 0.25 * min(1.0, factor)
        before, after = min(reach, room * (place - last)), min(reach, room * (following - place))
        # A whole number of samples later or earlier, so that the copy is exact.
        middle = place + float(np.floor(place * (factor - 1.0)))
        if number == 0 and place <= reach:
            # What begins with an attack begins as it did.
            before, middle = float(place), float(place)
        corners = [(middle - before, place - before), (middle + after, place + after)]
        copied.append((middle - before, middle + after))
        for at, original in corners:
            if original > source[-1]:
                heard.append(at)
                source.append(original)
    if source[-1] < frames:
        heard.append(float(length))
        source.append(float(frames))
    return TimeMap(np.array(heard), np.array(source), copied)
