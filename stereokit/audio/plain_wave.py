"""The commonest sound file read without a decoder: 16 bit WAV with nothing before its samples but the format."""

import struct
from typing import BinaryIO

import numpy as np

from stereokit.audio.clip import Recording

_HEAD = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM, _PCM_FORMAT_BYTES = 1, 16
# Longer files are decoded in parts, so that what is read twice stays small.
_LONGEST_BYTES = 1 << 26


def read_plain_wave(file: BinaryIO, size: int, *, max_channels: int) -> Recording | None:
    """Return what a decoder would, several times faster; None for any file that is not exactly of this form.

    Parameters
    ----------
    file
        A seekable file at its start; the position afterwards is anywhere.
    size
        Bytes in the file.
    max_channels
        Files with more are left to the decoder, whose reader refuses them.
    """
    head = file.read(_HEAD.size) if size <= _LONGEST_BYTES else b""
    if len(head) < _HEAD.size:
        return None
    riff, _, wave, fmt, fmt_bytes, form, channels, rate, _, frame_bytes, bits, data, sound_bytes = _HEAD.unpack(head)
    if (riff, wave, fmt, data) != (b"RIFF", b"WAVE", b"fmt ", b"data"):
        return None
    if (fmt_bytes, form, bits) != (_PCM_FORMAT_BYTES, _PCM, 16) or not (rate and 1 <= channels <= max_channels):
        return None
    frames, rest = divmod(sound_bytes, 2 * channels)
    if frame_bytes != 2 * channels or rest or not 0 < sound_bytes <= size - _HEAD.size:
        return None
    samples = np.empty((frames, channels), np.dtype("<i2"))
    if file.readinto(samples.data.cast("B")) != sound_bytes:  # type: ignore[attr-defined]  # files opened raw have it
        return None
    return Recording(samples.astype(np.int16, copy=False), rate, "PCM_16")
