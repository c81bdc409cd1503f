"""What recognises a sound that was encoded again, made louder, cut at an end, resampled or swapped.

A clip's loudest moments are its anchors: they move with the sound when its ends are cut. Around each stands a picture
of bands over time, both channels' power together, fine near the anchor and coarse away from it, the signs of the
waveform, and a hash of its fine spectrum, by which a set is searched. Two sounds are the same where picture and signs
are: the picture alone would take one burst of noise for another, the signs alone one tone for another of its pitch.
"""

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.resample import resample
from stereokit.audio.spectrum import hann, mel_filters

RATE_HZ = 16_000
_WINDOW, _HOP = 512, 256
BANDS = 16
_LOW_HZ, _HIGH_HZ = 60.0, 7000.0
# Borders of the picture's columns in hops from the anchor: 16 ms wide near it, seconds wide far away.
_AFTER = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_BEFORE = (-127, -63, -31, -15, -7, -3, -1, 0)
_BORDERS = np.array(_BEFORE[:-1] + _AFTER)
COLUMNS = _BORDERS.size - 1
# How many hops each is wide.
COLUMN_HOPS = np.diff(_BORDERS)
# The column that starts at the anchor.
ANCHOR_COLUMN = len(_BEFORE) - 1

# Half decibels under the loudest cell.
FLOOR = 90
OUTSIDE = 255

SIGNS = 2048
HASH_BITS = 512
# Bins of the fine spectrum that the hash is of, 30 Hz to 7 kHz; what is 50 dB under its peak is all the same.
_BINS = slice(4, 900)
_FINE_FLOOR_DB = -50.0
_ENVELOPE_BINS = 33
_SIGNS_BEFORE = 256
_MOST_ANCHORS = 2
_APART = RATE_HZ // 10
_LEAST_ANCHOR = 0.1
_SMOOTHING = 160
_VERSION = 1


@dataclass(frozen=True)
class Marks:
    """One anchor's marks.

    Attributes
    ----------
    cells
        Half decibels under the loudest cell, 90 for all that is softer, 255 outside of the sound; uint8 of shape
        (COLUMNS, BANDS).
    signs
        Whether the waveform rises, from 16 ms before the anchor on; bool of shape (SIGNS,).
    hashed
        Hash of the spectrum of the same samples: alike spectra differ in few bits; uint8 of shape (HASH_BITS / 8,).
    """

    cells: NDArray[np.uint8]
    signs: NDArray[np.bool_]
    hashed: NDArray[np.uint8]


def fingerprint(clip: Clip) -> bytes:
    """Return about half a kilobyte that recognises the clip; nothing for silence."""
    samples = resample(clip, RATE_HZ).samples.astype(np.float64)
    # Sums and differences of the channels have no order; the powers' sum is that of left and right.
    middle = samples[0] + samples[1]
    power = (samples**2).sum(axis=0)
    if power.max() == 0.0:
        return b""
    if (middle**2).sum() < 1e-3 * power.sum():
        middle = samples[0] - samples[1]
    parts = []
    for anchor in _anchors(power):
        marks = _marks(samples, middle, anchor)
        parts += [marks.cells.tobytes(), np.packbits(marks.signs).tobytes(), marks.hashed.tobytes()]
    return bytes([_VERSION]) + zlib.compress(b"".join(parts), 6)


