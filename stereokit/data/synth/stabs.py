"""Stabs: short detuned saw chords as in electronic dance music, each with a drawn stereo image."""

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.data.synth._image import (
    IMAGE_CLASS_COUNTS,
    channels_of,
    segment_slices,
    shaped_side,
)
from stereokit.data.synth._oscillators import Signal, log_uniform, unison, wave_table
from stereokit.data.synth._shaping import (
    decay,
    echo,
    fade_ends,
    filter_hop_frames,
    filter_input_frames,
    filter_over_time,
    limited,
    resonant_gains,
    reverberation,
)
from stereokit.data.synth._voice import Sound, Voice

LENGTH_S = 0.4

# The paper's data has nine pitch classes, F 39 % and A# 0.6 %; the others here are a guess.
PITCH_CLASSES = {
    "F": (5, 0.390),
    "G": (7, 0.140),
    "A": (9, 0.110),
    "C": (0, 0.100),
    "D": (2, 0.085),
    "E": (4, 0.070),
    "D#": (3, 0.055),
    "G#": (8, 0.044),
    "A#": (10, 0.006),
}

# Semitones over the root, and how often. The root is doubled so that it stays the strongest pitch class.
_CHORDS: dict[str, tuple[tuple[int, ...], float]] = {
    "octave": ((0, 12), 0.10),
    "power": ((0, 7, 12), 0.18),
    "minor": ((0, 3, 7, 12), 0.32),
    "major": ((0, 4, 7, 12), 0.18),
    "minor7": ((0, 3, 7, 10), 0.14),
    "major7": ((0, 4, 7, 11), 0.08),
}
_TAILS = ("none", "echo", "reverb")
# Room between the classes' border of 0.125 and what is made, so that 16 bit and resampling keep the class.
_NARROW_AT_MOST = 0.112
_WIDE_AT_LEAST = 0.138
_LEAST_MID = np.float32(0.05)


def _pick(random: np.random.Generator, weights: dict[str, float]) -> str:
    names = list(weights)
    chances = np.array(list(weights.values()))
    return names[int(random.choice(len(names), p=chances / chances.sum()))]


