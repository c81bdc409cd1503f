"""The two forms of sound that rooms hand to each other: what a file held, and a stereo clip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import BadInputError

INT16_FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Clip:
    """A stereo sound.

    Attributes
    ----------
    samples
        Left and right, float32 of shape (2, T), full scale is ±1 (larger values are legal).
    sample_rate
        Hz.
    """

    samples: NDArray[np.float32]
    sample_rate: int

    @property
    def frames(self) -> int:
        """Length in samples of one channel."""
        return int(self.samples.shape[1])


@dataclass(frozen=True)
class Recording:
    """What a file held, before anything was made of it.

    Attributes
    ----------
    samples
        Shape (T, channels), T >= 1: int16 for files of 16 bit or less (reading and sorting integers is
        several times faster), else float32 with full scale ±1. Float32 holds 24 bit exactly.
    sample_rate
        Hz.
    subtype
        libsndfile's name of the encoding, for example ``PCM_24``.
    """

    samples: NDArray[np.int16] | NDArray[np.float32]
    sample_rate: int
    subtype: str

    @property
    def frames(self) -> int:
        """Length in samples of one channel."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """How many channels the file had."""
        return int(self.samples.shape[1])

    @property
    def full_scale(self) -> float:
        """The sample value that stands for 1.0."""
        return INT16_FULL_SCALE if self.samples.dtype == np.int16 else 1.0

    def require_stereo(self) -> None:
        """Refuse more than two channels.

        Raises
        ------
        BadInputError
            Naming the count; what a stereo image of six channels is, is not for us to guess.
        """
        if self.channels > 2:
            raise BadInputError(f"has {self.channels} channels: 1 or 2 make a stereo clip")

    def to_clip(self) -> Clip:
        """Return the stereo clip; a mono file is doubled.

        Raises
        ------
        BadInputError
            For more than two channels.
        """
        self.require_stereo()
        samples = np.empty((2, self.frames), np.float32)
        samples[:] = self.samples.T
        if self.full_scale != 1.0:
            samples /= np.float32(self.full_scale)
        return Clip(samples, self.sample_rate)
