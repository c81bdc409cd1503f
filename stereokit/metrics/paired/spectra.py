"""How far clips are apart in short-time spectra: log-spectral and multi-resolution STFT distance.

Frames are those that lie wholly inside the clip (nothing is centred or mirrored); a clip under a window is padded with
zeros to one. Windows are counted in samples at the clip's own rate, as the papers do.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stereokit.audio.spectrum import hann

LSD_WINDOW, LSD_HOP = 512, 128
LSD_FLOOR = 1e-10
# (transform, window, hop) of the three resolutions, and the least power of a bin.
RESOLUTIONS = ((1024, 600, 120), (2048, 1200, 240), (512, 240, 50))
STFT_FLOOR = 1e-7
LONGEST_WINDOW = 1200

# Samples of a block that is transformed at once: its arrays stay in the cache.
_BLOCK_VALUES = 1 << 16
# Channels, frames and bins of an array (n, channels, frames, bins).
_CLIP = (-3, -2, -1)


def spectra(
    signals: NDArray[np.float64],
    *,
    window: int,
    hop: int,
    size: int | None = None,
    start: int = 0,
    own: int | None = None,
) -> Iterator[NDArray[np.complex128]]:
    """Yield the STFT of signals, some frames at a time.

    Parameters
    ----------
    signals
        Clips, or a section of them: shape (..., T), full scale ±1.
    window, hop
        In samples; the window is a periodic Hann of peak 1, not normalised.
    size
        Of the transform, the window if None; a longer one pads it with zeros.
    start
        Where in the clips the section starts, in samples.
    own
        Frames that begin among the first ``own`` samples are transformed, all if None; windows begin at multiples of
        ``hop`` from the clip's start.

    Yields
    ------
    ndarray
        Shape (..., frames, size // 2 + 1).
    """
    missing = window - signals.shape[-1]
    if missing > 0 and start == 0:
        signals = np.pad(signals, [(0, 0)] * (signals.ndim - 1) + [(0, missing)])
    elif missing > 0:
        return
    frames = sliding_window_view(signals, window, axis=-1)[..., -start % hop : own : hop, :]
    size = size or window
    step = max(1, _BLOCK_VALUES // (int(np.prod(frames.shape[:-2])) * size))
    taper = hann(window)
    # What is behind the window stays zero.
    padded = np.zeros((*frames.shape[:-2], min(step, frames.shape[-2]), size))
    for first in range(0, frames.shape[-2], step):
        some = frames[..., first : first + step, :]
        block = padded[..., : some.shape[-2], :]
        np.multiply(some, taper, out=block[..., :window])
        yield np.fft.rfft(block, axis=-1)


class LogSpectral:
    """Log-spectral distance: the mean over frames of sqrt(mean over bins of (log10(|X|^2 / |T|^2))^2).

    Window and transform 512, hop 128, Hann; 1e-10 is added to |X|^2 and |T|^2 (the instrument-transfer paper's equation
    25, which names neither transform nor floor). The floor decides what near silence counts. Mean over channels too.

    Parameters
    ----------
    clips
        How many are compared side by side.
    """

    def __init__(self, clips: int) -> None:
        self._total, self._frames = np.zeros(clips), 0

    def add(self, estimate: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        """Take powers of more frames, shape (n, channels, frames, 257)."""
        ratio = estimate + LSD_FLOOR
        ratio /= target + LSD_FLOOR
        np.log10(ratio, out=ratio)
        np.square(ratio, out=ratio)
        self._total += np.sqrt(ratio.mean(axis=-1)).sum(axis=(-2, -1))
        self._frames += ratio.shape[-2] * ratio.shape[-3]

    def distance(self) -> NDArray[np.float64]:
        """Return it, shape (n,): 0 or more, in decades of power; 1 is a factor of 10 in every bin. Symmetric."""
        return self._total / self._frames


class SpectralGap:
    """Spectral convergence plus log-magnitude distance at one resolution.

    | |T| - |X| |_F / | |T| |_F  +  mean | ln |T| - ln |X| |, with powers of at least 1e-7 before the root; norms and
    means run over channels too. The mean of it over the resolutions (transform, window, hop) of (1024, 600, 120),
    (2048, 1200, 240) and (512, 240, 50), Hann, is the multi-resolution STFT distance (Yamamoto, Song and Kim 2020,
    Parallel WaveGAN).

    Parameters
    ----------
    clips
        How many are compared side by side.
    """

    def __init__(self, clips: int) -> None:
        self._error, self._whole, self._logarithms = (np.zeros(clips) for _ in range(3))
        self._values = 0

    def add(self, estimate: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        """Take powers of more frames, shape (n, channels, frames, bins)."""
        x, t = np.maximum(estimate, STFT_FLOOR), np.maximum(target, STFT_FLOOR)
        self._values += int(np.prod(x.shape[1:]))
        self._whole += t.sum(axis=_CLIP)
        ratio = t / x
        np.log(ratio, out=ratio)
        self._logarithms += np.abs(ratio, out=ratio).sum(axis=_CLIP) / 2.0
        gap = np.sqrt(t, out=t)
        gap -= np.sqrt(x, out=x)
        self._error += np.square(gap, out=gap).sum(axis=_CLIP)

    def distance(self) -> NDArray[np.float64]:
        """Return it, shape (n,): 0 or more. Not symmetric: the target is the yardstick of the first term."""
        return np.sqrt(self._error / self._whole) + self._logarithms / self._values
