"""A region's amounts as the numbers that the kernels take: times, levels, and what moves from block to block."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi import _zones as zones
from stereokit.data.midi._voices import BLOCK
from stereokit.data.midi._zones import Region

# E-mu's own synthesisers, and FluidSynth, take this share of the attenuation that a font gives.
_ATTENUATION_SHARE = 0.4
_NEVER = -12_000
_OPEN_CENTS = 13_500
_SILENT_CB = 1_000.0


def seconds(timecents: float) -> float:
    """Return 2^(timecents / 1200); what a font means by its lowest value is none at all."""
    return 0.0 if timecents <= _NEVER else float(2.0 ** (min(timecents, 8_000) / 1_200.0))


def hertz(cents: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the frequency of absolute cents: 8.176 Hz is 0."""
    return np.asarray(8.176 * 2.0 ** (np.asarray(cents, np.float64) / 1_200.0))


@dataclass(frozen=True)
class Timbre:
    """How one key of a region sounds while it is held.

    Attributes
    ----------
    bounds
        Start, end, loop start and loop end among the font's samples.
    steps
        Of the sample a sample of the render, a number a block.
    frames
        Of delay, attack and hold.
    sustain, fall
        Level of sustain, and the decay's factor a sample.
    tremolo
        Gain a block; empty without.
    cosines, alphas, filter_gain
        Of the low pass, a number a block; empty where it is open.
    """

    bounds: NDArray[np.int64]
    steps: NDArray[np.float64]
    frames: NDArray[np.int64]
    sustain: float
    fall: float
    tremolo: NDArray[np.float64]
    cosines: NDArray[np.float64]
    alphas: NDArray[np.float64]
    filter_gain: float


