"""What happens to a source: envelopes, fades, filters, levelling, echo and reverberation."""

import numpy as np
from numpy.typing import NDArray

from stereokit.data.synth._oscillators import Signal, fft_frames

SIXTY_DB = float(np.log(1000.0))


def decay(time: NDArray[np.float64], sixty_db_s: float, hold_s: float = 0.0) -> Signal:
    """Return an envelope that is 1 for ``hold_s`` and then falls by 60 dB in every ``sixty_db_s``.

    ``time`` is in seconds, shape (T,); negative times are before the sound, with an envelope of 0.
    """
    envelope = np.exp(-SIXTY_DB / sixty_db_s * np.maximum(time - hold_s, 0.0)).astype(np.float32)
    envelope[: np.searchsorted(time, 0.0)] = 0.0
    return envelope


def fade_ends(signal: Signal, *, in_frames: int, out_frames: int) -> None:
    """Fade both ends in place along the last axis with raised cosines; the end samples become 0."""
    for frames, ends in ((in_frames, signal), (out_frames, signal[..., ::-1])):
        count = min(max(frames, 2), signal.shape[-1])
        ends[..., :count] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)).astype(np.float32)


def band_gains(frequencies_hz: Signal, low_hz: float, high_hz: float, *, order: int = 2) -> Signal:
    """Return the gains of a band-pass: a high-pass and a low-pass in a row, each 6 ``order`` dB an octave.

    Never 0 above 0 Hz, so a band over half the sample rate still leaves its skirt to be heard.

    Parameters
    ----------
    frequencies_hz
        Any shape.
    low_hz, high_hz
        Where each of the two has lost 3 dB.
    order
        1 or more.

    Returns
    -------
    Signal
        The shape of ``frequencies_hz``, 0 to 1.
    """
    below = (frequencies_hz / np.float32(low_hz)) ** (2 * order)
    above = (frequencies_hz / np.float32(high_hz)) ** (2 * order)
    gains: Signal = np.sqrt(below / ((1 + below) * (1 + above)))
    return gains


def resonant_gains(frequencies_hz: Signal, cutoffs_hz: NDArray[np.float64], resonance: float, *, poles: int) -> Signal:
    """Return the gains over time of a resonant low-pass, as a synthesiser's.

    Parameters
    ----------
    frequencies_hz
        Shape (bins,).
    cutoffs_hz
        Shape (n,), one a frame.
    resonance
        The gain at the cutoff, 0.5 to about 6.
    poles
        2 or 4: 12 or 24 dB an octave.

    Returns
    -------
    Signal
        Shape (n, bins).
    """
    ratios = np.square(frequencies_hz / cutoffs_hz[:, None].astype(np.float32))
    power = np.reciprocal(np.square(1 - ratios) + ratios / np.float32(resonance**2))
    if poles == 4:
        power /= 1 + np.square(ratios)
    gains: Signal = np.sqrt(power)
    return gains


def filter_hop_frames(sample_rate: int) -> int:
    """Return the hop of ``filter_over_time``: the power of two nearest to 11.6 ms."""
    return int(2 ** round(np.log2(0.0116 * sample_rate)))


def filter_input_frames(frames: int, hop_frames: int) -> int:
    """Return how much input ``filter_over_time`` needs for ``frames`` of output."""
    return (-(-frames // hop_frames) + 2) * hop_frames


def filter_over_time(signal: Signal, gains: Signal, hop_frames: int, frames: int) -> Signal:
    """Filter with gains that change from hop to hop (windowed transforms, added with overlap).

    Phases stay as they are, so the filter rings backwards as well: feed it steady sound and shape the
    attack afterwards.

    Parameters
    ----------
    signal
        Shape (C, filter_input_frames(frames, hop_frames)).
    gains
        Shape (C or 1, n, hop_frames + 1), where n hops make up the input but for one; hop j is centred
        ``j * hop_frames`` after the first frame of output.
    hop_frames, frames
        As of ``filter_hop_frames``; length of the output.

    Returns
    -------
    Signal
        Shape (C, frames), beginning ``hop_frames`` into the input.
    """
    # The root of a Hann window, before and after: its squares add up to 1 at half a window's hop.
    window = np.sin(np.pi * np.arange(2 * hop_frames) / (2 * hop_frames)).astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(signal, 2 * hop_frames, axis=-1)
    blocks = np.fft.irfft(np.fft.rfft(views[:, ::hop_frames] * window) * gains) * window
    joined = blocks[:, 1:, :hop_frames] + blocks[:, :-1, hop_frames:]
    return np.asarray(joined.reshape(signal.shape[0], -1)[:, :frames], np.float32)


def limited(signal: Signal, ceiling: Signal | np.float32, block_frames: int) -> Signal:
    """Return the signal under a ceiling, by a gain that glides from block to block and adds no aliases.

    Parameters
    ----------
    signal
        Shape (T,).
    ceiling
        What no sample may exceed, over 0, at all times or at each of T.
    block_frames
        Two milliseconds limit single peaks, longer blocks ride the fader.

    Returns
    -------
    Signal
        Shape (T,).
    """
    ratios = ceiling / np.maximum(np.abs(signal), np.float32(1e-6))
    starts = np.arange(0, signal.size, block_frames)
    lowest = np.ones(starts.size + 2, np.float32)
    lowest[1:-1] = np.minimum(np.minimum.reduceat(ratios, starts), 1.0)
    # A node answers for its neighbours too, so that no sample between two nodes gets too much.
    nodes = np.minimum(np.minimum(lowest[:-2], lowest[1:-1]), lowest[2:])
    nodes = np.pad(nodes, 1, mode="edge")
    # An s-curve from node to node: the kinks of straight lines are heard under a dark sound.
    place = np.arange(block_frames, dtype=np.float32) / np.float32(block_frames)
    glides = nodes[:-1, None] + np.diff(nodes)[:, None] * (place * place * (3 - 2 * place))
    first = block_frames // 2
    return np.asarray(signal * glides.ravel()[first : first + signal.size], np.float32)


def echo(signal: Signal, delay_frames: int, gain: float) -> None:
    """Add one copy, ``delay_frames`` (at least 1) later, in place along the last axis."""
    signal[..., delay_frames:] += np.float32(gain) * signal[..., :-delay_frames].copy()


def reverberation(
    random: np.random.Generator, source: Signal, *, sample_rate: int, sixty_db_s: float, damping_hz: float
) -> Signal:
    """Return what a small room gives back: the source convolved with decaying noise, unlike in each channel.

    Parameters
    ----------
    random
        Draws the room.
    source
        One channel, shape (T,).
    sample_rate
        Hz.
    sixty_db_s
        Time in which the room loses 60 dB, seconds; the room is cut off there.
    damping_hz
        Above it the room swallows 6 dB an octave.

    Returns
    -------
    Signal
        Shape (2, T), of about the level of the source.
    """
    time = np.arange(round(sixty_db_s * sample_rate)) / sample_rate
    # The direct sound is not part of the room: the caller has it, and mixes.
    room = random.standard_normal((2, time.size), dtype=np.float32) * decay(time, sixty_db_s)
    size = fft_frames(source.size + time.size)
    spectrum = np.fft.rfft(room, size)
    spectrum *= np.fft.rfft(source, size)
    spectrum /= np.sqrt(1 + np.square(np.fft.rfftfreq(size, 1 / sample_rate) / damping_hz))
    answer = np.fft.irfft(spectrum)[:, : source.size]
    return np.asarray(answer / np.float32(np.sqrt(np.sum(np.square(room[0])))), np.float32)
