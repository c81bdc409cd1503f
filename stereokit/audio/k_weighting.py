"""The weighting filter of ITU-R BS.1770-4: how much of each frequency counts as loudness.

Two filters of the second order one after the other, a high shelf for the head and a high pass. They are recursive, and
run here in blocks: within a block the output is a product with a matrix of impulse responses, from block to block
the filters' state, four numbers a channel, is carried on.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# The analogue parameters that the printed coefficients at 48 kHz have; other rates get theirs from these.
_SHELF_HZ, _SHELF_GAIN_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_PASS_HZ, _PASS_Q = 38.13547087602444, 0.5003270373238773

# Samples of a block, numbers of a state, and states of a group.
_BLOCK, _STATE, _GROUP = 32, 4, 8
# Filtered at once, so that memory stays small and the processor's own.
_BLOCKS_AT_ONCE = 1 << 11

Filter = tuple[tuple[float, float, float], tuple[float, float, float]]


def shelf(sample_rate: int) -> Filter:
    """Return (b, a) of the high shelf, a[0] = 1; nothing but a wire where its band lies above half the rate."""
    # From half the rate upwards the shelf lies above all there is, and the tangent turns the filter unstable.
    if sample_rate <= 2 * _SHELF_HZ:
        return (1.0, 0.0, 0.0), (1.0, 0.0, 0.0)
    tangent = float(np.tan(np.pi * _SHELF_HZ / sample_rate))
    high = 10.0 ** (_SHELF_GAIN_DB / 20.0)
    band = high**0.4996667741545416
    slope, square = tangent / _SHELF_Q, tangent**2
    first = 1.0 + slope + square
    forward = (high + band * slope + square, 2.0 * (square - high), high - band * slope + square)
    return _over(forward, first), (1.0, 2.0 * (square - 1.0) / first, (1.0 - slope + square) / first)


def high_pass(sample_rate: int) -> Filter:
    """Return (b, a) of the high pass, a[0] = 1; the standard's b is 1, -2, 1 whatever the rate."""
    tangent = float(np.tan(np.pi * _PASS_HZ / sample_rate))
    slope, square = tangent / _PASS_Q, tangent**2
    first = 1.0 + slope + square
    return (1.0, -2.0, 1.0), (1.0, 2.0 * (square - 1.0) / first, (1.0 - slope + square) / first)


def _over(values: tuple[float, float, float], divisor: float) -> tuple[float, float, float]:
    return values[0] / divisor, values[1] / divisor, values[2] / divisor


class _Machine(NamedTuple):
    """The two filters over a block of 32 samples.

    Attributes
    ----------
    to_state
        Shape (32, 4): a block of samples gives what it adds to the state at its end.
    to_output
        Shape (36, 32): a block of samples, and the state before it, give its outputs.
    carry
        Shape (4, 4), float64: a state, as a row, a block later.
    """

    to_state: NDArray[np.float64]
    to_output: NDArray[np.float64]
    carry: NDArray[np.float64]


@lru_cache(maxsize=16)
def _machine(sample_rate: int) -> _Machine:
    step, entry, exit_, direct = _state_space(sample_rate)
    powers = [np.eye(len(step))]
    for _ in range(_BLOCK):
        powers.append(powers[-1] @ step)
    response = np.array([direct, *(exit_ @ power @ entry for power in powers[: _BLOCK - 1])])
    delays = np.arange(_BLOCK)[None, :] - np.arange(_BLOCK)[:, None]
    outputs = np.where(delays >= 0, response[np.maximum(delays, 0)], 0.0)
    states = np.stack([power @ entry for power in powers[_BLOCK - 1 :: -1]])
    from_state = np.stack([exit_ @ power for power in powers[:_BLOCK]], axis=1)
    to_output = np.concatenate([outputs, from_state])
    return _Machine(states, to_output, powers[_BLOCK].T.copy())