def timbre(region: Region, key: int, frames: int, sample_rate: int, bend_cents: NDArray[np.float64]) -> Timbre:
    """Return how a key sounds for so many samples.

    Parameters
    ----------
    bend_cents
        A number a block, or one for all.
    """
    of = region.generators
    blocks = -(-frames // BLOCK)
    time: NDArray[np.float64] = np.arange(blocks, dtype=np.float64) * (BLOCK / sample_rate)
    envelope = _modulation(of, key, time)
    vibrato = _triangle(time, of[zones.VIB_LFO_DELAY], of[zones.VIB_LFO_RATE]) * of[zones.VIB_LFO_PITCH]
    wave = _triangle(time, of[zones.MOD_LFO_DELAY], of[zones.MOD_LFO_RATE])
    cents = vibrato + wave * of[zones.MOD_LFO_PITCH] + envelope * of[zones.MOD_ENV_PITCH] + bend_cents
    tuned = (key - region.root_key) * of[zones.SCALE_TUNING] + 100 * of[zones.COARSE_TUNE] + of[zones.FINE_TUNE]
    steps = region.rate / sample_rate * 2.0 ** ((tuned + region.correction_cents + cents) / 1_200.0)
    loop = (region.loop_start, region.loop_end) if region.is_looped else (region.end, region.end)
    hold, decay = (
        seconds(of[time_] + (60 - key) * of[by_key])
        for time_, by_key in ((zones.HOLD, zones.HOLD_KEY), (zones.DECAY, zones.DECAY_KEY))
    )
    lasting = (seconds(of[zones.DELAY]), seconds(of[zones.ATTACK]), hold)
    depth = np.clip(of[zones.SUSTAIN], 0, 1_440)
    cosines, alphas, gain = _low_pass(region, envelope, wave, sample_rate)
    return Timbre(
        np.array([region.start, region.end, *loop]),
        steps if steps.size == 1 or np.ptp(steps) else steps[:1],
        np.array([round(one * sample_rate) for one in lasting]),
        sustain=0.0 if depth >= _SILENT_CB else float(10.0 ** (-depth / 200.0)),
        fall=float(10.0 ** (-5.0 / max(decay * sample_rate, 1.0))),
        tremolo=10.0 ** (wave * of[zones.MOD_LFO_VOLUME] / 200.0) if of[zones.MOD_LFO_VOLUME] else np.empty(0),
        cosines=cosines,
        alphas=alphas,
        filter_gain=gain,
    )


def _modulation(of: tuple[int, ...], key: int, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the modulation envelope, 0 to 1, a number a block."""
    if not (of[zones.MOD_ENV_PITCH] or of[zones.MOD_ENV_CUTOFF]):
        return np.zeros(len(time))
    delay, attack = seconds(of[zones.MOD_DELAY]), seconds(of[zones.MOD_ATTACK])
    hold = seconds(of[zones.MOD_HOLD] + (60 - key) * of[zones.MOD_HOLD_KEY])
    decay = seconds(of[zones.MOD_DECAY] + (60 - key) * of[zones.MOD_DECAY_KEY])
    sustain = 1.0 - min(max(of[zones.MOD_SUSTAIN], 0), 1_000) / 1_000.0
    rising = np.clip((time - delay) / attack, 0.0, 1.0) if attack else (time >= delay).astype(np.float64)
    falling = np.clip((time - delay - attack - hold) / max(decay, 1e-6), 0.0, None)
    return np.asarray(np.where(falling > 0.0, np.maximum(1.0 - falling, sustain), rising))


def _triangle(time: NDArray[np.float64], delay: int, rate: int) -> NDArray[np.float64]:
    """Return a low frequency wave, -1 to 1, that starts at 0 upwards after its delay."""
    phase = np.maximum(time - seconds(delay), 0.0) * hertz(min(rate, 4_500))
    return np.asarray(1.0 - np.abs((phase + 0.75) % 1.0 * 4.0 - 2.0))


def _low_pass(
    region: Region, envelope: NDArray[np.float64], wave: NDArray[np.float64], sample_rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    of = region.generators
    cents = of[zones.CUTOFF] + envelope * of[zones.MOD_ENV_CUTOFF] + wave * of[zones.MOD_LFO_CUTOFF]
    resonance = min(max(of[zones.RESONANCE], 0), 960) / 10.0
    if cents.min() >= _OPEN_CENTS and not resonance:
        return np.empty(0), np.empty(0), 1.0
    cutoff = np.clip(hertz(np.clip(cents, 1_500, _OPEN_CENTS)), 5.0, 0.45 * sample_rate)
    # A resonance of 0 dB is a filter without a bump, whose quality is 3.01 dB under 1.
    quality = 10.0 ** ((resonance - 3.01) / 20.0)
    turn = 2.0 * np.pi * cutoff / sample_rate
    # Half of the bump is taken from the whole.
    gain = float(1.0 / np.sqrt(max(quality, 1.0)))
    return np.cos(turn), np.sin(turn) / (2.0 * quality), gain


def gain_of(region: Region) -> float:
    """Return the gain that a region itself has."""
    attenuation = min(max(region.generators[zones.ATTENUATION], 0), 1_440)
    return float(10.0 ** (-attenuation * _ATTENUATION_SHARE / 200.0))


def release_frames(region: Region, sample_rate: int) -> int:
    """Return how many samples a let-go key takes to fall by 100 dB; a thousandth of a second at least."""
    return max(round(seconds(region.generators[zones.RELEASE]) * sample_rate), sample_rate // 1_000, 1)


def pan_gains(region: Region, pan: float) -> tuple[float, float]:
    """Return gains of left and right, of equal power, by the region's place and the channel's (0 to 127, 64 centre)."""
    place = min(max(region.generators[zones.PAN] / 500.0 + (pan - 64.0) / 63.0, -1.0), 1.0)
    angle = (place + 1.0) * np.pi / 4.0
    # The cosine of a right angle is not 0 in floating point, and a silent side shall be silent.
    return (0.0 if place == 1.0 else float(np.cos(angle))), (0.0 if place == -1.0 else float(np.sin(angle)))
