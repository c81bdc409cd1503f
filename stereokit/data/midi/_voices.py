"""The kernels of the built-in renderer: a sample at its pitch, its filter and envelope, and notes laid over another."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.kernels import kernel, part_of_kernels

# Pitch, filter and tremolo move from block to block.
BLOCK = 64


@part_of_kernels
def _cubic(x0: np.float32, x1: np.float32, x2: np.float32, x3: np.float32, share: np.float32) -> np.float32:
    """Return Catmull and Rom's curve between the middle two of four samples."""
    slope = np.float32(0.5) * (x2 - x0)
    cube = np.float32(1.5) * (x1 - x2) + np.float32(0.5) * (x3 - x0)
    square = x0 - np.float32(2.5) * x1 + np.float32(2.0) * x2 - np.float32(0.5) * x3
    return ((cube * share + square) * share + slope) * share + x1


@kernel
def resampled(
    samples: NDArray[np.int16],
    bounds: NDArray[np.int64],
    steps: NDArray[np.float64],
    out: NDArray[np.float32],
) -> int:
    """Read a sample at another speed into ``out``, by cubic interpolation; return how many samples there were.

    Parameters
    ----------
    samples
        Of the whole font, int16.
    bounds
        Start, end, and the loop's start and end (equal where there is none).
    steps
        How far to go in the sample for each one of ``out``, a number a block.
    out
        float32 of shape (T,), full scale ±1.
    """
    start, end, loop_start, loop_end = bounds
    loop = loop_end - loop_start
    last = loop_end if loop > 0 else end
    place, fraction = start, 0.0
    scale = np.float32(1.0 / 32768.0)
    for block in range(-(-len(out) // BLOCK)):
        step = steps[min(block, len(steps) - 1)]
        index, until = block * BLOCK, min((block + 1) * BLOCK, len(out))
        # As far as nothing is near an end, four neighbours lie side by side.
        plain = index
        if place > start:
            plain = min(until, index + max(int((last - 3 - place) / step), 0))
        for here in range(index, plain):
            position = fraction + (here - index) * step
            whole = int(position)
            around = samples[place + whole - 1 : place + whole + 3]
            out[here] = scale * _cubic(
                np.float32(around[0]), np.float32(around[1]), np.float32(around[2]), np.float32(around[3]),
                np.float32(position - whole),
            )  # fmt: skip
        fraction += (plain - index) * step
        place += int(fraction)
        fraction -= int(fraction)
        for here in range(plain, until):
            if loop > 0 and place >= loop_end:
                place = loop_start + (place - loop_end) % loop
            if place >= end:
                return here
            second, third = place + 1, place + 2
            if loop > 0:
                second -= loop if second >= loop_end else 0
                third -= loop if third >= loop_end else 0
            out[here] = scale * _cubic(
                np.float32(samples[max(place - 1, start)]), np.float32(samples[place]),
                np.float32(samples[second]) if second < end else np.float32(0.0),
                np.float32(samples[third]) if third < end else np.float32(0.0), np.float32(fraction),
            )  # fmt: skip
            fraction += step
            place += int(fraction)
            fraction -= int(fraction)
    return len(out)


@kernel
def filtered(
    sound: NDArray[np.float32], cosines: NDArray[np.float64], alphas: NDArray[np.float64], gain: float
) -> None:
    """Send a sound through a low pass that moves, in place.

    Parameters
    ----------
    sound
        float32 of shape (T,).
    cosines, alphas
        A number a block: cos(w) and sin(w) / 2Q of the cutoff w, as in Bristow-Johnson's cookbook.
    gain
        Of the whole.
    """
    first = second = 0.0
    for block in range(-(-len(sound) // BLOCK)):
        cosine, alpha = cosines[block], alphas[block]
        whole = 1.0 / (1.0 + alpha)
        b1 = (1.0 - cosine) * whole * gain
        b0 = 0.5 * b1
        a1, a2 = -2.0 * cosine * whole, (1.0 - alpha) * whole
        for index in range(block * BLOCK, min((block + 1) * BLOCK, len(sound))):
            value = float(sound[index])
            result = b0 * value + first
            first = b1 * value - a1 * result + second
            second = b0 * value - a2 * result
            sound[index] = result


@kernel
def shaped(
    sound: NDArray[np.float32], frames: NDArray[np.int64], sustain: float, fall: float, tremolo: NDArray[np.float64]
) -> int:
    """Give a sound its course from the key on, in place; return after how many samples it has died away.

    Parameters
    ----------
    sound
        float32 of shape (T,).
    frames
        Of delay, attack and hold.
    sustain
        Level that the decay ends at.
    fall
        Factor of each sample of the decay, under 1; at 1 there is none.
    tremolo
        Gain a block; empty without.
    """
    delay, attack, hold = frames
    level = 1.0
    floor = 1e-5
    for index in range(len(sound)):
        if index < delay:
            gain = 0.0
        elif index < delay + attack:
            gain = (index - delay + 1.0) / (attack + 1.0)
        elif index < delay + attack + hold:
            gain = 1.0
        else:
            level = max(level * fall, sustain)
            if level < floor:
                sound[index:] = np.float32(0.0)
                return index
            gain = level
        if len(tremolo):
            gain *= tremolo[index // BLOCK]
        sound[index] *= np.float32(gain)
    return len(sound)


@kernel
def laid_over(  # noqa: C901, PLR0917 - the hot loop is one function, and kernels take no keywords
    out: NDArray[np.float32],
    sound: NDArray[np.float32],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    releases: NDArray[np.int64],
    gains: NDArray[np.float32],
    curve: NDArray[np.float32],
) -> None:
    """Add notes that play one sound to the render, each with its own length, release and gains.

    Parameters
    ----------
    out
        float32 of shape (2, T).
    sound
        float32 of shape (S,), as it goes on while the key is held.
    starts, lengths, releases
        Samples, of each note: where it starts in ``out``, how long it is held, and in how many it then dies by 100 dB.
    gains
        Left and right, float32 of shape (notes, 2).
    curve
        Gain of the channel, a number at the start of each block of ``out``; empty for 1 throughout.
    """
    faded = np.empty(releases.max(), np.float32)
    faded_to = np.int64(0)
    for note in range(len(starts)):
        start, release = starts[note], releases[note]
        if release != faded_to:
            faded_to, left = release, 1.0
            for index in range(release):
                left *= 10.0 ** (-5.0 / release)
                faded[index] = left
        held = max(min(lengths[note], len(sound), out.shape[1] - start), 0)
        released = max(min(held + release, len(sound), out.shape[1] - start), held)
        for side in range(2):
            gain = gains[note, side]
            if gain == np.float32(0.0):
                continue
            while_held, after = out[side, start : start + held], out[side, start + held : start + released]
            if len(curve):
                for index in range(held):
                    block = (start + index) // BLOCK
                    share = np.float32((start + index) % BLOCK) * np.float32(1.0 / BLOCK)
                    level = curve[block] + (curve[block + 1] - curve[block]) * share
                    while_held[index] += gain * level * sound[index]
                for index in range(len(after)):
                    after[index] += gain * curve[(start + held + index) // BLOCK] * faded[index] * sound[held + index]
            else:
                for index in range(held):
                    while_held[index] += gain * sound[index]
                for index in range(len(after)):
                    after[index] += gain * faded[index] * sound[held + index]
