"""Random numbers of a training step, keyed by what they are for and not by what was drawn before.

Each item of the global batch has its own stream, so ranks, previews, accumulation and resuming change no number.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray


class Draw:
    """The random stream of one turn's repeat.

    Parameters
    ----------
    key
        What the numbers are for, for example (seed, step, turn, repeat).
    items
        Global numbers of the items of this part of the batch.
    device
        Where the tensors go. The numbers are made on the CPU, the same for every device.
    dtype
        Of the real numbers: made as float32, whatever they become.
    """

    def __init__(
        self,
        key: Sequence[object],
        items: Sequence[int],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._prefix = "\0".join(str(part) for part in key)
        self._items = items
        self._device = device
        self._dtype = dtype
        self._calls = 0

    @property
    def count(self) -> int:
        """How many items the tensors have."""
        return len(self._items)

    def of(self, items: Sequence[int]) -> "Draw":
        """Return the same stream for other items, from its start."""
        other = Draw((), items, self._device, self._dtype)
        other._prefix = self._prefix
        return other

    def _generators(self) -> list[np.random.Generator]:
        # Each call is a stream of its own, so that the length of one never shifts another.
        self._calls += 1
        generators = []
        for item in self._items:
            text = f"{self._prefix}\0{item}\0{self._calls}".encode()
            key = np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), np.uint64)
            generators.append(np.random.Generator(np.random.Philox(key=key)))
        return generators

    def _tensor(self, rows: list[NDArray[np.float32]] | list[NDArray[np.int64]]) -> torch.Tensor:
        return torch.from_numpy(np.stack(rows)).to(self._device)

    def normal(self, *shape: int) -> torch.Tensor:
        """Return standard normal numbers of shape (items, *shape)."""
        return self._tensor([one.standard_normal(shape, np.float32) for one in self._generators()]).to(self._dtype)

    def uniform(self, *shape: int) -> torch.Tensor:
        """Return uniform numbers in [0, 1) of shape (items, *shape)."""
        return self._tensor([one.random(shape, np.float32) for one in self._generators()]).to(self._dtype)

    def integers(self, high: int, *shape: int) -> torch.Tensor:
        """Return uniform integers in [0, high), int64 of shape (items, *shape)."""
        return self._tensor([one.integers(high, size=shape) for one in self._generators()])
