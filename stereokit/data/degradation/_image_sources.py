"""Sound in a rectangular room: the sum over mirror images of its source.

J. B. Allen and D. A. Berkley, Image method for efficiently simulating small-room acoustics, J. Acoust. Soc. Am. 65,
1979. Where theirs rounds arrivals to whole samples, ours come between samples, and microphones have a direction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.data.degradation._form import Samples

SPEED_OF_SOUND = 343.0
_DIRECTIONS = 32
_HALVINGS = 50

# Arrivals are placed on a grid so much finer than samples, weighed between its points: -70 dB off at 0.8 of half the
# rate.
_STEPS = 32
_HALF_TAPS = 24


@dataclass(frozen=True)
class Microphone:
    """Where a microphone is and how it hears.

    Attributes
    ----------
    place
        Meters, shape (3,).
    axis
        Where it points, of length 1, shape (3,).
    directivity
        0 hears alike all around, 0.5 is a cardioid, 1 a figure of eight: the gain is 1 - d + d cos(angle).
    """

    place: Samples
    axis: Samples
    directivity: float


def reflection_of(size: Samples, decay_s: float) -> float:
    """Return how much of a wave's amplitude each wall gives back so that the level falls as by 60 dB in ``decay_s``.

    Along a direction u a wave meets |u_x| / X + |u_y| / Y + |u_z| / Z walls a meter, and the images lie evenly in all
    directions; so the decay is a mean of exponentials over the sphere, and scales with the logarithm of the
    reflection. The time is twice that from -5 to -35 dB (ISO 3382). Eyring's formula, which mixes the directions,
    gives rooms of equal walls that ring half as long again.

    Parameters
    ----------
    size
        Of the room in meters, shape (3,).
    decay_s
        Above 0.
    """
    middles = (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    height, angle = middles[:, None], middles * (np.pi / 2)
    flat = np.sqrt(1.0 - height**2)
    walls = (flat * np.cos(angle) / size[0] + flat * np.sin(angle) / size[1] + height / size[2]).ravel()
    fallen = 2.0 * (_fall(walls, 35.0) - _fall(walls, 5.0))
    return float(np.exp(-fallen / (2.0 * SPEED_OF_SOUND * decay_s)))


def _fall(walls: Samples, decibels: float) -> float:
    """Return 2 c t ln(1 / reflection) at which what is still to come has fallen so far."""
    low, high = 0.0, decibels / float(walls.min())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        left = np.sum(np.exp(-walls * middle) / walls) / np.sum(1.0 / walls)
        low, high = (middle, high) if 10.0 * np.log10(left) > -decibels else (low, middle)
    return low


def _images(length: float, source: float, farthest: float) -> tuple[Samples, NDArray[np.int64]]:
    """Return the places of the images along one axis and how many reflections each has had."""
    count = int(np.ceil(farthest / (2.0 * length))) + 1
    order = np.arange(-count, count + 1)
    places = np.concatenate([source + 2.0 * order * length, -source + 2.0 * order * length])
    reflections = np.concatenate([2 * np.abs(order), np.abs(order) + np.abs(order - 1)])
    return places, reflections


def arrivals(
    size: Samples, source: Samples, microphone: Microphone, *, reflection: float, farthest: float
) -> tuple[Samples, Samples]:
    """Return distance (m) and amplitude (1 at 1 m on the axis, without a wall) of each image within ``farthest``.

    Parameters
    ----------
    size
        Of the room in meters, one corner at the origin, shape (3,).
    source
        Inside, shape (3,); it sends alike all around.
    microphone
        Inside.
    reflection
        Share of the amplitude that a wall gives back, at every frequency and angle.
    farthest
        Meters.

    Returns
    -------
    tuple of ndarray
        Shape (n,) each.
    """
    (x, x_count), (y, y_count), (z, z_count) = (
        _images(float(size[axis]), float(source[axis]), farthest) for axis in range(3)
    )
    x, y, z = x - microphone.place[0], y - microphone.place[1], z - microphone.place[2]
    plane = (x[:, None] ** 2 + y**2).ravel()
    plane_axis = (x[:, None] * microphone.axis[0] + y * microphone.axis[1]).ravel()
    plane_count = (x_count[:, None] + y_count).ravel()
    is_near = plane <= farthest**2
    plane, plane_axis, plane_count = plane[is_near], plane_axis[is_near], plane_count[is_near]
    powers = reflection ** np.arange(int(plane_count.max(initial=0)) + int(z_count.max(initial=0)) + 1)
    distances, amplitudes = [], []
    for height, count in zip(z, z_count, strict=True):
        square = plane + height**2
        inside = square <= farthest**2
        distance = np.sqrt(square[inside])
        cosine = (plane_axis[inside] + height * microphone.axis[2]) / distance
        heard = 1.0 - microphone.directivity + microphone.directivity * cosine
        distances.append(distance)
        amplitudes.append(powers[plane_count[inside] + count] * heard / distance)
    return np.concatenate(distances), np.concatenate(amplitudes)


def impulse_response(delays: Samples, amplitudes: Samples, *, frames: int) -> Samples:
    """Return arrivals as samples: each a sinc at its own, fractional time, 24 samples to each side.

    Parameters
    ----------
    delays
        In samples, at least 0, shape (n,).
    amplitudes
        Shape (n,).
    frames
        Later arrivals are left out.

    Returns
    -------
    ndarray
        Shape (frames,); what rings before sample 0 is cut.
    """
    kept = delays < frames - 1
    place, weight = delays[kept] * _STEPS, amplitudes[kept]
    index = place.astype(np.int64)
    part = place - index
    count = frames * _STEPS + 1
    grid = np.bincount(index, weight * (1.0 - part), count) + np.bincount(index + 1, weight * part, count)
    # Row k holds what comes k steps after a sample.
    rows = grid[:-1].reshape(frames, _STEPS).T
    taps = np.arange(-_HALF_TAPS, _HALF_TAPS + 1)
    offsets = taps - np.arange(_STEPS)[:, None] / _STEPS
    window = np.cos(np.pi * offsets / (2 * _HALF_TAPS + 2)) ** 2
    filters = np.sinc(offsets) * window
    # Single precision is half the time, and its error of 1e-7 far under that of the grid.
    length = _quick_length(frames + taps.size - 1)
    spectrum = np.fft.rfft(rows.astype(np.float32), length) * np.fft.rfft(filters.astype(np.float32), length)
    made = np.fft.irfft(spectrum.sum(axis=0), length)[_HALF_TAPS : _HALF_TAPS + frames]
    return made.astype(np.float64)


def _quick_length(least: int) -> int:
    """Return the next length that transforms fast: a power of two times 1, 3, 5, 9 or 15."""
    return min(odd << max(0, (-(-least // odd) - 1).bit_length()) for odd in (1, 3, 5, 9, 15))
