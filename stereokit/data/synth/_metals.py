"""Drums of metal: hat, crash and ride, from clouds of inharmonic partials and noise."""

import numpy as np
from numpy.typing import NDArray

from stereokit.data.synth._hits import Canvas, Hit
from stereokit.data.synth._oscillators import (
    Signal,
    log_uniform,
    noise_spectrum,
    partials_spectrum,
    spectrum_signal,
)
from stereokit.data.synth._shaping import band_gains, decay


def _panned(random: np.random.Generator, amplitudes: NDArray[np.float64], channels: int) -> NDArray[np.float64]:
    """Return amplitudes of shape (channels, P), every partial at its own place between left and right."""
    pans = random.uniform(-1.0, 1.0, (channels - 1, amplitudes.size))
    return np.concatenate([amplitudes[None], amplitudes * pans])


def _fading_bands(
    canvas: Canvas,
    spectrum: NDArray[np.complex64],
    centers_hz: tuple[float, ...],
    decays_s: tuple[float, ...],
) -> Signal:
    """Invert a spectrum, (channels, bins), whose overlapping bands fade at rates of their own."""
    octaves = np.log2(np.maximum(canvas.bins_hz, 1.0))
    samples = canvas.blank()
    for row, decay_s in zip(np.eye(len(centers_hz)), decays_s, strict=True):
        weights = np.interp(octaves, np.log2(centers_hz), row).astype(np.float32)
        samples += spectrum_signal(spectrum * weights, canvas.frames) * decay(canvas.time, decay_s)
    return samples


