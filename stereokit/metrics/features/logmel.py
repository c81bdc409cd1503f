"""Log-mel envelope of mid and side: what a clip sounds like, not only how wide it is.

32 mel bands from 40 Hz to 16 kHz of mid = (L + R) / sqrt(2), then 32 of side = (L - R) / sqrt(2), in Hann windows of
40 ms every 20 ms at the file's own rate. Decibels of mean power, where a full-scale sine in one channel of the
pair has about -3 dB in its band; floored at -80 dB. Bands above half the sample rate lie on the floor.
"""

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.spectrum import mel_filters, power_spectrogram
from stereokit.metrics.excerpt import SQRT2, Excerpt
from stereokit.metrics.feature import Feature, Range

BANDS = 32
LOW_HZ, HIGH_HZ = 40.0, 16_000.0
FLOOR_DB = -80.0
_WINDOW_S, _HOP_S = 0.040, 0.020


def _sequence(excerpt: Excerpt, extent: Range) -> NDArray[np.float64]:
    left, right = excerpt.scaled()
    window, hop = round(_WINDOW_S * excerpt.sample_rate), round(_HOP_S * excerpt.sample_rate)
    pair = np.stack([left + right, left - right]) / SQRT2
    power = power_spectrogram(pair, window=window, hop=hop)
    filters = mel_filters(sample_rate=excerpt.sample_rate, n_fft=window, bands=BANDS, low_hz=LOW_HZ, high_hz=HIGH_HZ)
    bands = np.moveaxis(power @ filters.T, 1, 0).reshape(power.shape[1], 2 * BANDS)
    return np.asarray(10.0 * np.log10(np.maximum(bands, 10.0 ** (FLOOR_DB / 10.0))))


FEATURE = Feature(
    summary="log-mel envelope of mid and side: timbre, time and width together",
    unit="dB, floor -80",
    sequence=_sequence,
    width=2 * BANDS,
    distance="l1",
)
