"""What every drum recipe works on: a stretch of time, one or two channels, and the hit that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stereokit.data.synth._oscillators import (
    Signal,
    bin_frequencies_hz,
    noise_spectrum,
    spectrum_signal,
)
from stereokit.data.synth._shaping import band_gains


@dataclass(frozen=True)
class Canvas:
    """The space that a recipe fills.

    Attributes
    ----------
    frames
        Length T.
    sample_rate
        Hz.
    channels
        1: mid alone, for a mono hit. 2: mid and side.
    """

    frames: int
    sample_rate: int
    channels: int

    @cached_property
    def time(self) -> NDArray[np.float64]:
        """Seconds since the hit, shape (T,)."""
        return np.arange(self.frames) / self.sample_rate

    @cached_property
    def bins_hz(self) -> Signal:
        """Frequencies of the bins of steady spectra, shape (bins,)."""
        return bin_frequencies_hz(self.frames, self.sample_rate)

    def blank(self) -> Signal:
        """Return silence, shape (channels, T)."""
        return np.zeros((self.channels, self.frames), np.float32)

    def band_noise(
        self,
        random: np.random.Generator,
        low_hz: float,
        high_hz: float,
        *,
        length_s: float | None = None,
    ) -> Signal:
        """Return steady noise of a band with an RMS of 1, unlike in mid and side.

        Shape (channels, n): as long as the canvas, or ``length_s`` where that is shorter (and faster).
        """
        frames = self.frames if length_s is None else min(self.frames, round(length_s * self.sample_rate))
        bins_hz = bin_frequencies_hz(frames, self.sample_rate)
        gains = band_gains(bins_hz, low_hz, high_hz)
        return spectrum_signal(noise_spectrum(random, gains, self.channels), frames)


@dataclass(frozen=True)
class Hit:
    """A recipe's result.

    Attributes
    ----------
    mid_side
        Shape (channels, T), at any level.
    decay_s
        Time in which the main part of the hit loses 60 dB; it may be longer than the sound.
    center_hz
        The pitch of a skin, the middle of the band of metal and noise.
    """

    mid_side: Signal
    decay_s: float
    center_hz: float


Recipe = Callable[[np.random.Generator, Canvas], Hit]
