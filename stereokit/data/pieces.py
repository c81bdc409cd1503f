"""A source on its way to clips: without its silent ends, in slices, at the data set's rate."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.blocks import Blocks, blocks_of
from stereokit.audio.clip import Clip, Recording
from stereokit.audio.onsets import onset_frames
from stereokit.audio.resample import resample, resample_blocks, resampled_frames
from stereokit.data.slicing import Span, at_rate, between, cut, windows

# Decoded, resampled and looked at in parts of so many frames.
_BLOCK_FRAMES = 1 << 16
# A sound without onsets is cut all the same, so that a slice fits into memory.
LONGEST_SLICE_S = 30.0
# What lies before the first onset is a slice when so much of it is over this level.
_HEAD_S, _HEAD_DB = 0.05, -60.0


@dataclass(frozen=True)
class Piece:
    """A stretch of a source.

    Attributes
    ----------
    name
        What the clip's name has after the source's stem; empty for a source in one piece.
    recording
        The stretch as it is in the source.
    source_clip
        The same as a clip.
    clip
        The same at the data set's rate.
    facts
        Where it lies, for a slice.
    """

    name: str
    recording: Recording
    source_clip: Clip
    clip: Clip
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Slices:
    """How a sound is sliced.

    Attributes
    ----------
    seconds
        Length of a window; None cuts at onsets.
    overlap
        The share of a window that it has in common with the next one.
    """

    seconds: float | None
    overlap: float = 0.0

    def window(self, sample_rate: int) -> int | None:
        """Return the frames of a window; None for onsets, whose slices are as long as they are."""
        return None if self.seconds is None else max(1, round(self.seconds * sample_rate))


def whole(recording: Recording, sample_rate: int, trim_db: float | None) -> Iterator[Piece]:
    """Yield a sound in one piece; none when nothing in it is over ``trim_db`` (dB of full scale).

    Raises
    ------
    BadInputError
        For more than two channels.
    """
    recording.require_stereo()
    if trim_db is not None:
        start, stop = loud_span(blocks_of(recording), trim_db)
        if stop == 0:
            return
        recording = Recording(recording.samples[start:stop], recording.sample_rate, recording.subtype)
    clip = recording.to_clip()
    yield Piece("", recording, clip, resample(clip, sample_rate))


def sliced(sound: Blocks, sample_rate: int, trim_db: float | None, slices: Slices) -> Iterator[Piece]:
    """Yield the slices of a sound, which is never held as a whole; none when nothing in it is over ``trim_db``.

    What is cut is the resampled sound: each slice is, to the bit, that part of the whole. Windows hold all of it, the
    last one ends where the sound does. From onset to onset all is kept from the first onset on, and what lies before it
    when 50 ms of that are over -60 dB; slices of more than 30 s are cut again.

    Raises
    ------
    BadInputError
        For more than two channels, and when the file cannot be read.
    """
    start, stop = (0, sound.frames) if trim_db is None else loud_span(sound, trim_db)
    if stop == 0:
        return
    old, frames = sound.sample_rate, stop - start
    spans = _spans(sound, (start, stop), sample_rate, slices)
    in_source = [at_rate(span, sample_rate, old, frames) for span in spans]
    first, second = itertools.tee(_samples(sound, start, stop))
    recordings = cut(first, in_source)
    stereo = (_stereo(samples, old).samples.T for samples in second)
    clips = cut(resample_blocks(stereo, frames, old, sample_rate), spans)
    digits = max(4, len(str(len(spans))))
    for number, (samples, made, place) in enumerate(zip(recordings, clips, in_source, strict=True), start=1):
        recording = Recording(samples, old, "")
        clip = Clip(np.ascontiguousarray(made.T), sample_rate)
        facts: dict[str, object] = {"slice": number, "slices": len(spans), "start_s": (start + place[0]) / old}
        yield Piece(f"-{number:0{digits}d}", recording, recording.to_clip(), clip, facts)


def _spans(sound: Blocks, stretch: Span, sample_rate: int, slices: Slices) -> list[Span]:
    """Return the slices of a stretch (frames of the source), in frames at the data set's rate."""
    start, stop = stretch
    frames = resampled_frames(stop - start, sound.sample_rate, sample_rate)
    window = slices.window(sample_rate)
    if window is not None:
        return windows(frames, window=window, overlap=slices.overlap)
    blocks = (_stereo(samples, sound.sample_rate).samples.T for samples in _samples(sound, start, stop))
    onsets = onset_frames(blocks, sound.sample_rate)
    if not onsets or _has_head(sound, start, start + onsets[0]):
        onsets = [0, *onsets]
    cuts = sorted({min(onset * sample_rate // sound.sample_rate, frames - 1) for onset in onsets})
    return between(cuts, frames, longest=round(LONGEST_SLICE_S * sample_rate))


def _has_head(sound: Blocks, start: int, stop: int) -> bool:
    """Tell whether there is something to keep before the first onset."""
    loud = sum(int(_is_loud(samples, _HEAD_DB).sum()) for samples in _samples(sound, start, stop))
    return loud >= _HEAD_S * sound.sample_rate


def loud_span(sound: Blocks, level_db: float) -> Span:
    """Return the first frame over a level (dB of full scale) in some channel, and the one after the last; else (0, 0).

    Raises
    ------
    BadInputError
        When the file cannot be read.
    """
    first, last, frame = None, 0, 0
    for samples in _samples(sound, 0, sound.frames):
        places = np.flatnonzero(_is_loud(samples, level_db))
        if len(places):
            first = frame + int(places[0]) if first is None else first
            last = frame + int(places[-1]) + 1
        frame += len(samples)
    return (0, 0) if first is None else (first, last)


def _is_loud(samples: NDArray[Any], level_db: float) -> NDArray[np.bool_]:
    """Tell of each frame of (n, channels) whether a channel is over the level."""
    recording = Recording(samples, 1, "")
    threshold = 10.0 ** (level_db / 20.0) * recording.full_scale
    # Whole numbers are over a threshold just when they are over the whole number below it.
    limit = math.floor(threshold) if samples.dtype == np.int16 else threshold
    return np.asarray(((samples > limit) | (samples < -limit)).any(axis=1))


def _samples(sound: Blocks, start: int, stop: int) -> Iterator[NDArray[Any]]:
    """Yield the samples from frame to frame, shape (n, channels)."""
    frame = 0
    for block in sound.read(_BLOCK_FRAMES):
        block.require_stereo()
        samples = block.samples[max(0, start - frame) : max(0, stop - frame)]
        frame += block.frames
        if len(samples):
            yield samples
        # The rest is not read; where the sound itself ends, its reader looks whether all of it came.
        if frame >= stop and stop < sound.frames:
            return


def _stereo(samples: NDArray[Any], sample_rate: int) -> Clip:
    return Recording(samples, sample_rate, "").to_clip()
