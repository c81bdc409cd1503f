"""Sound files read from start to end in parts, so that memory does not grow with their length."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from stereokit.audio.clip import Recording
from stereokit.audio.files import decoded, opened

# Shorter sounds are decoded once and kept.
_LONGEST_KEPT_FRAMES = 1 << 22


@dataclass(frozen=True)
class Blocks:
    """A sound that can be gone through any number of times.

    Attributes
    ----------
    path
        Where a long one is read again each time.
    kept
        All of a short one; None for a long one.
    sample_rate
        Hz.
    channels, frames
        As the file declares them.
    subtype
        libsndfile's name of the encoding.
    """

    path: str
    kept: Recording | None
    sample_rate: int
    channels: int
    frames: int
    subtype: str

    def read(self, frames: int) -> Iterator[Recording]:
        """Yield the sound in order, so many frames at a time; the last part has what is left.

        Raises
        ------
        BadInputError
            When the file is gone, or is not what it declares; parts before that have been yielded.
        """
        if self.kept is not None:
            yield from _parts(self.kept, frames)
            return
        with opened(self.path) as sound:
            if isinstance(sound, Recording):
                yield from _parts(sound, frames)
                return
            for samples in decoded(sound, frames):
                yield Recording(samples, sound.samplerate, sound.subtype)


def open_blocks(path: str | os.PathLike[str]) -> Blocks:
    """Read a short file, and of a long one the header.

    Raises
    ------
    BadInputError
        As ``files.read`` does; for a long file, only for what its header tells.
    """
    with opened(path) as sound:
        if isinstance(sound, Recording):
            return blocks_of(sound, str(path))
        if sound.frames * sound.channels > _LONGEST_KEPT_FRAMES:
            return Blocks(str(path), None, sound.samplerate, sound.channels, sound.frames, sound.subtype)
        # One frame more than there are, so that they come in one part.
        (samples,) = decoded(sound, max(sound.frames, 1) + 1)
        return blocks_of(Recording(samples, sound.samplerate, sound.subtype), str(path))


def blocks_of(recording: Recording, path: str = "") -> Blocks:
    """Return a sound that is there already."""
    return Blocks(path, recording, recording.sample_rate, recording.channels, recording.frames, recording.subtype)


def _parts(recording: Recording, frames: int) -> Iterator[Recording]:
    for start in range(0, recording.frames, frames):
        yield Recording(recording.samples[start : start + frames], recording.sample_rate, recording.subtype)
