"""A WAV file written as it comes: its length is known before its samples are."""

import struct
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip

Encoding = Literal["16", "24", "float"]
# Draws the noise of some frames, shape (T,).
Noise = Callable[[], NDArray[np.float64]]
# Of samples of shape (2, T), the steps in full scale, their noise if there is any, and where the result goes: (T, 2).

_BYTES: dict[Encoding, int] = {"16": 2, "24": 3, "float": 4}
_LARGEST = 2**32 - 1
# Quantised at once: what that takes stays in the processor's own memory.
_FRAMES_AT_ONCE = 1 << 14
# In front of the samples, beside the first eight bytes: WAVE, fmt, fact, data.
_HEADER_ROOM = 64


def longest_frames(encoding: Encoding) -> int:
    """Return how many stereo frames a WAV file can hold."""
    return (_LARGEST - _HEADER_ROOM) // (2 * _BYTES[encoding])


def wav_header(frames: int, sample_rate: int, encoding: Encoding) -> bytes:
    """Return what stands before the samples of a stereo WAV file.

    Parameters
    ----------
    frames
        At most ``longest_frames``.
    sample_rate
        Hz.
    encoding
        16 or 24 bit integers, or 32 bit float.

    Raises
    ------
    ValueError
        For more frames.
    """
    if frames > longest_frames(encoding):
        raise ValueError(f"{frames} frames are more than a WAV file can hold")
    width = 2 * _BYTES[encoding]
    is_float = encoding == "float"
    form = struct.pack("<HHIIHH", 3 if is_float else 1, 2, sample_rate, sample_rate * width, width, 4 * width)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    if is_float:
        # what is no PCM says how many frames there are
        chunks += b"fact" + struct.pack("<II", 4, frames)
    size = frames * width
    return (
        b"RIFF" + struct.pack("<I", 4 + len(chunks) + 8 + size) + b"WAVE" + chunks + b"data" + struct.pack("<I", size)
    )


def wav_samples(clip: Clip, *, encoding: Encoding = "16", dither_seed: int | None = None) -> bytes:
    """Return a clip's samples as they stand in a WAV file, the same as ``files.encode`` writes.

    Raises
    ------
    ValueError
        For samples outside [-1, 1], or NaN, with an integer encoding.
    """
    if encoding == "float":
        return clip.samples.T.astype("<f4").tobytes()
    if encoding == "16":
        return quantise(clip.samples, 16, dither_seed).T.astype("<i2", copy=False).tobytes()
    upper = np.ascontiguousarray(quantise(clip.samples, 24, None).T.astype("<i4", copy=False))
    return upper.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()


def quantise(samples: NDArray[np.float32], bits: int, dither_seed: int | None) -> NDArray[Any]:
    """Return samples, shape (2, T), as int16, or as 24 bit in the upper bytes of int32; see ``files.encode``.

    The result lies in memory as in a file: left, right, left, right.

    Raises
    ------
    ValueError
        For samples outside [-1, 1], or NaN.
    """
    # turned round so that a NaN is refused too
    if not (samples.max(initial=0.0) <= 1.0 and samples.min(initial=0.0) >= -1.0):
        raise ValueError("samples outside ±1 cannot be written as integers")
    steps = 2.0 ** (bits - 1)
    frames = samples.shape[1]
    result = np.empty((frames, 2), np.int16 if bits == 16 else np.int32)
    dither = None if dither_seed is None or bits != 16 else _Dither(dither_seed, frames)
    for start in range(0, frames, _FRAMES_AT_ONCE):
        given, made = samples[:, start : start + _FRAMES_AT_ONCE], result[start : start + _FRAMES_AT_ONCE]
        noise = None if dither is None else partial(dither.noise, start, len(made))
        _round_frames(given, steps, noise, made)
    if bits != 16:
        # libsndfile takes 24 bit from the upper bytes of 32
        result <<= 8
    return result.T


def _round_frames(samples: NDArray[np.float32], steps: float, noise: Noise | None, result: NDArray[Any]) -> None:
    """Round (2, T) times the steps to whole numbers, shape (T, 2), with noise where a frame is not whole already."""
    scaled = samples.astype(np.float64)
    scaled *= steps
    whole = np.rint(scaled)
    if noise is not None:
        inexact = (scaled[0] != whole[0]) | (scaled[1] != whole[1])
        if inexact.any():
            scaled += noise() if inexact.all() else np.where(inexact, noise(), 0.0)
            np.rint(scaled, out=whole)
    # The upper end has no number of its own.
    np.clip(whole, -steps, steps - 1, out=whole)
    # Channel by channel: frame by frame it would be two numbers at a time.
    for channel in range(2):
        result[:, channel] = whole[channel]


class _Dither:
    """Triangular noise of ±1: the difference of two stretches of one stream of numbers, each as long as the clip.

    What nobody asks for is not drawn.
    """

    def __init__(self, seed: int, frames: int) -> None:
        self._halves = [np.random.PCG64(seed), np.random.PCG64(seed)]
        self._halves[1].advance(frames)
        self._at = 0

    def noise(self, start: int, frames: int) -> NDArray[np.float64]:
        """Return the noise of so many frames from ``start`` on, which never goes back."""
        first, second = (np.random.Generator(half.advance(start - self._at)).random(frames) for half in self._halves)
        self._at = start + frames
        return np.subtract(first, second, out=first)
