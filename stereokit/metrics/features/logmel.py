"""Log-mel envelope of mid and side: what a clip sounds like, not only how wide it is.

32 mel bands from 40 Hz to 16 kHz of mid = (L + R) / sqrt(2), then 32 of side = (L - R) / sqrt(2), in Hann windows of
40 ms every 20 ms at the file's own rate. Decibels of mean power: a full-scale sine of mid or side has -3 dB at the
centre of a band, less between two bands and under 200 Hz, where bands are about as narrow as the transform's bins.
Floored at -80 dB; bands above half the sample rate lie on the floor.
"""

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.spectrum import mel_filters, power_spectrogram
from stereokit.metrics.excerpt import SQRT2, Excerpt
from stereokit.metrics.feature import Feature

BANDS = 32
LOW_HZ, HIGH_HZ = 40.0, 16_000.0
FLOOR_DB = -80.0
_WINDOW_S, _HOP_S = 0.040, 0.020
# The transform of all frames at once would take forty times the memory of the clip.
_FRAMES_AT_ONCE = 128


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    left, right = excerpt.scaled()
    window, hop = round(_WINDOW_S * excerpt.sample_rate), round(_HOP_S * excerpt.sample_rate)
    pair = np.stack([left + right, left - right]) / SQRT2
    filters = mel_filters(sample_rate=excerpt.sample_rate, n_fft=window, bands=BANDS, low_hz=LOW_HZ, high_hz=HIGH_HZ)
    frames = max(1, (excerpt.frames - window) // hop + 1)
    parts = []
    for first in range(0, frames, _FRAMES_AT_ONCE):
        last = min(first + _FRAMES_AT_ONCE, frames) - 1
        power = power_spectrogram(pair[:, first * hop : last * hop + window], window=window, hop=hop)
        parts.append(np.moveaxis(power @ filters.T, 1, 0).reshape(power.shape[1], 2 * BANDS))
    bands = np.concatenate(parts)
    return np.asarray(10.0 * np.log10(np.maximum(bands, 10.0 ** (FLOOR_DB / 10.0))))


FEATURE = Feature(
    summary="log-mel envelope of mid and side: timbre, time and width together",
    unit="dB, floor -80",
    sequence=_sequence,
    width=2 * BANDS,
    distance="l1",
)
