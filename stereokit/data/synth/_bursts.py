"""Drums of noise alone: clap and shaker."""

import numpy as np

from stereokit.data.synth._hits import Canvas, Hit
from stereokit.data.synth._oscillators import log_uniform
from stereokit.data.synth._shaping import decay


def clap(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a clap: hands that come together a few milliseconds apart, and the room after the last."""
    center_hz = log_uniform(random, 850.0, 1900.0)
    noise = canvas.band_noise(random, center_hz * random.uniform(0.6, 0.85), center_hz * random.uniform(1.3, 2.6))
    # Hands are never quite together: even spacing would buzz at a pitch.
    spacing_s = random.uniform(0.007, 0.016)
    hands = int(random.integers(2, 5))
    starts_s = np.arange(hands) * spacing_s + random.uniform(-0.15, 0.15, hands) * spacing_s
    starts_s -= starts_s[0]
    hand_s = log_uniform(random, 0.015, 0.05)
    envelope = np.zeros(canvas.frames, np.float32)
    for start_s in starts_s:
        envelope += np.float32(random.uniform(0.6, 1.0)) * decay(canvas.time - start_s, hand_s)
    # The last hand rings on in the room, which is what tells a clap from a burst of snares.
    decay_s = log_uniform(random, 0.18, 0.7)
    envelope += np.float32(random.uniform(0.25, 0.8)) * decay(canvas.time - starts_s[-1], decay_s)
    return Hit(noise * envelope, decay_s, center_hz)


def shaker(random: np.random.Generator, canvas: Canvas) -> Hit:
    """Draw a shaker: grains that swell and die away in one or two strokes."""
    low_hz = log_uniform(random, 3500.0, 6500.0)
    high_hz = low_hz * random.uniform(1.4, 2.6)
    noise = canvas.band_noise(random, low_hz, high_hz)
    swell_s = log_uniform(random, 0.012, 0.045)
    sharpness = random.uniform(1.5, 5.0)
    envelope = np.zeros(canvas.frames, np.float32)
    strokes = int(random.integers(1, 3))
    for stroke in range(strokes):
        # (x e^(1-x))^n swells to 1 at x = 1: no stroke of a stick begins so softly.
        place = np.maximum(canvas.time - stroke * random.uniform(1.8, 3.5) * swell_s, 0.0) / swell_s
        gain = random.uniform(0.3, 1.0) if strokes > 1 else 1.0
        envelope += np.float32(gain) * ((place * np.exp(1 - place)) ** sharpness).astype(np.float32)
    return Hit(noise * envelope, swell_s * (1 + 9.0 / sharpness), float(np.sqrt(low_hz * high_hz)))