def _squares_hz(
    random: np.random.Generator, base_hz: float, sample_rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies and amplitudes of six square waves without a common pitch, as old machines had."""
    bases_hz = base_hz * np.sort(random.uniform(1.0, 2.7, 6))
    harmonics = np.arange(1, max(sample_rate / 2 / base_hz, 2.0), 2)
    frequencies_hz = np.multiply.outer(bases_hz, harmonics).ravel()
    return frequencies_hz, np.tile(1 / harmonics, 6)


def hat(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a hat, closed or open: square waves and noise through a high band."""
    opened = random.random() < 0.4
    decay_s = log_uniform(random, 0.4, 1.6) if opened else log_uniform(random, 0.07, 0.24)
    center_hz = log_uniform(random, 5500.0, 11000.0)
    gains = band_gains(canvas.bins_hz, center_hz * 0.8, center_hz * random.uniform(1.2, 2.0), order=3)
    # Far under the band, so that what is heard are high harmonics too close to have a pitch.
    base_hz = log_uniform(random, 250.0, 700.0)
    frequencies_hz, amplitudes = _squares_hz(random, base_hz, canvas.sample_rate)
    metal = partials_spectrum(
        random,
        frequencies_hz,
        _panned(random, amplitudes, canvas.channels),
        bins=canvas.bins_hz.size,
        sample_rate=canvas.sample_rate,
    )
    metal *= gains
    # Energy decides the mix, whatever the band has left of the squares.
    energy = np.sqrt(np.sum(np.square(np.abs(metal[0])))) + 1e-9
    metal *= np.float32(random.uniform(0.3, 1.0) * canvas.bins_hz.size / energy)
    spectrum = metal + noise_spectrum(random, gains, canvas.channels) * np.float32(random.uniform(0.2, 1.0))
    samples = spectrum_signal(spectrum, canvas.frames)
    # Two slopes, as a cymbal has them: the stroke dies at once, the ringing does not.
    stroke = random.uniform(0.0, 1.5) * decay(canvas.time, min(decay_s, random.uniform(0.03, 0.08)))
    samples *= decay(canvas.time, decay_s) + stroke
    return Hit(samples, decay_s, center_hz)


def crash(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a crash: a dense cloud and noise that blooms after the stroke and fades slowly, the top first."""
    count = int(random.integers(40, 90))
    center_hz = log_uniform(random, 3200.0, 6500.0)
    gains = band_gains(canvas.bins_hz, center_hz * random.uniform(0.35, 0.7), center_hz * random.uniform(1.3, 2.5))
    frequencies_hz = np.exp(random.uniform(np.log(350.0), np.log(16000.0), count))
    amplitudes = random.exponential(1.0, count) * np.interp(frequencies_hz, canvas.bins_hz, gains)
    amplitudes *= random.uniform(0.2, 0.8) / (np.sqrt(np.sum(amplitudes**2) / 2) + 1e-9)
    spectrum = noise_spectrum(random, gains, canvas.channels)
    spectrum += partials_spectrum(
        random,
        frequencies_hz,
        _panned(random, amplitudes, canvas.channels),
        bins=canvas.bins_hz.size,
        sample_rate=canvas.sample_rate,
    )
    decay_s = log_uniform(random, 0.8, 2.6)
    decays_s = (decay_s * random.uniform(0.7, 1.1), decay_s, decay_s * random.uniform(0.5, 0.9))
    samples = _fading_bands(canvas, spectrum, (700.0, 3500.0, 11000.0), decays_s)
    # The plate takes a moment to carry the stroke into all its modes.
    bloom_s = log_uniform(random, 0.002, 0.02)
    samples *= (1 - random.uniform(0.2, 0.8) * np.exp(-canvas.time / bloom_s)).astype(np.float32)
    return Hit(samples, decay_s, center_hz)


def ride(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a ride: the stick's ping over a thin, long wash of few partials."""
    decay_s = log_uniform(random, 0.9, 2.8)
    center_hz = log_uniform(random, 3000.0, 8500.0)
    wash_hz = np.exp(random.uniform(np.log(2000.0), np.log(13000.0), int(random.integers(14, 40))))
    wash = random.exponential(1.0, wash_hz.size) / (1 + np.square(np.log2(wash_hz / center_hz)))
    wash *= random.uniform(0.25, 0.6) / np.sqrt(np.sum(wash**2) / 2)
    # A stick on the bow excites a few near modes; the bell's are lower and not always struck.
    ping_hz = center_hz * random.uniform(0.6, 1.3, int(random.integers(2, 6)))
    bell_hz = log_uniform(random, 500.0, 1100.0) * np.array([1.0, random.uniform(1.4, 1.6), random.uniform(2.2, 2.8)])
    ping_hz = np.concatenate([ping_hz, bell_hz])
    ping = random.uniform(0.4, 1.0, ping_hz.size)
    ping[-3:] *= random.uniform(0.05, 0.9)
    bins, sample_rate = canvas.bins_hz.size, canvas.sample_rate
    # The wash is drawn apart from the ping: it outlives it, and has partials of its own.
    steady = partials_spectrum(
        random, wash_hz, _panned(random, wash, canvas.channels), bins=bins, sample_rate=sample_rate
    )
    hiss = band_gains(canvas.bins_hz, center_hz * 0.9, center_hz * random.uniform(1.6, 3.0))
    steady += noise_spectrum(random, hiss, canvas.channels) * np.float32(random.uniform(0.08, 0.4))
    samples = _fading_bands(canvas, steady, (2500.0, 9000.0), (decay_s, decay_s * random.uniform(0.5, 0.9)))
    struck = partials_spectrum(
        random, ping_hz, _panned(random, ping * 0.6, canvas.channels), bins=bins, sample_rate=sample_rate
    )
    ping_s = log_uniform(random, 0.15, 0.7)
    samples += spectrum_signal(struck, canvas.frames) * decay(canvas.time, ping_s)
    tick = canvas.band_noise(random, 2500.0, log_uniform(random, 6000.0, 14000.0), length_s=0.03)
    samples[:, : tick.shape[1]] += tick * decay(canvas.time[: tick.shape[1]], 0.03)
    return Hit(samples, decay_s, center_hz)
