"""Which clips of a set are the same sound, by their fingerprints.

The search itself takes a time that grows little faster than the number of clips. How many pairs it finds to compare is
up to the sounds: of unlike ones few, of a synthesiser's with few parameters a share of all pairs. Of 44,000 such drums
900,000 pairs are compared by their signs, which is most of a minute. Those that are joined are not the same sound,
either: they are bass drums and toms of nearly one pitch, drawn independently, whose waveforms correlate at 0.4 to 0.95.
Of more clips a larger share finds such a neighbour: 38 of 4,000, 2,895 of 44,000.
"""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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
_PAIRS_AT_ONCE = 256
_PAIRS_FOUND_AT_ONCE = 1 << 19
# Whose spectra are held at once, 17 kB each.
_ANCHORS_AT_ONCE = 8192

# Signs agree at one shift only: then pictures may differ by the more, the more that shift stands alone.
_NEAR_SHIFT = 24
_LEAST_MATCH, _LEAST_ALONE = 0.25, 0.12
_PICTURE_DB, _PICTURE_DB_ALONE, _MOST_PICTURE_DB = 1.1, 7.0, 3.2
# Or at every period of a tone: then the fine spectrum must be the same, too, and signs agree the better, the more the
# pictures differ, above all where no shift stands alone: bass drums of one pitch agree well without being one sound.
_TONE_MATCH, _TONE_MATCH_NEAR, _TONE_MATCH_DB = 0.75, 0.5, 0.4
_TONE_ALONE, _TONE_MATCH_BARE, _TONE_MATCH_DB_BARE = 0.04, 0.9, 1.0
_TONE_PICTURE_DB, _TONE_BITS = 1.0, 64
_LEAST_SHARED = 0.5

Index = NDArray[np.int64]
Numbers = NDArray[np.int32]
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
    met, distance = _met(anchors)
    for chosen in _tiles(met, anchors.owners.size):
        pairs, near = met[chosen], distance[chosen]
        first, second = pairs[:, 0], pairs[:, 1]
        match, alone = _sign_match(anchors.signs, pairs)
        limit = np.minimum(_PICTURE_DB + _PICTURE_DB_ALONE * (alone - _LEAST_ALONE), _MOST_PICTURE_DB)
        is_same = (alone >= _LEAST_ALONE) & (match >= _LEAST_MATCH) & (near <= limit)
        tone_match = np.where(
            alone >= _TONE_ALONE,
            np.minimum(_TONE_MATCH, _TONE_MATCH_NEAR + _TONE_MATCH_DB * near),
            np.minimum(_TONE_MATCH_BARE, _TONE_MATCH_NEAR + _TONE_MATCH_DB_BARE * near),
        )
        bits = np.bitwise_count(anchors.hashes[first] ^ anchors.hashes[second]).sum(axis=1, dtype=np.int64)
        is_same |= (bits <= _TONE_BITS) & (match >= tone_match) & (near <= _TONE_PICTURE_DB)
        yield from zip(anchors.owners[first[is_same]].tolist(), anchors.owners[second[is_same]].tolist(), strict=True)


def _met(anchors: _Anchors) -> tuple[Index, NDArray[np.float32]]:
    """Return pairs of anchors of different clips whose hashes and pictures differ little, each pair once.

    The lower anchor comes first: int64 of shape (pairs, 2); and how far their pictures are apart in dB.
    """
    count = anchors.owners.size
    if count < 2:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    orders, places, keys = _tables(anchors.hashes)
    depths = (FLOOR - np.minimum(anchors.cells, FLOOR)).astype(np.uint8)
    found = np.empty((max(count, _PAIRS_FOUND_AT_ONCE), 2), np.int32)
    apart = np.empty(len(found), np.float32)
    seen = np.full(count, -1, np.int32)
    parts: list[tuple[Index, NDArray[np.float32]]] = []
    anchor = 0
    kernels = _kernels()
    energies = _energies(anchors.cells)
    while anchor < count:
        filled, anchor = kernels.pairs_from(
            anchor, orders, places, keys, _MOST_MET, anchors.hashes, anchors.owners, _MOST_BITS, depths, energies,
            _LEAST_SHARED, _MOST_PICTURE_DB, seen, found, apart,
        )  # fmt: skip
        parts.append((found[:filled].astype(np.int64), apart[:filled].copy()))
    return np.concatenate([pairs for pairs, _ in parts]), np.concatenate([distance for _, distance in parts])


