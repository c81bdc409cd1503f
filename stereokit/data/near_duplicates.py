"""Which clips of a set are the same sound, by their fingerprints, in a time that grows as their number does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.data.fingerprints import ANCHOR_COLUMN, COLUMN_HOPS, FLOOR, HASH_BITS, OUTSIDE, SIGNS, read_marks

# Of 512 bits, 256 differ between unlike sounds; between a sound and itself as MP3 of 128 kbit/s, swapped and cut, 100.
_MOST_BITS = 160
# Sounds meet where a few bits of their hashes are equal. So few that about this many unlike ones meet there, too.
_MEETING = 10.0
_TABLES = 96
_LEAST_KEY_BITS = 6
# In a crowd each meets the next ones only; another table has another order.
_MOST_MET = 48
_PAIRS_AT_ONCE = 2048

# Signs agree at one shift only: then pictures may differ by the more, the more that shift stands alone.
_NEAR_SHIFT = 24
_LEAST_MATCH, _LEAST_ALONE = 0.25, 0.12
_PICTURE_DB, _PICTURE_DB_ALONE, _MOST_PICTURE_DB = 1.1, 7.0, 3.2
# Or at every period of a tone: then the fine spectrum must be the same, too.
_TONE_MATCH, _TONE_MATCH_NEAR, _TONE_MATCH_DB = 0.75, 0.5, 0.4
_TONE_PICTURE_DB, _TONE_BITS = 1.0, 64
_LEAST_SHARED = 0.5

Index = NDArray[np.int64]
_COUNTED = np.where(np.arange(COLUMN_HOPS.size) == ANCHOR_COLUMN - 1, 0, COLUMN_HOPS)


@dataclass(frozen=True)
class _Anchors:
    """The marks of all anchors of a set: (n, COLUMNS, BANDS), (n, SIGNS), (n, 8) words, and whose each is."""

    cells: NDArray[np.uint8]
    signs: NDArray[np.bool_]
    hashes: NDArray[np.uint64]
    owners: Index


def groups_of(fingerprints: Sequence[bytes | None]) -> list[int]:
    """Return for each clip the first clip that is the same sound, itself where there is none before it.

    Sameness is passed on: what is like a clip that is like a third one is in the group of all three. Silence and clips
    without a fingerprint are like nothing.

    >>> groups_of([None, b"", None])
    [0, 1, 2]
    """
    firsts = list(range(len(fingerprints)))

    def first_of(index: int) -> int:
        while firsts[index] != index:
            firsts[index] = firsts[firsts[index]]
            index = firsts[index]
        return index

    # Equal ones are joined at once: a thousand copies would be half a million pairs.
    seen: dict[bytes, int] = {}
    different = []
    for index, data in enumerate(fingerprints):
        if data:
            firsts[index] = seen.setdefault(data, index)
            if firsts[index] == index:
                different.append(index)
    for one, other in _pairs(_gathered(fingerprints, different)):
        low, high = sorted((first_of(one), first_of(other)))
        firsts[high] = low
    return [first_of(index) for index in range(len(firsts))]


def _gathered(fingerprints: Sequence[bytes | None], chosen: Sequence[int]) -> _Anchors:
    marks = [(index, mark) for index in chosen for mark in read_marks(fingerprints[index] or b"")]
    if not marks:
        nothing = np.zeros((0, 1, 1), np.uint8)
        return _Anchors(nothing, np.zeros((0, SIGNS), bool), np.zeros((0, 8), np.uint64), np.zeros(0, np.int64))
    return _Anchors(
        np.stack([mark.cells for _, mark in marks]),
        np.stack([mark.signs for _, mark in marks]),
        np.stack([mark.hashed for _, mark in marks]).view(np.uint64),
        np.array([index for index, _ in marks], np.int64),
    )


def _pairs(anchors: _Anchors) -> Iterator[tuple[int, int]]:
    """Yield the pairs of clips that are the same sound."""
    one, other = _met(anchors)
    for start in range(0, one.size, _PAIRS_AT_ONCE):
        first, second = one[start : start + _PAIRS_AT_ONCE], other[start : start + _PAIRS_AT_ONCE]
        distance = _picture_distance(anchors.cells[first], anchors.cells[second])
        near = np.flatnonzero(distance <= _MOST_PICTURE_DB)
        match, alone = _sign_match(anchors.signs[first[near]], anchors.signs[second[near]])
        limit = np.minimum(_PICTURE_DB + _PICTURE_DB_ALONE * (alone - _LEAST_ALONE), _MOST_PICTURE_DB)
        is_same = (alone >= _LEAST_ALONE) & (match >= _LEAST_MATCH) & (distance[near] <= limit)
        tone_match = np.minimum(_TONE_MATCH, _TONE_MATCH_NEAR + _TONE_MATCH_DB * distance[near])
        bits = _differing(anchors.hashes[first[near]], anchors.hashes[second[near]])
        is_same |= (bits <= _TONE_BITS) & (match >= tone_match) & (distance[near] <= _TONE_PICTURE_DB)
        same = near[is_same]
        yield from zip(anchors.owners[first[same]].tolist(), anchors.owners[second[same]].tolist(), strict=True)


def _met(anchors: _Anchors) -> tuple[Index, Index]:
    """Return pairs of anchors of different clips whose hashes differ little, each pair once."""
    count = anchors.owners.size
    bits = np.unpackbits(anchors.hashes.view(np.uint8), axis=1)
    key_bits = max(_LEAST_KEY_BITS, round(np.log2(max(count, 1) / _MEETING)))
    random = np.random.default_rng(0)
    found = [np.zeros(0, np.int64)]
    for _ in range(_TABLES):
        chosen = random.choice(HASH_BITS, key_bits, replace=False)
        keys = bits[:, chosen].astype(np.int64) @ (1 << np.arange(key_bits))
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        for step in range(1, min(_MOST_MET, count - 1) + 1):
            places = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not places.size:
                break
            one, other = order[places], order[places + step]
            kept = (_differing(anchors.hashes[one], anchors.hashes[other]) <= _MOST_BITS) & (
                anchors.owners[one] != anchors.owners[other]
            )
            low, high = np.minimum(one[kept], other[kept]), np.maximum(one[kept], other[kept])
            found.append(low * count + high)
    both = np.unique(np.concatenate(found))
    return both // max(count, 1), both % max(count, 1)


def _differing(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> Index:
    """Return how many bits differ in each pair of hashes, both of shape (n, 8)."""
    return np.asarray(np.bitwise_count(one ^ other).sum(axis=1, dtype=np.int64))


def _picture_distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how far pictures are apart: mean absolute difference in dB, loud cells counting more, without gain.

    Both of shape (n, COLUMNS, BANDS). Compared is what lies in both sounds; where that is less than half of the energy
    of either, as of a hit and a loop that has it, the distance is infinite.
    """
    is_shared = (one != OUTSIDE) & (other != OUTSIDE)
    first, second = np.minimum(one, FLOOR).astype(np.float32), np.minimum(other, FLOOR).astype(np.float32)
    weights = np.where(is_shared, FLOOR - np.minimum(first, second), np.float32(0.0))
    total = np.maximum(weights.sum(axis=(1, 2)), np.float32(1e-9))
    difference = first - second
    gain = (difference * weights).sum(axis=(1, 2)) / total
    distance = (np.abs(difference - gain[:, None, None]) * weights).sum(axis=(1, 2)) / total / 2.0
    for cells, levels in ((one, first), (other, second)):
        # The column before the anchor has its attack, but only where silence is kept before that.
        energy = np.where(cells == OUTSIDE, np.float32(0.0), 10.0 ** (-levels / 20.0)) * _COUNTED[:, None]
        shared = np.where(is_shared, energy, np.float32(0.0)).sum(axis=(1, 2))
        distance[shared < _LEAST_SHARED * energy.sum(axis=(1, 2))] = np.inf
    return np.asarray(distance, np.float32)


def _sign_match(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the largest cross-correlation of the signs, 0 to 1, and how far it is above all at other shifts."""
    spectra = [np.fft.rfft(np.where(signs, 1.0, -1.0).astype(np.float32), 2 * SIGNS) for signs in (one, other)]
    match = np.abs(np.fft.irfft(spectra[0] * spectra[1].conj(), 2 * SIGNS)) / SIGNS
    highest = match.max(axis=1)
    shifts = np.abs(np.arange(2 * SIGNS) - match.argmax(axis=1)[:, None])
    is_elsewhere = np.minimum(shifts, 2 * SIGNS - shifts) > _NEAR_SHIFT
    return highest, highest - np.where(is_elsewhere, match, 0.0).max(axis=1)
