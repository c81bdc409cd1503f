"""Where the clips of a training are kept: on the device, in memory, or on disk and read ahead."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit.audio.clip import INT16_FULL_SCALE, Recording
from stereokit.data.workers import available_jobs

Place = Literal["device", "memory", "stream"]
SampleType = Literal["int16", "float32"]
# File number -> what the file holds; called from several threads.
Reader = Callable[[int], Recording]

# Reading waits for the disk, so two threads help on one processor; more than eight only stand in each other's way.
_THREADS = min(8, max(2, available_jobs()))
_BLOCK_BYTES = 32 << 20
_MOST_CALLS_AHEAD = 8
# Strides that are remembered: twice as many as a step has calls for data, so that its pattern shows.
_REMEMBERED = 32


class Store(Protocol):
    """Gives clips by the number of their file."""

    place: Place

    def take(self, files: Sequence[int], upcoming: Sequence[int] = ()) -> torch.Tensor:
        """Return clips, float32 of shape (B, 2, T), full scale ±1; ``upcoming`` are wanted soon."""

    def calls_ahead(self, count: int) -> int:
        """Return how many calls of ``count`` clips it wants to know beforehand."""

    def close(self) -> None:
        """Let go of threads and memory."""


class Resident(ABC):
    """Keeps all clips, as int16 or float32."""

    place: Place

    @abstractmethod
    def put(self, start: int, block: NDArray[Any]) -> None:
        """Keep the clips from number ``start`` on, of shape (N, 2, T) and the store's own type."""

    @abstractmethod
    def take(self, files: Sequence[int], upcoming: Sequence[int] = ()) -> torch.Tensor:
        """Return a copy of some clips."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the memory."""

    def calls_ahead(self, count: int) -> int:
        """Return 0: everything is here."""
        return 0


class InMemory(Resident):
    """Keeps all clips in RAM.

    It computes with NumPy: for so little work torch's threads wait for each other longer than they help.
    """

    place: Place = "memory"

    def __init__(self, count: int, *, frames: int, dtype: SampleType) -> None:
        self._clips: NDArray[Any] = np.empty((count, 2, frames), dtype)

    def put(self, start: int, block: NDArray[Any]) -> None:
        """Keep a block."""
        self._clips[start : start + len(block)] = block

    def take(self, files: Sequence[int], upcoming: Sequence[int] = ()) -> torch.Tensor:
        """Return a copy of some clips, on the CPU."""
        clips = self._clips[files]
        # Division by a power of two is exact.
        whole = clips.dtype == np.int16
        return torch.from_numpy(np.divide(clips, np.float32(INT16_FULL_SCALE), dtype=np.float32) if whole else clips)

    def close(self) -> None:
        """Let go of the memory."""
        self._clips = self._clips[:0].copy()


class OnDevice(Resident):
    """Keeps all clips on the device that trains."""

    place: Place = "device"

    def __init__(self, count: int, *, frames: int, dtype: SampleType, device: torch.device) -> None:
        self._clips = torch.empty((count, 2, frames), dtype=getattr(torch, dtype), device=device)

    def put(self, start: int, block: NDArray[Any]) -> None:
        """Keep a block."""
        self._clips[start : start + len(block)] = torch.from_numpy(block)

    def take(self, files: Sequence[int], upcoming: Sequence[int] = ()) -> torch.Tensor:
        """Return a copy of some clips, on the device."""
        clips = self._clips.index_select(0, torch.tensor(files, device=self._clips.device))
        return clips / torch.tensor(INT16_FULL_SCALE) if clips.dtype == torch.int16 else clips

    def close(self) -> None:
        """Let go of the memory."""
        self._clips = self._clips[:0].clone()


def fill(store: Resident, read: Reader, count: int, *, frames: int, dtype: SampleType) -> bool:
    """Read all files into a store; False when int16 is asked for and some file has more than 16 bits.

    Raises
    ------
    BadInputError
        When a file cannot be read.
    """
    size = min(count, max(_THREADS, _BLOCK_BYTES // (2 * frames * np.dtype(dtype).itemsize)))
    block: NDArray[Any] = np.empty((size, 2, frames), dtype)

    def put(file: int) -> bool:
        recording = read(file)
        if dtype == "int16" and recording.samples.dtype != np.int16:
            return False
        block[file % size] = recording.samples.T if dtype == "int16" else recording.to_clip().samples
        return True

    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, count, size):
            stop = min(start + size, count)
            if not all(pool.map(put, range(start, stop))):
                return False
            store.put(start, block[: stop - start])
    return True


class Streamed:
    """Reads clips when they are asked for, and before that those that it was told of.

    Parameters
    ----------
    read
        Gives a file's samples.
    frames
        Samples of a clip.
    ahead_bytes
        What the clips read ahead may take; one call's are read ahead in any case.
    """

    place: Place = "stream"

    def __init__(self, read: Reader, *, frames: int, ahead_bytes: int) -> None:
        self._read = read
        self._frames = frames
        self._ahead_bytes = ahead_bytes
        self._pool = ThreadPoolExecutor(_THREADS)
        self._pending: dict[int, Future[NDArray[np.float32]]] = {}

    def calls_ahead(self, count: int) -> int:
        """Return how many calls' clips fit in the memory for it."""
        return max(1, min(_MOST_CALLS_AHEAD, self._ahead_bytes // (count * 2 * self._frames * 4)))

    def take(self, files: Sequence[int], upcoming: Sequence[int] = ()) -> torch.Tensor:
        """Return some clips, on the CPU, and begin to read the upcoming ones."""
        before, self._pending = self._pending, {}
        for file in dict.fromkeys((*files, *upcoming)):
            self._pending[file] = before.pop(file) if file in before else self._pool.submit(self._samples, file)
        for forgotten in before.values():
            forgotten.cancel()
        clips = [self._pending[file].result() for file in files]
        for file in set(files).difference(upcoming):
            del self._pending[file]
        return torch.from_numpy(np.stack(clips))

    def _samples(self, file: int) -> NDArray[np.float32]:
        return self._read(file).to_clip().samples

    def close(self) -> None:
        """End the threads; what they read ahead is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pending.clear()


class Foresight:
    """Guesses where the next calls begin from the strides between the last ones.

    A training asks in a pattern that repeats each step: parts of a batch lie side by side, other ranks' lie between.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._strides: deque[int] = deque(maxlen=_REMEMBERED)

    def after(self, first: int, calls: int) -> list[int]:
        """Note a call and return where the next ones should begin."""
        if self._last is not None:
            self._strides.append(first - self._last)
        self._last = first
        if not self._strides or not calls:
            return []
        cycle = list(self._strides)[-self._period() :]
        expected = []
        for call in range(calls):
            first += cycle[call % len(cycle)]
            expected.append(first)
        return [begin for begin in expected if begin >= 0]

    def _period(self) -> int:
        """Return the length of the cycle that explains the most of the last strides; it must have been seen twice."""
        newest = list(self._strides)[::-1]

        def alike(period: int) -> int:
            pairs = zip(newest, newest[period:], strict=False)
            return next((count for count, (now, then) in enumerate(pairs) if now != then), len(newest) - period)

        # One cycle that goes on longest, and not the last interruption, which also began like this.
        periods = [period for period in range(1, len(newest) // 2 + 1) if alike(period) >= period]
        return max(periods, key=alike, default=1)
