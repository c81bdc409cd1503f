"""Drums with a skin: kick, snare and tom."""

import numpy as np

from stereokit.data.synth._hits import Canvas, Hit
from stereokit.data.synth._oscillators import Signal, log_uniform, swept_phase
from stereokit.data.synth._shaping import decay


def _add_stick(
    random: np.random.Generator,
    canvas: Canvas,
    samples: Signal,
    *,
    low_hz: tuple[float, float],
    high_hz: tuple[float, float],
    decay_s: tuple[float, float],
    gain: float,
) -> None:
    """Add the short noise of beater or stick in place; ranges are drawn from log-uniformly."""
    # Only as much noise is made as will be heard: most of a stick is over in a twentieth of the canvas.
    sixty_db_s = log_uniform(random, *decay_s)
    noise = canvas.band_noise(random, log_uniform(random, *low_hz), log_uniform(random, *high_hz), length_s=sixty_db_s)
    count = noise.shape[1]
    samples[:, :count] += noise * decay(canvas.time[:count], sixty_db_s) * np.float32(gain)


def kick(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a kick: a sine that falls fast into the bass, driven more or less, and the beater's click."""
    pitch_hz = log_uniform(random, 42.0, 78.0)
    sweeps = (
        (log_uniform(random, 1.0, 16.0), log_uniform(random, 0.004, 0.018)),
        (random.uniform(0.0, 0.8), log_uniform(random, 0.03, 0.09)),
    )
    # Machines hold the level before they let it fall, which a bare exponential would miss.
    decay_s, hold_s = log_uniform(random, 0.18, 1.2), random.uniform(0.0, 0.05)
    phase = swept_phase(canvas.time, pitch_hz, sweeps)
    body = np.sin(phase).astype(np.float32) * decay(canvas.time, decay_s, hold_s)
    # Drive goes to the tone alone: over so low a pitch its harmonics die out before they could alias.
    drive = log_uniform(random, 0.2, 4.0)
    samples = canvas.blank()
    samples[0] = np.tanh(np.float32(drive) * body) / np.tanh(drive)
    _add_stick(
        random,
        canvas,
        samples,
        low_hz=(300.0, 2500.0),
        high_hz=(2500.0, 12000.0),
        decay_s=(0.006, 0.05),
        gain=log_uniform(random, 0.02, 0.5),
    )
    return Hit(samples, decay_s + hold_s, pitch_hz)


def snare(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a snare: two modes of the skin, and the wires' noise, which outlasts them or not."""
    pitch_hz = log_uniform(random, 145.0, 260.0)
    sweeps = ((random.uniform(0.0, 1.2), log_uniform(random, 0.006, 0.03)),)
    phase = swept_phase(canvas.time, pitch_hz, sweeps)
    ratio = random.uniform(1.45, 1.95)
    skin_s = log_uniform(random, 0.1, 0.45)
    skin = np.sin(phase).astype(np.float32) * decay(canvas.time, skin_s)
    upper = np.sin(ratio * phase).astype(np.float32) * decay(canvas.time, skin_s * random.uniform(0.4, 0.9))
    decay_s = log_uniform(random, 0.18, 1.0)
    # Drawn apart from the skin's decay: the wires are tight or loose, and the gate of old machines cut them.
    wires = canvas.band_noise(random, log_uniform(random, 700.0, 3000.0), log_uniform(random, 5000.0, 14000.0))
    wires *= decay(canvas.time, decay_s, random.uniform(0.0, 0.02)) * np.float32(log_uniform(random, 0.12, 0.6))
    samples = wires
    samples[0] += skin + np.float32(random.uniform(0.2, 0.8)) * upper
    if canvas.channels > 1:
        samples[1] += np.float32(random.uniform(-0.3, 0.3)) * upper
    _add_stick(
        random,
        canvas,
        samples,
        low_hz=(800.0, 2500.0),
        high_hz=(4000.0, 14000.0),
        decay_s=(0.01, 0.04),
        gain=log_uniform(random, 0.1, 0.8),
    )
    return Hit(samples, decay_s, pitch_hz)


def tom(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a tom: inharmonic modes of a skin that slackens after the stroke, and the stick."""
    pitch_hz = log_uniform(random, 82.0, 230.0)
    sweeps = ((random.uniform(0.05, 0.9), log_uniform(random, 0.02, 0.12)),)
    phase = swept_phase(canvas.time, pitch_hz, sweeps)
    decay_s = log_uniform(random, 0.4, 1.8)
    samples = canvas.blank()
    # The modes of an ideal membrane lie at 1.59 and 2.14; a shell and its air move them about.
    for mode, (low, high) in enumerate(((1.0, 1.0), (1.48, 1.65), (1.95, 2.35))):
        tone = np.sin(random.uniform(low, high) * phase).astype(np.float32)
        tone *= decay(canvas.time, decay_s / (1 + mode * random.uniform(0.7, 2.0)))
        gain = log_uniform(random, 0.1, 0.6) if mode else 1.0
        samples[0] += np.float32(gain) * tone
        if canvas.channels > 1 and mode:
            samples[1] += np.float32(gain * random.uniform(-0.8, 0.8)) * tone
    _add_stick(
        random,
        canvas,
        samples,
        low_hz=(250.0, 900.0),
        high_hz=(1500.0, 7000.0),
        decay_s=(0.02, 0.12),
        gain=log_uniform(random, 0.05, 0.8),
    )
    return Hit(samples, decay_s, pitch_hz)