def _voices(
    random: np.random.Generator, *, root_hz: float, chord: str, count: int, frames: int, sample_rate: int
) -> tuple[Signal, float]:
    """Return mid and side, (2, frames), of the steady chord, and its detuning in cents."""
    detune_cents = log_uniform(random, 4.0, 45.0)
    spread = np.linspace(-1.0, 1.0, count)
    # Neighbours in pitch go to opposite sides, which keeps the sum of both ears in tune.
    pans = np.where(np.arange(count) % 2 == 0, 1.0, -1.0) * random.uniform(0.4, 1.0, count)
    pans[count // 2] *= 0.3
    # Half of them plain saws, half on the way to a pulse.
    notch = random.choice([0.0, random.uniform(0.2, 1.0)])
    notch_shift = random.uniform(0.15, 0.5)
    semitones = np.array(_CHORDS[chord][0])
    # Inner notes may move up an octave: an open voicing, whose lowest note is still the root.
    opened = (semitones % 12 != 0) & (random.random(semitones.size) < 0.2)
    semitones = semitones + 12 * opened
    levels = np.where(semitones % 12 == 0, 1.0, random.uniform(0.45, 0.8, semitones.size))
    mixed = np.zeros((2, frames), np.float32)
    for semitone, note_level in zip(semitones, levels, strict=True):
        note_hz = root_hz * 2 ** (semitone / 12)
        cents = detune_cents * (spread + random.uniform(-0.15, 0.15, count))
        frequencies_hz = note_hz * 2 ** (cents / 1200)
        table = wave_table(frequencies_hz.max(), sample_rate, notch=notch, notch_shift=notch_shift)
        waves = unison(table, frequencies_hz, random.random(count), frames=frames, sample_rate=sample_rate)
        mixed += (note_level * np.stack([np.ones(count), pans])).astype(np.float32) @ waves
    return mixed, detune_cents


def _filtered(
    random: np.random.Generator, *, root_hz: float, chord: str, frames: int, sample_rate: int
) -> tuple[Signal, dict[str, str | float]]:
    """Return mid and side, (2, frames), of chord and noise through a moving low-pass, and the facts."""
    hop_frames = filter_hop_frames(sample_rate)
    count = int(random.integers(3, 8))
    source_frames = filter_input_frames(frames, hop_frames)
    source, detune_cents = _voices(
        random, root_hz=root_hz, chord=chord, count=count, frames=source_frames, sample_rate=sample_rate
    )
    source *= np.float32(1 / np.std(source[0]))
    # The filter eats a hop before the first frame: time 0 is where its output begins.
    time = (np.arange(source_frames) - hop_frames) / sample_rate
    noise_ratio = float(random.choice([0.0, log_uniform(random, 0.05, 0.6)], p=[0.4, 0.6]))
    if noise_ratio:
        hiss = random.standard_normal((2, source_frames), dtype=np.float32)
        source += hiss * (noise_ratio * decay(time, log_uniform(random, 0.05, 1.5)))
    cutoff_hz = max(log_uniform(random, 250.0, 5000.0), 1.2 * root_hz)
    sweep_octaves, sweep_s = random.uniform(0.0, 4.0), log_uniform(random, 0.03, 0.4)
    hops = np.arange(source_frames // hop_frames - 1) * hop_frames / sample_rate
    cutoffs_hz = cutoff_hz * 2 ** (sweep_octaves * np.exp(-hops / sweep_s))
    resonance = log_uniform(random, 0.6, 5.0)
    bins_hz = np.fft.rfftfreq(2 * hop_frames, 1 / sample_rate).astype(np.float32)
    gains = resonant_gains(bins_hz, cutoffs_hz, resonance, poles=int(random.choice([2, 4])))
    # A closing filter would take the third segment's sound away: most of what a saw loses is made up for.
    saw_power = np.square(np.minimum(root_hz / np.maximum(bins_hz, root_hz / 2), 1.0)).astype(np.float32)
    gains *= (np.square(gains) @ saw_power)[:, None] ** -0.4
    # A bass is mixed to the middle: under this frequency the side loses 12 dB an octave.
    bass = np.square(bins_hz / np.float32(log_uniform(random, 50.0, 250.0)))
    image_gains = np.stack([np.ones_like(bass), bass / (1 + bass)])
    mid_side = filter_over_time(source, gains * image_gains[:, None], hop_frames, frames)
    return mid_side, {
        "detune_cents": round(detune_cents, 2),
        "unison_voices": count,
        "noise_ratio": round(noise_ratio, 4),
        "cutoff_hz": round(cutoff_hz, 1),
        "sweep_octaves": round(sweep_octaves, 2),
        "resonance": round(resonance, 2),
    }


def _envelope(random: np.random.Generator, image_class: str, time: NDArray[np.float64]) -> Signal:
    """Return the envelope of a hit, which does not fall silent before the last wide segment is over."""
    last_wide = image_class.rfind("W")
    # What is left at the clip's end, in dB: a wide third segment needs something to be wide with.
    left_db = random.uniform(*[(-40.0, -2.0), (-40.0, -2.0), (-16.0, -2.0), (-6.0, -0.5)][last_wide + 1])
    hold_s = random.uniform(0.0, 0.1)
    envelope = decay(time, (LENGTH_S - hold_s) * 60 / -left_db, hold_s)
    attack_s = log_uniform(random, 0.001, 0.012)
    envelope *= np.clip(time / attack_s, 0.0, 1.0).astype(np.float32)
    if image_class[1] == "N" and random.random() < 0.2:
        dip_s = random.uniform(0.1, 0.16)
        envelope *= (1 - 0.8 * np.exp(-np.square((time - dip_s) / 0.02))).astype(np.float32)
    return envelope


def _add_tail(random: np.random.Generator, mid_side: Signal, sample_rate: int) -> str:
    """Add an echo, a room or nothing in place; return which."""
    tail = _TAILS[int(random.choice(len(_TAILS), p=[0.45, 0.2, 0.35]))]
    if tail == "echo":
        delay_frames = round(random.uniform(0.06, 0.19) * sample_rate)
        gain = random.uniform(0.15, 0.5)
        echo(mid_side[0], delay_frames, gain)
        # A side turned over makes the echo answer from the other ear.
        echo(mid_side[1], delay_frames, random.choice([-1.0, 1.0]) * gain)
    elif tail == "reverb":
        mid_side += np.float32(random.uniform(0.1, 0.45)) * reverberation(
            random,
            mid_side[0],
            sample_rate=sample_rate,
            sixty_db_s=random.uniform(0.1, 0.22),
            damping_hz=log_uniform(random, 1500.0, 9000.0),
        )
    return tail


def _with_image(random: np.random.Generator, mid_side: Signal, image_class: str, sample_rate: int) -> Signal:
    """Return mid and side, (2, T), at their final level and of the image class drawn."""
    mid, side = mid_side
    slices = segment_slices(sample_rate)
    wide = np.array([letter == "W" for letter in image_class])
    peak = np.float32(random.uniform(0.75 if wide.any() else 0.3, 0.95))
    mid_levels = np.array([np.std(mid[part]) for part in slices]) * peak / np.max(np.abs(mid))
    # Widths are drawn in times the mid's level: one taste for the clip, and a little freedom for a segment.
    width = log_uniform(random, 0.02, 1.2) * np.exp(random.normal(0.0, 0.25, 3))
    narrow = np.minimum(np.minimum(width, 0.7) * mid_levels, _NARROW_AT_MOST * random.uniform(0.7, 1.0, 3))
    if random.random() < (0.1 if wide.any() else 0.4):
        narrow[:] = 0.0
    wider = log_uniform(random, 0.1, 0.6) * np.exp(random.normal(0.0, 0.15, 3)) * mid_levels
    targets = np.where(wide, np.hypot(np.minimum(wider, 0.32), _WIDE_AT_LEAST), narrow)
    # Nothing real holds its width still.
    swing = 0.3 * np.sin(np.arange(mid.size) / sample_rate * 2 * np.pi * random.uniform(1, 6) + random.uniform(0, 6))
    ramps = tuple(round(seconds * sample_rate) for seconds in random.uniform(0.01, 0.04, 2))
    side = shaped_side(side * np.exp(swing).astype(np.float32), targets, (ramps[0], ramps[1]), slices)
    mid = mid * (peak / np.max(np.abs(mid)))
    # Left and right peak at |mid| + |side|: the mid gives way, for the side must keep its width.
    limiter_frames = round(0.002 * sample_rate)
    side = limited(side, peak - _LEAST_MID, limiter_frames)
    mid = limited(mid, peak - np.abs(side), limiter_frames)
    return np.stack([mid, side])


def make(random: np.random.Generator, sample_rate: int) -> Sound:
    """Draw one stab.

    Parameters
    ----------
    random
        Decides everything.
    sample_rate
        Hz, 8,000 or more.

    Returns
    -------
    Sound
        0.4 s, labelled with the root's pitch class. Over the paper's three segments std((L - R) / sqrt(2))
        is over 0.125 where ``image_class`` says W and under it where it says N.
    """
    frames = round(LENGTH_S * sample_rate)
    image_class = _pick(random, {name: float(count) for name, count in IMAGE_CLASS_COUNTS.items()})
    label = _pick(random, {name: share for name, (_, share) in PITCH_CLASSES.items()})
    chord = _pick(random, {name: share for name, (_, share) in _CHORDS.items()})
    # Sets of stabs centre on the tenor, where detuned saws sound full and a minor third is still clear.
    octave = int(random.choice([2, 3, 4], p=[0.2, 0.5, 0.3]))
    root_hz = 440.0 * 2 ** ((PITCH_CLASSES[label][0] - 9) / 12 + octave - 4)
    mid_side, facts = _filtered(random, root_hz=root_hz, chord=chord, frames=frames, sample_rate=sample_rate)
    # Dense, as after a mastering limiter: else the sides could not be wide and the middle still lead.
    ceiling = random.uniform(1.2, 2.0)
    for signal in mid_side:
        signal[:] = limited(signal, np.float32(ceiling) * np.std(signal), round(0.003 * sample_rate))
    mid_side *= _envelope(random, image_class, np.arange(frames) / sample_rate)
    tail = _add_tail(random, mid_side, sample_rate)
    fade_ends(mid_side, in_frames=round(0.0005 * sample_rate), out_frames=round(0.012 * sample_rate))
    samples = channels_of(_with_image(random, mid_side, image_class, sample_rate))
    facts |= {"image_class": image_class, "chord": chord, "root_hz": round(root_hz, 3), "tail": tail}
    return Sound(Clip(samples, sample_rate), label, facts)


VOICE = Voice(
    summary="0.4 s stereo stabs: detuned saw chords, labelled by pitch class, of eight image classes",
    labels=tuple(PITCH_CLASSES),
    length_s=LENGTH_S,
    make=make,
)
