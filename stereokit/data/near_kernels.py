"""The pairs of a set's anchors that may be the same sound: the many are looked at, and few are left.

An anchor meets the others whose hashes have the same bits in one of some tables. Of those that it meets, each is looked
at once: whether few enough bits of the hashes differ, and then whether the pictures are alike.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.kernels import kernel

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]


@kernel
def pairs_from(  # noqa: PLR0917 - a kernel knows no classes
    first: int,
    orders: Numbers,
    places: Numbers,
    keys: Numbers,
    most_met: int,
    hashes: NDArray[np.uint64],
    owners: NDArray[np.int64],
    most_bits: int,
    depths: NDArray[np.uint8],
    energies: Floats,
    least_shared: float,
    most_apart: float,
    seen: Numbers,
    found: Numbers,
    apart: Floats,
) -> tuple[int, int]:
    """Fill in pairs from an anchor on, and return how many there are and the anchor that comes next.

    Parameters
    ----------
    first
        The anchor to begin with.
    orders
        By table: the anchors sorted by key, those of one key by number; int32 of shape (tables, n).
    places
        By table: where each anchor stands in that order; the same shape.
    keys
        By table: the keys of the anchors; the same shape.
    most_met
        So many of those behind it with its key does an anchor meet in a table.
    hashes
        (n, 8).
    owners
        The clip of each anchor; those of one clip are no pair.
    most_bits
        That may differ.
    depths
        Half decibels over the floor, 0 where a cell is softer; uint8 of shape (n, columns, bands).
    energies
        Energy of each column over all columns, negative for one outside of the sound; float32 of shape (n, columns).
    least_shared
        This share of the energy of both lies in columns that both have.
    most_apart
        In dB, of ``picture_distance``.
    seen
        Of n anchors: the last one that met each, -1 at first.
    found
        Where the pairs are written, the lower anchor first: int32 of shape (room, 2), with room for n or more.
    apart
        Where their distance in dB is written: float32 of shape (room,).
    """
    tables, count = orders.shape
    filled = 0
    anchor = first
    while anchor < count and filled + count <= len(found):
        for table in range(tables):
            place = places[table, anchor]
            key = keys[table, anchor]
            for other_place in range(place + 1, min(place + most_met + 1, count)):
                other = orders[table, other_place]
                if keys[table, other] != key:
                    break
                if seen[other] == anchor:
                    continue
                seen[other] = anchor
                if owners[other] == owners[anchor] or differing_bits(hashes[anchor], hashes[other]) > most_bits:
                    continue
                distance = picture_distance(
                    depths[anchor], depths[other], energies[anchor], energies[other], least_shared
                )
                if distance <= most_apart:
                    found[filled, 0], found[filled, 1] = anchor, other
                    apart[filled] = distance
                    filled += 1
        anchor += 1
    return filled, anchor


@kernel
def differing_bits(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    """Return how many bits differ."""
    total: Any = 0
    for word in range(len(one)):
        bits = one[word] ^ other[word]
        bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
        bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
        bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        total += np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return int(total)


@kernel
def picture_distance(
    one: NDArray[np.uint8], other: NDArray[np.uint8], energies: Floats, others: Floats, least_shared: float
) -> float:
    """Return how far two pictures are apart: mean absolute difference in dB, loud cells counting more, without gain.

    Compared is what lies in both sounds; where that is less than a share of the energy of either, as of a hit and a
    loop that has it, the distance is infinite. Parameters are those of ``pairs_from``, for one anchor each.
    """
    columns, bands = one.shape
    if _least_shared(energies, others) < least_shared:
        return np.inf
    total: Any = 0
    moved: Any = 0
    for column in range(columns):
        if energies[column] >= 0.0 and others[column] >= 0.0:
            for band in range(bands):
                depth, depth_of_other = np.int32(one[column, band]), np.int32(other[column, band])
                weight = max(depth, depth_of_other)
                total += weight
                moved += (depth - depth_of_other) * weight
    if total == 0:
        return 0.0
    gain = np.float32(moved / total)
    apart: Any = np.float32(0.0)
    for column in range(columns):
        if energies[column] >= 0.0 and others[column] >= 0.0:
            for band in range(bands):
                depth, depth_of_other = np.int32(one[column, band]), np.int32(other[column, band])
                apart += abs(np.float32(depth - depth_of_other) - gain) * np.float32(max(depth, depth_of_other))
    return float(apart / total / 2.0)


@kernel
def _least_shared(energies: Floats, others: Floats) -> float:
    """Return the share of the energy in columns that both have, of the one that has less there."""
    of_one, of_other = np.float32(0.0), np.float32(0.0)
    for column in range(len(energies)):
        if energies[column] >= 0.0 and others[column] >= 0.0:
            of_one += energies[column]
            of_other += others[column]
    return float(min(of_one, of_other))


@kernel
def peaks(correlations: Floats, near_shift: int, highest: Floats, elsewhere: Floats) -> None:
    """Find the largest magnitude of each cross-correlation, and the largest that is not near it.

    Parameters
    ----------
    correlations
        float32 of shape (n, shifts); the first shift follows the last one.
    near_shift
        So many shifts on either side of the largest are near it.
    highest, elsewhere
        Where the results are written; float32 of shape (n,).
    """
    count, shifts = correlations.shape
    for number in range(count):
        row = correlations[number]
        at = 0
        for shift in range(shifts):
            if abs(row[shift]) > abs(row[at]):
                at = shift
        most = np.float32(0.0)
        for step in range(near_shift + 1, shifts - near_shift):
            shift = at + step
            most = max(most, abs(row[shift if shift < shifts else shift - shifts]))
        highest[number], elsewhere[number] = abs(row[at]), most
