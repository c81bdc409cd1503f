"""How far two clips are apart in short-time spectra: log-spectral and multi-resolution STFT distance.

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

# Values of a block of spectra, which then stays in the cache (twice as fast as blocks of a million).
_BLOCK_VALUES = 1 << 16


def powers(
    *signals: NDArray[np.float64], window: int, hop: int, size: int | None = None
) -> Iterator[list[NDArray[np.float64]]]:
    """Yield |STFT|^2 of equally long signals, some frames at a time.

    Parameters
    ----------
    signals
        Shape (..., T) each, full scale ±1.
    window, hop
        In samples; the window is a periodic Hann of peak 1, not normalised.
    size
        Of the transform, the window if None; a longer one pads it with zeros.

    Yields
    ------
    list of ndarray
        Of each signal, shape (..., frames, size // 2 + 1).
    """
    views = [sliding_window_view(_at_least(one, window), window, axis=-1)[..., ::hop, :] for one in signals]
    size = size or window
    shape = views[0].shape
    step = max(1, _BLOCK_VALUES // (int(np.prod(shape[:-2])) * size))
    taper = hann(window)
    for first in range(0, shape[-2], step):
        spectra = (np.fft.rfft(view[..., first : first + step, :] * taper, size, axis=-1) for view in views)
        yield [np.square(one.real) + np.square(one.imag) for one in spectra]


def _at_least(signal: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    missing = max(0, frames - signal.shape[-1])
    return np.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, missing)]) if missing else signal


def log_spectral_distance(estimate: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over frames of sqrt(mean over bins of (log10(|X|^2 / |T|^2))^2).

    Window and transform 512, hop 128, Hann; 1e-10 is added to |X|^2 and |T|^2 (the instrument-transfer paper's equation
    25, which names neither transform nor floor). The floor decides what near silence counts. Mean over channels too.

    Parameters
    ----------
    estimate, target
        Shape (n, channels, T) each.

    Returns
    -------
    ndarray
        Shape (n,), 0 or more, in decades of power; 1 is a factor of 10 in every bin. Symmetric.
    """
    total, frames = np.zeros(len(target)), 0
    for x, t in powers(estimate, target, window=LSD_WINDOW, hop=LSD_HOP):
        difference = np.log10(x + LSD_FLOOR) - np.log10(t + LSD_FLOOR)
        total += np.sqrt(np.square(difference).mean(axis=-1)).sum(axis=(-2, -1))
        frames += x.shape[-2] * x.shape[-3]
    return total / frames


def multi_resolution_distance(estimate: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over three resolutions of spectral convergence plus log-magnitude distance.

    | |T| - |X| |_F / | |T| |_F  +  mean | ln |T| - ln |X| |

    with (transform, window, hop) of (1024, 600, 120), (2048, 1200, 240) and (512, 240, 50), Hann, and powers of at
    least 1e-7 before the root (Yamamoto, Song and Kim 2020, Parallel WaveGAN; norms and means run over channels too).

    Parameters
    ----------
    estimate, target
        Shape (n, channels, T) each.

    Returns
    -------
    ndarray
        Shape (n,), 0 or more. Not symmetric: the target is the yardstick of the first term.
    """
    result = np.zeros(len(target))
    for size, window, hop in RESOLUTIONS:
        error, whole, logarithms, values = (np.zeros(len(target)) for _ in range(4))
        for block in powers(estimate, target, window=window, hop=hop, size=size):
            x, t = (np.maximum(power, STFT_FLOOR) for power in block)
            everywhere = (-3, -2, -1)
            error += np.square(np.sqrt(t) - np.sqrt(x)).sum(axis=everywhere)
            whole += t.sum(axis=everywhere)
            logarithms += np.abs(np.log(t / x)).sum(axis=everywhere) / 2.0
            values += np.prod(x.shape[1:])
        result += np.sqrt(error / whole) + logarithms / values
    return result / len(RESOLUTIONS)
