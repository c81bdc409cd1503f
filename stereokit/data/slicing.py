"""Long sounds in slices: where they start and stop, and cutting them out of a sound that comes in parts."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]


def windows(frames: int, *, window: int, overlap: float) -> list[Span]:
    """Return where windows of one length lie that together hold all of a sound, (start, stop) in frames.

    The last one stops with the sound, and is shorter where the sound ends before the window does.

    Parameters
    ----------
    frames
        Of the sound, 1 or more.
    window
        Frames of a window.
    overlap
        The share of a window, in [0, 1), that it has in common with the next one.

    >>> windows(25, window=10, overlap=0.0)
    [(0, 10), (10, 20), (20, 25)]
    >>> windows(25, window=10, overlap=0.5)
    [(0, 10), (5, 15), (10, 20), (15, 25)]
    """
    hop = max(1, round(window * (1.0 - overlap)))
    count = 1 + max(0, -(-(frames - window) // hop))
    return [(place * hop, min(place * hop + window, frames)) for place in range(count)]


def between(cuts: Sequence[int], frames: int, *, longest: int) -> list[Span]:
    """Return the spans from cut to cut and from the last to the end; longer ones are cut again.

    Parameters
    ----------
    cuts
        Ascending, the first is where the first span starts.
    frames
        The end of the sound, after the last cut.
    longest
        Frames that a span has at most.

    >>> between([2, 5, 30], 60, longest=20)
    [(2, 5), (5, 25), (25, 30), (30, 50), (50, 60)]
    """
    spans = []
    for first, last in zip(cuts, [*cuts[1:], frames], strict=True):
        spans += [(start, min(start + longest, last)) for start in range(first, last, longest)]
    return spans


def at_rate(span: Span, old: int, new: int, frames: int) -> Span:
    """Return the frames at another rate (Hz) that a span lies in, at least one and within so many.

    >>> at_rate((10, 20), 44_100, 48_000, 100)
    (10, 22)
    """
    start = min(span[0] * new // old, frames - 1)
    return start, max(start + 1, min(-(-span[1] * new // old), frames))


def cut(blocks: Iterable[NDArray[Any]], spans: Iterable[Span]) -> Iterator[NDArray[Any]]:
    """Yield the samples of each span, shape (stop - start, channels), of a sound that comes in parts.

    Parameters
    ----------
    blocks
        Arrays of shape (n, channels). No more of them is kept than the longest span touches.
    spans
        (start, stop) in frames within the sound, their starts ascending.

    Raises
    ------
    ValueError
        When the sound ends before a span does.
    """
    held: deque[tuple[int, NDArray[Any]]] = deque()
    end = 0
    coming = iter(blocks)
    for start, stop in spans:
        while end < stop:
            block = next(coming, None)
            if block is None:
                raise ValueError(f"the sound ends at frame {end}, a slice at {stop}")
            held.append((end, block))
            end += len(block)
        while held[0][0] + len(held[0][1]) <= start:
            held.popleft()
        parts = [block[max(start - first, 0) : stop - first] for first, block in held if first < stop]
        yield parts[0] if len(parts) == 1 else np.concatenate(parts)
