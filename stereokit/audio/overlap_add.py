"""A sound of any length through something that takes windows: streaming overlap-add, in the memory of a few windows."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

# Windows of shape (B, 2, window) to as many of the same shape.
Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def overlap_added(
    blocks: Iterable[NDArray[np.float32]], change: Change, *, window: int, batch: int
) -> Iterator[NDArray[np.float32]]:
    """Yield what becomes of a sound whose windows are changed one by one and faded into each other.

    Windows overlap by half; each is cut out as it is, changed, and weighted by a Hann window, whose halves add up to 1:
    where nothing is changed, the sound comes back to the last bits. Before the middle of the first window and after
    that of the last there is no other one to fade to, so they have the full weight there. The last one is filled up
    with silence, which is cut off again.

    Parameters
    ----------
    blocks
        The sound in parts of shape (n, 2), at least one sample in all.
    change
        Called with ``batch`` windows at once, fewer at the end: which windows come together depends on the sound alone.
    window
        Samples, even.
    batch
        Windows at once.

    Yields
    ------
    ndarray
        Shape (n, 2), parts of other lengths; together as long as the sound.
    """
    if window < 2 or window % 2:
        raise ValueError(f"a window of {window} samples has no halves")
    hop = window // 2
    fader = _Fader(hop)
    held = np.zeros((2, 0), np.float32)
    waiting: list[NDArray[np.float32]] = []
    total = given = 0
    for block in blocks:
        total += len(block)
        held = np.concatenate([held, block.T], axis=1)
        # a window is not the last one where something lies behind it
        while held.shape[1] > window:
            waiting.append(held[:, :window])
            held = held[:, hop:]
            if len(waiting) == batch:
                part = fader.faded(change(np.stack(waiting)))
                waiting = []
                given += len(part)
                yield part
    last = np.zeros((2, window), np.float32)
    last[:, : held.shape[1]] = held
    part = fader.faded(change(np.stack([*waiting, last])))
    yield np.concatenate([part, fader.tail.T.astype(np.float32)])[: total - given]


class _Fader:
    """Fades each window into the next."""

    def __init__(self, hop: int) -> None:
        # rises and falls add up to 1 by construction
        self._rise = np.square(np.sin(np.pi / 2.0 * np.arange(hop) / hop))
        self._fall = 1.0 - self._rise
        self._is_first = True
        self.tail = np.zeros((2, hop))

    def faded(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples that windows (B, 2, window) complete, shape (B x hop, 2); the rest waits in ``tail``."""
        hop = len(self._rise)
        parts = []
        for one in windows.astype(np.float64):
            head = one[:, :hop]
            parts.append(head if self._is_first else self.tail * self._fall + head * self._rise)
            self.tail = one[:, hop:]
            self._is_first = False
        return np.concatenate(parts, axis=1).T.astype(np.float32)
