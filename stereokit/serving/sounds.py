"""Sounds as browsers play them: any file that we read becomes a WAV file of 16 bit; the last few are kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stereokit.audio.clip import Clip
from stereokit.audio.files import encode, read

# What a one-shot is can be heard by then; a file of an hour must not fill the memory.
LONGEST_S = 60.0
_KEPT_BYTES = 64 << 20
# The decoder of MP3 prints, and is hushed for the whole process: two at once would leave it hushed.
_READING = threading.Lock()


def first_minute(path: Path) -> Clip:
    """Read a sound, its first minute at most.

    Raises
    ------
    BadInputError
        When it cannot be read, or has more than two channels.
    """
    with _READING:
        clip = read(path).to_clip()
    longest = round(LONGEST_S * clip.sample_rate)
    return clip if clip.frames <= longest else Clip(clip.samples[:, :longest].copy(), clip.sample_rate)


def playable(clip: Clip) -> bytes:
    """Return a WAV file of 16 bit; what passes full scale is turned down as a whole."""
    peak = float(np.abs(clip.samples).max(initial=0.0))
    samples = clip.samples if peak <= 1.0 else (clip.samples / np.float32(peak)).astype(np.float32)
    return encode(Clip(samples, clip.sample_rate))


@dataclass
class Kept:
    """Contents that were made a moment ago, up to 64 MiB, made again when they are needed again.

    Attributes
    ----------
    make
        Makes the content of a number.
    """

    make: Callable[[int], bytes]
    _contents: OrderedDict[int, bytes] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __getitem__(self, number: int) -> bytes:
        """Return a content; what ``make`` raises passes."""
        with self._lock:
            if number not in self._contents:
                self._contents[number] = self.make(number)
            self._contents.move_to_end(number)
            while len(self._contents) > 1 and sum(map(len, self._contents.values())) > _KEPT_BYTES:
                self._contents.popitem(last=False)
            return self._contents[number]
