"""A WAV file written as it comes: its length is known before its samples are."""

import struct

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.audio.files import Encoding, quantise

_BYTES: dict[Encoding, int] = {"16": 2, "24": 3, "float": 4}
_LARGEST = 2**32 - 1
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
        return quantise(clip.samples, 16, dither_seed).T.astype("<i2").tobytes()
    upper = np.ascontiguousarray(quantise(clip.samples, 24, None).T.astype("<i4"))
    return upper.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