def read_marks(data: bytes) -> list[Marks]:
    """Return what a fingerprint holds, the loudest anchor first; none for silence and for another version's."""
    if not data or data[0] != _VERSION:
        return []
    cells, signs = COLUMNS * BANDS, SIGNS // 8
    values = np.frombuffer(zlib.decompress(data[1:]), np.uint8).reshape(-1, cells + signs + HASH_BITS // 8)
    return [
        Marks(
            row[:cells].reshape(COLUMNS, BANDS),
            np.unpackbits(row[cells : cells + signs]).astype(bool),
            row[cells + signs :],
        )
        for row in values
    ]


@cache
def _directions() -> NDArray[np.float32]:
    """Return what a spectrum is projected on, ±1 of shape (bins, HASH_BITS): the same in every version of NumPy."""
    words = np.random.PCG64(0).random_raw((_BINS.stop - _BINS.start) * HASH_BITS // 64)
    octets = words.astype("<u8").view(np.uint8)
    return (np.unpackbits(octets).astype(np.float32) * 2.0 - 1.0).reshape(-1, HASH_BITS)


def _hashed(part: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return one bit a direction of the fine spectrum: its level over its own envelope, of any gain and shift."""
    sizes = np.abs(np.fft.rfft(part * hann(SIGNS)))[_BINS]
    levels = 20.0 * np.log10(np.maximum(sizes / max(sizes.max(), 1e-30), 10.0 ** (_FINE_FLOOR_DB / 20.0)))
    mean = np.convolve(
        np.pad(levels, _ENVELOPE_BINS // 2, mode="edge"), np.ones(_ENVELOPE_BINS) / _ENVELOPE_BINS, "valid"
    )
    return np.packbits((levels - mean).astype(np.float32) @ _directions() > 0.0)


def _anchors(power: NDArray[np.float64]) -> list[int]:
    """Return the loudest moments, 0.1 s or more apart, none 10 dB or more under the loudest."""
    level = power
    for _ in range(2):
        # Two running means are a triangle of 20 ms.
        total = np.concatenate([[0.0], np.cumsum(np.pad(level, _SMOOTHING // 2))])
        level = (total[_SMOOTHING:] - total[:-_SMOOTHING])[: power.size]
    level = np.maximum(level, 0.0)
    anchors: list[int] = []
    highest = level.max()
    while len(anchors) < _MOST_ANCHORS:
        place = int(level.argmax())
        if level[place] <= _LEAST_ANCHOR * highest:
            break
        anchors.append(place)
        level[max(0, place - _APART) : place + _APART] = 0.0
    return anchors


def _marks(samples: NDArray[np.float64], middle: NDArray[np.float64], anchor: int) -> Marks:
    frames = samples.shape[1]
    first, last = int(_BORDERS[0]), int(_BORDERS[-1])
    # Only whole hops that lie in the sound, and a window's reach around them.
    first = max(first, -(anchor // _HOP))
    last = min(last, (frames - 1 - anchor) // _HOP + 1)
    start = anchor + first * _HOP - _WINDOW // 2
    stop = anchor + (last - 1) * _HOP + _WINDOW // 2
    inside = samples[:, max(0, start) : stop]
    inside = np.pad(inside, ((0, 0), (max(0, -start), max(0, stop - frames))))
    windows = np.lib.stride_tricks.sliding_window_view(inside, _WINDOW, axis=1)[:, ::_HOP]
    filters = mel_filters(sample_rate=RATE_HZ, n_fft=_WINDOW, bands=BANDS, low_hz=_LOW_HZ, high_hz=_HIGH_HZ)
    spectra = np.fft.rfft(windows * hann(_WINDOW), axis=-1)
    bands = (spectra.real**2 + spectra.imag**2).sum(axis=0) @ filters.T
    # A window that reaches over the end would fall to what is not there; over the start is where sounds begin.
    whole = max(1, min(last, (frames - _WINDOW // 2 - anchor) // _HOP + 1) - first)
    columns = np.full((COLUMNS, BANDS), -1.0)
    for column in range(COLUMNS):
        left, right = int(_BORDERS[column]) - first, int(_BORDERS[column + 1]) - first
        if left >= 0 and (right <= whole or column == ANCHOR_COLUMN):
            columns[column] = bands[left:right].mean(axis=0)
    levels = -20.0 * np.log10(np.maximum(columns, 1e-30) / columns.max())
    cells = np.where(columns < 0.0, OUTSIDE, np.minimum(np.rint(levels), FLOOR)).astype(np.uint8)
    part = np.zeros(SIGNS)
    begin = anchor - _SIGNS_BEFORE
    near = middle[max(0, begin) : begin + SIGNS]
    part[max(0, -begin) : max(0, -begin) + near.size] = near
    return Marks(cells, np.diff(part, prepend=0.0) > 0.0, _hashed(part))
