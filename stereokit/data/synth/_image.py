"""The stereo image: mid and side, the N/W classes of three segments, and a side that keeps to its class."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stereokit.data.synth._oscillators import Signal
from stereokit.metrics.side import segment_bounds

# How often each class occurs among the 11,520 clips of the mid/side GANSynth paper.
IMAGE_CLASS_COUNTS = {
    "NNN": 3082,
    "WWW": 2512,
    "NWW": 2464,
    "WWN": 1214,
    "NWN": 1210,
    "NNW": 774,
    "WNN": 242,
    "WNW": 22,
}


def segment_slices(sample_rate: int) -> list[slice]:
    """Return the three segments that an image class speaks of."""
    return [slice(start, stop) for start, stop in pairwise(segment_bounds(sample_rate))]


def channels_of(mid_side: Signal) -> Signal:
    """Return left and right, (2, T), of mid and side, (2, T), or of mid alone, (1, T)."""
    if mid_side.shape[0] == 1:
        return np.repeat(mid_side, 2, axis=0)
    mid, side = mid_side
    return np.stack([mid + side, mid - side])


def width_curve(gains: NDArray[np.float64], ramps: tuple[int, int], slices: list[slice], frames: int) -> Signal:
    """Return a gain over time that holds one value in each segment and glides between them.

    A glide lies inside whichever segment has the larger gain: so a narrow segment never receives
    a piece of its wide neighbour.

    Parameters
    ----------
    gains
        Shape (3,), at least 0.
    ramps
        Lengths in frames of the two glides.
    slices
        As of ``segment_slices``.
    frames
        Length of the curve.

    Returns
    -------
    Signal
        Shape (frames,).
    """
    curve = np.repeat(gains, [part.stop - part.start for part in slices]).astype(np.float32)
    curve = np.pad(curve, (0, frames - curve.size), mode="edge")
    for index, ramp in enumerate(ramps, 1):
        before, after = gains[index - 1], gains[index]
        start = slices[index].start - (0 if after > before else ramp)
        glide = 0.5 - 0.5 * np.cos(np.pi * np.arange(ramp) / ramp)
        curve[start : start + ramp] = before + (after - before) * glide
    return curve


def side_stds(side: Signal, slices: list[slice]) -> NDArray[np.float64]:
    """Return std((L - R) / sqrt(2)) of each segment, shape (3,), for a side of (L - R) / 2."""
    return np.array([np.std(side[part]) * np.sqrt(2) for part in slices], np.float64)


def shaped_side(side: Signal, targets: NDArray[np.float64], ramps: tuple[int, int], slices: list[slice]) -> Signal:
    """Return the side with its level in each segment brought to ``targets`` by a ``width_curve``.

    Parameters
    ----------
    side
        (L - R) / 2, shape (T,), not silent in any segment.
    targets
        std((L - R) / sqrt(2)) wanted in each segment, shape (3,).
    ramps, slices
        As of ``width_curve``.

    Returns
    -------
    Signal
        Shape (T,); the targets are met to about one per cent.
    """
    # Glides shift a segment's level a little, and change with the gains: a few rounds settle them.
    gains = targets / side_stds(side, slices)
    shaped = side
    for _ in range(5):
        shaped = side * width_curve(gains, ramps, slices, side.size)
        gains *= np.divide(targets, side_stds(shaped, slices), out=np.ones(3), where=targets > 0)
    return shaped