def _state_space(
    sample_rate: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return A, B, C, D of s' = A s + B x, y = C s + D x for both filters in a row."""
    step, entry, exit_, direct = np.zeros((4, 4)), np.zeros(4), np.zeros(4), 1.0
    for place, (forward, back) in ((0, shelf(sample_rate)), (2, high_pass(sample_rate))):
        # The input of the second filter is the output of the first.
        own = slice(place, place + 2)
        gains = np.array([forward[1] - back[1] * forward[0], forward[2] - back[2] * forward[0]])
        step[own] += np.outer(gains, exit_)
        step[own, own] += [[-back[1], 1.0], [-back[2], 0.0]]
        entry[own] = gains * direct
        exit_ = forward[0] * exit_
        exit_[place] += 1.0
        direct *= forward[0]
    return step, entry, exit_, direct


def k_weighted(samples: NDArray[np.float32], sample_rate: int) -> Iterator[NDArray[np.float64]]:
    """Yield both channels as they count for loudness, in parts of shape (2, n); before them there is silence.

    Parameters
    ----------
    samples
        Shape (2, T).
    sample_rate
        Hz.
    """
    weighting = KWeighting(samples.shape[0], sample_rate)
    for start in range(0, samples.shape[1], _BLOCK * _BLOCKS_AT_ONCE):
        yield weighting.weighted(samples[:, start : start + _BLOCK * _BLOCKS_AT_ONCE])


class KWeighting:
    """The filter over a sound that comes in parts; before the first there is silence.

    Parameters
    ----------
    channels
        How many.
    sample_rate
        Hz.
    """

    # All parts but the last have a multiple of so many samples.
    BLOCK = _BLOCK

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._rate = sample_rate
        self._state = np.zeros((channels, _STATE))

    def weighted(self, given: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the next part, shape (channels, n), as it counts for loudness."""
        machine, channels = _machine(self._rate), given.shape[0]
        blocks, rest = divmod(given.shape[1], _BLOCK)
        whole = given.shape[1] - rest
        # Each row has a block of samples and the state before it.
        rows = np.zeros((channels, blocks + bool(rest), _BLOCK + _STATE))
        rows[:, :blocks, :_BLOCK] = given[:, :whole].reshape(channels, blocks, _BLOCK)
        rows[:, blocks:, :rest] = given[:, None, whole:]
        states = _states(rows[:, :, :_BLOCK] @ machine.to_state, self._state, self._rate)
        rows[:, :, _BLOCK:] = states[:, :-1]
        self._state = states[:, -1]
        return np.asarray((rows @ machine.to_output).reshape(channels, -1)[:, : given.shape[1]])


class _Scan(NamedTuple):
    """Eight steps of s' = s carry + added at once.

    Attributes
    ----------
    inside
        Shape (32, 36): what eight blocks add gives the state before each, if silence came before, and after all.
    from_start
        Shape (4, 32): the state before the first gives what it adds to that before each.
    carry
        Shape (4, 4): a state, as a row, eight steps later.
    """

    inside: NDArray[np.float64]
    from_start: NDArray[np.float64]
    carry: NDArray[np.float64]


@lru_cache(maxsize=64)
def _scan(sample_rate: int, level: int) -> _Scan:
    """Return the steps of blocks (level 0), of eight blocks (level 1), and so on."""
    carry = _machine(sample_rate).carry if level == 0 else _scan(sample_rate, level - 1).carry
    powers = [np.eye(_STATE)]
    for _ in range(_GROUP):
        powers.append(powers[-1] @ carry)
    nothing = np.zeros((_STATE, _STATE))
    inside = [
        [powers[later - earlier - 1] if later > earlier else nothing for later in range(_GROUP + 1)]
        for earlier in range(_GROUP)
    ]
    return _Scan(np.block(inside), np.concatenate(powers[:_GROUP], axis=1), powers[_GROUP])


def _states(
    added: NDArray[np.float64], state: NDArray[np.float64], sample_rate: int, level: int = 0
) -> NDArray[np.float64]:
    """Return the state before each block and after the last, shape (channels, n + 1, 4), from what each adds.

    In groups of eight, each as if silence came before it; the groups' own starts come from the same step a
    level higher.
    """
    channels, count, _ = added.shape
    if count == 0:
        return state[:, None]
    groups = count // _GROUP + 1
    padded = np.zeros((channels, groups, _GROUP * _STATE))
    padded.reshape(channels, -1)[:, : count * _STATE] = added.reshape(channels, -1)
    scan = _scan(sample_rate, level)
    local = padded @ scan.inside
    starts = _states(local[:, :-1, _GROUP * _STATE :], state, sample_rate, level + 1)
    inside = local[:, :, : _GROUP * _STATE] + starts @ scan.from_start
    return inside.reshape(channels, -1, _STATE)[:, : count + 1]
