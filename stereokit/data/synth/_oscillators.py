"""Sources of sound: band-limited wave tables for unison voices, swept sines, noise and clouds of partials.

Nothing here recurs from sample to sample: phases are closed forms, and steady spectra are inverted at once.
"""

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]

_TABLE_BITS = 13
_PHASE_BITS = 32
_FRACTION_BITS = _PHASE_BITS - _TABLE_BITS
_FRACTION_MASK = np.uint32((1 << _FRACTION_BITS) - 1)
_FFT_GRAIN_FRAMES = 1024


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """Draw between two positive bounds so that every octave is equally likely."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def fft_frames(frames: int) -> int:
    """Round up to a multiple of 1,024: transforms of lengths with large prime factors are slow."""
    return -(-frames // _FFT_GRAIN_FRAMES) * _FFT_GRAIN_FRAMES


def bin_frequencies_hz(frames: int, sample_rate: int) -> Signal:
    """Return the bins' frequencies, shape (fft_frames(frames) // 2 + 1,), of ``noise`` and ``partials``."""
    return np.fft.rfftfreq(fft_frames(frames), 1 / sample_rate).astype(np.float32)


def wave_table(highest_hz: float, sample_rate: int, *, notch: float = 0.0, notch_shift: float = 0.5) -> Signal:
    """Return one period of a saw without harmonics at or over half the sample rate.

    The saw has a second one subtracted, ``notch`` times as loud and ``notch_shift`` periods later: 0 leaves
    a saw, 1 makes a pulse of that duty, between lie waves that thin out some harmonics.

    Parameters
    ----------
    highest_hz
        The highest frequency that the table will be read at.
    sample_rate
        Hz of the result.
    notch, notch_shift
        Both 0 to 1.

    Returns
    -------
    Signal
        Shape (8192,), about ±1 for a saw.
    """
    size = 1 << _TABLE_BITS
    # Stopping short of half the rate is all that band-limiting takes, since a table is read at a steady rate.
    count = min(int(np.ceil(sample_rate / 2 / highest_hz)) - 1, size // 2 - 1)
    harmonics = np.arange(1, count + 1)
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    spectrum[1 : count + 1] = -1j * size / np.pi / harmonics
    spectrum[1 : count + 1] *= 1 - notch * np.exp(-2j * np.pi * notch_shift * harmonics)
    return np.fft.irfft(spectrum).astype(np.float32)


def unison(
    table: Signal,
    frequencies_hz: NDArray[np.float64],
    starts: NDArray[np.float64],
    *,
    frames: int,
    sample_rate: int,
) -> Signal:
    """Read a wave table with several steady voices.

    Phases are 32-bit integers: wrapping around is the period, and nothing drifts however long the sound.

    Parameters
    ----------
    table
        One period, shape (8192,).
    frequencies_hz
        Shape (V,), below half the sample rate.
    starts
        Shape (V,), the phases at the first frame, 0 to 1 periods.
    frames, sample_rate
        Length and rate (Hz) of the result.

    Returns
    -------
    Signal
        Shape (V, frames).
    """
    turn = float(1 << _PHASE_BITS)
    steps = np.round(frequencies_hz / sample_rate * turn).astype(np.uint32)
    phases = np.multiply.outer(steps, np.arange(frames, dtype=np.uint32))
    phases += (np.floor(starts * turn) % turn).astype(np.uint32)[:, None]
    positions = (phases >> _FRACTION_BITS).astype(np.intp)
    fractions = (phases & _FRACTION_MASK).astype(np.float32)
    fractions *= np.float32(0.5**_FRACTION_BITS)
    # 8,192 points with straight lines between them: what the lines add lies 90 dB under the saw.
    rises = np.roll(table, -1) - table
    fractions *= rises.take(positions)
    fractions += table.take(positions)
    return fractions


def swept_phase(
    time: NDArray[np.float64], base_hz: float, sweeps: tuple[tuple[float, float], ...]
) -> NDArray[np.float64]:
    """Return the phase of a tone whose pitch falls, the integral of its frequency.

    The frequency is ``base_hz * (1 + sum(height * exp(-t / fall_s)))`` over the (height, fall_s) given.

    Parameters
    ----------
    time
        Seconds, shape (T,).
    base_hz
        Where the pitch ends.
    sweeps
        Heights (ratio to ``base_hz``) and falls (seconds).

    Returns
    -------
    NDArray[np.float64]
        Radians, shape (T,), 0 at time 0.
    """
    periods = time.copy()
    for height, fall_s in sweeps:
        periods += height * fall_s * -np.expm1(-time / fall_s)
    return 2 * np.pi * base_hz * periods


def noise_spectrum(random: np.random.Generator, gains: Signal, channels: int) -> NDArray[np.complex64]:
    """Draw the spectrum of steady noise, independent in every channel, whose signal has an RMS of 1.

    Parameters
    ----------
    random
        Where it is drawn from.
    gains
        Shape (bins,), bins as of ``bin_frequencies_hz``; not all 0.
    channels
        How many.

    Returns
    -------
    NDArray[np.complex64]
        Shape (channels, bins), for ``spectrum_signal``.
    """
    parts = random.standard_normal((channels, gains.size, 2), dtype=np.float32)
    level = gains.size / np.sqrt(np.sum(gains * gains))
    spectrum: NDArray[np.complex64] = parts.view(np.complex64)[..., 0]
    spectrum *= gains * np.float32(level)
    return spectrum


def partials_spectrum(
    random: np.random.Generator,
    frequencies_hz: NDArray[np.float64],
    amplitudes: NDArray[np.float64],
    *,
    bins: int,
    sample_rate: int,
) -> NDArray[np.complex64]:
    """Return the spectrum of steady partials, each moved to its nearest bin (by a hertz at most).

    Parameters
    ----------
    random
        Draws the phases, one a partial, the same in all channels.
    frequencies_hz
        Shape (P,); those at or over half the sample rate are left out.
    amplitudes
        Shape (channels, P); a negative one turns the phase over.
    bins, sample_rate
        The grid, as of ``bin_frequencies_hz``.

    Returns
    -------
    NDArray[np.complex64]
        Shape (channels, bins), for ``spectrum_signal``.
    """
    places = np.round(frequencies_hz / sample_rate * 2 * (bins - 1)).astype(np.intp)
    # Random phases, or all partials would peak together at the first frame.
    turns = np.exp(2j * np.pi * random.random(places.size))
    kept = places < bins - 1
    spectrum = np.zeros((amplitudes.shape[0], bins), np.complex64)
    for channel, values in zip(spectrum, amplitudes * turns * (bins - 1), strict=True):
        np.add.at(channel, places[kept], values[kept].astype(np.complex64))
    return spectrum


def spectrum_signal(spectrum: NDArray[np.complex64], frames: int) -> Signal:
    """Invert steady spectra of shape (..., bins) to signals of shape (..., frames)."""
    return np.asarray(np.fft.irfft(spectrum)[..., :frames], np.float32)
