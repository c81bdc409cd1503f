"""What a feature reads: the part of a recording that is judged, in the file's own number format."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Recording

SQRT2 = float(np.sqrt(2.0))


@dataclass(frozen=True)
class Excerpt:
    """Left and right of one clip.

    Attributes
    ----------
    left, right
        Shape (T,), int16 or float32. A mono file has the same samples twice.
    sample_rate
        Hz.
    full_scale
        The sample value that stands for 1.0.
    """

    left: NDArray[Any]
    right: NDArray[Any]
    sample_rate: int
    full_scale: float

    @property
    def frames(self) -> int:
        """Length in samples."""
        return int(self.left.shape[0])

    @cached_property
    def difference(self) -> NDArray[Any]:
        """L - R, shape (T,), exact: int32 from 16 bit (int16 where it fits, which sorts faster), else float64."""
        difference: NDArray[Any]
        if self.left.dtype != np.int16:
            difference = np.subtract(self.left, self.right, dtype=np.float64)
            return difference
        difference = np.subtract(self.left, self.right)
        # It has left 16 bits where left and right have unlike signs and the result that of the right.
        is_unlike = self.left ^ self.right
        is_unlike &= self.left ^ difference
        if is_unlike.min() < 0:
            difference = np.subtract(self.left, self.right, dtype=np.int32)
        return difference

    @property
    def side_scale(self) -> float:
        """Multiply ``difference`` by this to get the side signal (L - R) / sqrt(2) at full scale ±1."""
        return 1.0 / (SQRT2 * self.full_scale)

    @cached_property
    def has_side(self) -> bool:
        """Whether left and right differ anywhere."""
        return not np.array_equal(self.left, self.right)

    @cached_property
    def is_silent(self) -> bool:
        """Whether every sample is zero."""
        return not (self.has_side or self.left.any())

    def scaled(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return left and right as float64 with full scale ±1, each of shape (T,)."""
        left = self.left.astype(np.float64) / self.full_scale
        return left, self.right.astype(np.float64) / self.full_scale


def excerpt_of(recording: Recording, *, frames: int | None = None) -> Excerpt:
    """Take the judged part of a recording.

    Parameters
    ----------
    recording
        One or two channels.
    frames
        The recording is cut, or padded with zeros, to this length. None keeps all.

    Raises
    ------
    BadInputError
        For more than two channels.
    """
    recording.require_stereo()
    samples = recording.samples
    if frames is not None:
        if frames <= len(samples):
            samples = samples[:frames]
        else:
            samples = np.concatenate([samples, np.zeros((frames - len(samples), recording.channels), samples.dtype)])
    # Contiguous channels: everything after this reads them several times, in vector registers.
    channels = np.ascontiguousarray(samples.T)
    return Excerpt(channels[0], channels[-1], recording.sample_rate, recording.full_scale)