def _kernels() -> Any:
    """Load what is compiled only when a set is searched: the compiler takes half a second, and most runs need none."""
    return importlib.import_module("stereokit.data.near_kernels")


def _tables(hashes: NDArray[np.uint64]) -> tuple[Numbers, Numbers, Numbers]:
    """Return the order of the anchors by the key of each table, where each stands in it, and the keys."""
    count = len(hashes)
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    key_bits = max(_LEAST_KEY_BITS, round(np.log2(count / _MEETING)))
    random = np.random.default_rng(0)
    orders, places, keys = (np.empty((_TABLES, count), np.int32) for _ in range(3))
    for table in range(_TABLES):
        chosen = random.choice(HASH_BITS, key_bits, replace=False)
        keys[table] = bits[:, chosen] @ (1 << np.arange(key_bits, dtype=np.int32))
        orders[table] = np.argsort(keys[table], kind="stable")
        places[table, orders[table]] = np.arange(count, dtype=np.int32)
    return orders, places, keys


def _energies(cells: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the share of each column in a picture's energy, -1 for one outside of the sound."""
    of_level = (10.0 ** (-np.arange(256) / 20.0)).astype(np.float32)
    is_outside = cells[:, :, 0] == OUTSIDE
    # The column before the anchor has its attack, but only where silence is kept before that.
    counted = _COUNTED[: cells.shape[1]].astype(np.float32)
    energies = np.where(is_outside, np.float32(0.0), of_level[np.minimum(cells, FLOOR)].sum(axis=2) * counted)
    energies /= np.maximum(energies.sum(axis=1, keepdims=True), np.float32(1e-9))
    return np.where(is_outside, np.float32(-1.0), energies)


def _tiles(pairs: Index, count: int) -> Iterator[Index]:
    """Yield which pairs are looked at together: not too many, and of few anchors."""
    blocks = pairs // _ANCHORS_AT_ONCE
    tile = blocks[:, 0] * (count // _ANCHORS_AT_ONCE + 1) + blocks[:, 1]
    order = np.argsort(tile, kind="stable")
    borders = np.flatnonzero(np.diff(tile[order], prepend=-1, append=-1))
    for start, stop in pairwise(borders.tolist()):
        yield order[start:stop]


def _sign_match(signs: NDArray[np.bool_], pairs: Index) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the largest cross-correlation of the signs, 0 to 1, and how far it is above all at other shifts.

    For pairs of rows of ``signs``: int64 of shape (n, 2).
    """
    kernels = _kernels()
    highest, elsewhere = np.empty(len(pairs), np.float32), np.empty(len(pairs), np.float32)
    used, places = np.unique(pairs, return_inverse=True)
    spectra = np.empty((used.size, SIGNS + 1), np.complex64)
    for start in range(0, used.size, _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        spectra[part] = np.fft.rfft(np.where(signs[used[part]], np.float32(1.0), np.float32(-1.0)), 2 * SIGNS)
    places = places.reshape(pairs.shape)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        product = spectra[places[part, 1]].conj()
        product *= spectra[places[part, 0]]
        kernels.peaks(np.fft.irfft(product, 2 * SIGNS), _NEAR_SHIFT, highest[part], elsewhere[part])
    elsewhere -= highest
    highest /= SIGNS
    elsewhere /= -SIGNS
    return highest, elsewhere
