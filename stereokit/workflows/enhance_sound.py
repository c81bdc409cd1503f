"""One sound through a converter, from file to file, in the memory of a few windows."""

import contextlib
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.blocks import Blocks
from stereokit.audio.clip import Clip
from stereokit.audio.files import Encoding
from stereokit.audio.loudness_meter import LoudnessMeter
from stereokit.audio.overlap_add import Change, overlap_added
from stereokit.audio.resample import resample_blocks, resampled_frames
from stereokit.audio.stream import wav_header, wav_samples
from stereokit.data.text import digest
from stereokit.errors import OutputError

Samples = NDArray[np.float32]

# Frames that are read, mixed and written at once.
_PART = 1 << 16
# Samples of a channel that the model is given at once.
_AT_ONCE = 1 << 15
# Rounding of the product must not pass full scale either.
_HIGHEST = 1.0 - 1e-6


@dataclass(frozen=True)
class Machine:
    """A model, ready for windows.

    Attributes
    ----------
    change
        Turns windows (B, 2, window) into others.
    sample_rate
        Of the model, Hz.
    window
        Samples of a window, even.
    """

    change: Change
    sample_rate: int
    window: int

    def converted(self, sound: Blocks) -> Iterator[Samples]:
        """Yield what becomes of a sound, parts of shape (n, 2), as long as it and at its own rate."""
        old, new = sound.sample_rate, self.sample_rate
        given = resample_blocks(stereo_parts(sound), sound.frames, old, new)
        batch = max(1, _AT_ONCE // self.window)
        made = overlap_added(given, self.change, window=self.window, batch=batch)
        back = resample_blocks(made, resampled_frames(sound.frames, old, new), new, old)
        yield from _fitted(back, sound.frames)


def stereo_parts(sound: Blocks) -> Iterator[Samples]:
    """Yield a sound as stereo, parts of shape (n, 2).

    Raises
    ------
    BadInputError
        When it is gone, or is not what it declares, or has more than two channels.
    """
    for block in sound.read(_PART):
        yield block.to_clip().samples.T


def _fitted(parts: Iterator[Samples], frames: int) -> Iterator[Samples]:
    """Yield parts with so many frames in all: rounding of two lengths can cost or give one."""
    for part in parts:
        kept = part[:frames]
        frames -= len(kept)
        if len(kept):
            yield kept
    if frames:
        yield np.zeros((frames, 2), np.float32)


@dataclass(frozen=True)
class Words:
    """How a sound is put together.

    Attributes
    ----------
    wet
        Share of the converted sound.
    is_loudness_kept
        Whether that one is brought to the loudness of its input.
    encoding
        Of the file.
    dither_key
        What the noise of 16 bit follows from.
    """

    wet: float
    is_loudness_kept: bool
    encoding: Encoding
    dither_key: str


@dataclass(frozen=True)
class Figures:
    """What became of a sound's level.

    Attributes
    ----------
    input_lufs, converted_lufs
        Loudness before and after the model; -infinity for silence.
    gain_db
        That kept the loudness.
    turned_down_db
        That kept all of it within full scale; 0 for most.
    """

    input_lufs: float
    converted_lufs: float
    gain_db: float
    turned_down_db: float


class Enhanced:
    """A sound that was converted, and waits in a file without a name to be mixed and written.

    Parameters
    ----------
    sound
        What is converted.
    spool
        An empty file for 8 bytes a frame.
    """

    def __init__(self, sound: Blocks, spool: IO[bytes], words: Words) -> None:
        self._sound, self._spool, self._words = sound, spool, words
        self._meters = [LoudnessMeter(sound.sample_rate) for _ in range(2)]
        self._gain = self._lower = 1.0

    def convert(self, machine: Machine) -> Iterator[int]:
        """Convert the sound and yield how many frames are done, from time to time.

        Raises
        ------
        BadInputError, OutputError
            When it cannot be read, or the disk is full.
        """
        done = 0
        for part in machine.converted(self._sound):
            self._meters[1].add(part)
            with _told_disk():
                self._spool.write(part.astype("<f4").tobytes())
            done += len(part)
            yield done
        for part in stereo_parts(self._sound):
            self._meters[0].add(part)

    def figures(self) -> Figures:
        """Find the gains, once all is converted, and return what they come from."""
        before, after = (meter.loudness_lufs() for meter in self._meters)
        is_heard = math.isfinite(before) and math.isfinite(after)
        gain_db = before - after if self._words.is_loudness_kept and is_heard else 0.0
        self._gain = 10.0 ** (gain_db / 20.0)
        highest = 0.0
        if self._words.encoding != "float":
            highest = max((float(np.abs(part).max(initial=0.0)) for part in self._mixed()), default=0.0)
        self._lower = _HIGHEST / highest if highest > 1.0 else 1.0
        return Figures(before, after, gain_db, 20.0 * math.log10(self._lower))

    def file_parts(self) -> Iterator[bytes]:
        """Yield the bytes of the WAV file."""
        rate, encoding = self._sound.sample_rate, self._words.encoding
        yield wav_header(self._sound.frames, rate, encoding)
        for number, part in enumerate(self._mixed()):
            seed = int.from_bytes(digest(f"{self._words.dither_key}/{number}", size=8))
            lowered = part if self._lower == 1.0 else (part * self._lower).astype(np.float32)
            yield wav_samples(Clip(lowered.T, rate), encoding=encoding, dither_seed=seed)

    def _mixed(self) -> Iterator[Samples]:
        """Yield the sound as it was and as it became, one with the other."""
        wet, gain = self._words.wet, self._gain
        self._spool.flush()
        self._spool.seek(0)
        for dry in stereo_parts(self._sound):
            made = np.frombuffer(self._spool.read(dry.size * 4), "<f4").reshape(-1, 2)
            if wet == 0.0:
                yield dry
            elif wet == 1.0 and gain == 1.0:
                yield made
            else:
                # in double precision: a wet and a dry sound that are equal must stay so
                yield ((1.0 - wet) * dry.astype(np.float64) + wet * gain * made).astype(np.float32)


@contextlib.contextmanager
def spooled(folder: Path | None) -> Iterator[IO[bytes]]:
    """Open a file without a name, in a folder or where temporary files lie.

    Raises
    ------
    OutputError
        When there is no room.
    """
    with contextlib.ExitStack() as stack:
        with _told_disk():
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
        yield file


@contextlib.contextmanager
def _told_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot keep the converted sound for a while: {error.strerror}") from error
