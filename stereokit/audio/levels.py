"""How loud a clip is: peak, RMS, loudness; and one gain for both channels."""

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip

# ITU-R BS.1770-4: a high shelf for the head, a high pass, as (b, a) at 48 kHz; recomputed for other rates from the
# analogue parameters that these two filters have.
_SHELF_HZ, _SHELF_GAIN_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_PASS_HZ, _PASS_Q = 38.13547087602444, 0.5003270373238773
_OFFSET_LUFS = -0.691
_BLOCK_S, _OVERLAP = 0.400, 0.75
_ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -70.0, -10.0

# The filters' memory: the 38 Hz high pass has decayed to 1e-9 of its start after this long.
_MEMORY_S = 0.2
_SEGMENT_SAMPLES = 1 << 18


def peak(clip: Clip) -> float:
    """Return the largest absolute sample of both channels, full scale 1."""
    return float(np.abs(clip.samples).max(initial=0.0))


def rms(clip: Clip) -> float:
    """Return the root mean square over both channels, full scale 1."""
    return float(np.sqrt(np.mean(np.square(clip.samples, dtype=np.float64))))


def loudness_lufs(clip: Clip) -> float:
    """Return the integrated loudness in LUFS by ITU-R BS.1770-4, both channels weighing 1.

    Blocks of 400 ms overlap by 75 %, gated at -70 LUFS and at 10 LU under the mean of what is left. A clip under
    400 ms is one block of its own length. Silence, or a clip wholly under the gate, has -infinity.
    """
    weighted = _k_weighted(clip)
    block = round(_BLOCK_S * clip.sample_rate)
    power = np.square(weighted)
    if clip.frames <= block:
        blocks = power.mean(axis=1, keepdims=True)
    else:
        hop = round(_BLOCK_S * (1.0 - _OVERLAP) * clip.sample_rate)
        total = np.concatenate([np.zeros((2, 1)), np.cumsum(power, axis=1)], axis=1)
        starts = np.arange(0, clip.frames - block + 1, hop)
        blocks = (total[:, starts + block] - total[:, starts]) / block
    energy = np.maximum(blocks.sum(axis=0), 0.0)
    kept = energy[_lufs(energy) > _ABSOLUTE_GATE_LUFS]
    if not len(kept):
        return -np.inf
    gate = _lufs(kept.mean()) + _RELATIVE_GATE_LU
    return float(_lufs(kept[_lufs(kept) > gate].mean()))


def _lufs(energy: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(_OFFSET_LUFS + 10.0 * np.log10(energy))


def _k_weighted(clip: Clip) -> NDArray[np.float64]:
    """Filter both channels, shape (2, T), segment by segment through the filters' frequency response."""
    memory = round(_MEMORY_S * clip.sample_rate) + 1
    size = 1 << int(np.ceil(np.log2(min(clip.frames, _SEGMENT_SAMPLES) + memory)))
    step = size - memory
    # The response of the filter cut to its memory, so that segments join without a seam.
    kernel = np.fft.irfft(_response(clip.sample_rate, 2 * size), 2 * size)[:memory]
    response = np.fft.rfft(kernel, size)
    result = np.zeros((2, clip.frames + size))
    for start in range(0, clip.frames, step):
        segment = clip.samples[:, start : start + step].astype(np.float64)
        result[:, start : start + size] += np.fft.irfft(np.fft.rfft(segment, size) * response, size)
    return result[:, : clip.frames]


def _response(sample_rate: int, size: int) -> NDArray[np.complex128]:
    """Return the K-weighting's frequency response on the bins of an rfft of ``size``."""
    unit = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    return _shelf(sample_rate, unit) * _high_pass(sample_rate, unit)


def _shelf(sample_rate: int, unit: NDArray[np.complex128]) -> NDArray[np.complex128]:
    # From half the rate upwards the shelf lies above all there is, and the tangent turns the filter unstable.
    if sample_rate <= 2 * _SHELF_HZ:
        return np.ones_like(unit)
    tangent = np.tan(np.pi * _SHELF_HZ / sample_rate)
    high = 10.0 ** (_SHELF_GAIN_DB / 20.0)
    band = high**0.4996667741545416
    slope = tangent / _SHELF_Q
    numerator = [high + band * slope + tangent**2, 2 * (tangent**2 - high), high - band * slope + tangent**2]
    return _biquad(numerator, [1 + slope + tangent**2, 2 * (tangent**2 - 1), 1 - slope + tangent**2], unit)


def _high_pass(sample_rate: int, unit: NDArray[np.complex128]) -> NDArray[np.complex128]:
    tangent = np.tan(np.pi * _PASS_HZ / sample_rate)
    slope = tangent / _PASS_Q
    first = 1 + slope + tangent**2
    # The standard's numerator is 1, -2, 1 whatever the rate; its denominator starts with 1.
    denominator = [first, 2 * (tangent**2 - 1), 1 - slope + tangent**2]
    return _biquad([first, -2 * first, first], denominator, unit)


def _biquad(numerator: list[float], denominator: list[float], unit: NDArray[np.complex128]) -> NDArray[np.complex128]:
    (b0, b1, b2), (a0, a1, a2) = numerator, denominator
    return np.asarray((b0 + b1 * unit + b2 * unit**2) / (a0 + a1 * unit + a2 * unit**2))


def with_gain(clip: Clip, gain: float) -> Clip:
    """Multiply both channels by one factor."""
    # float64 in between: the gain of a very quiet clip passes the range of float32
    return Clip((clip.samples * np.float64(gain)).astype(np.float32), clip.sample_rate)
