"""From a file to what the scores need of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.files import read
from stereokit.metrics.audit import ClipFacts, clip_facts
from stereokit.metrics.excerpt import excerpt_of
from stereokit.metrics.protocol import Protocol
from stereokit.metrics.side import image_class, side_distance


@dataclass(frozen=True)
class Measurement:
    """One clip, reduced.

    Attributes
    ----------
    sequence
        The feature's frames, float64 of shape (n, width); not yet divided by its sum.
    sample_rate
        Hz.
    frames
        Length of the whole file in samples.
    channels
        Of the file.
    has_side
        Whether left and right differ anywhere in the judged part.
    is_silent
        Whether the judged part is all zeros.
    side_distance
        D of the judged part, full scale ±1.
    image_class
        Three letters N or W; None unless asked for.
    facts
        What is known of the whole file; None unless asked for.
    clamped
        How many values lie at the feature's limit.
    fingerprint
        Equal for clips with equal samples; different ones may share it by accident.
    """

    sequence: NDArray[np.float64]
    sample_rate: int
    frames: int
    channels: int
    has_side: bool
    is_silent: bool
    side_distance: float
    image_class: str | None
    facts: ClipFacts | None
    clamped: int
    fingerprint: tuple[int, int, int]


def measure_file(path: str, protocol: Protocol, *, with_image: bool = False) -> Measurement:
    """Read a file and measure it; ``with_image`` asks for its image class and for what is known of the whole file.

    Raises
    ------
    BadInputError
        When it cannot be read, is not stereo or mono, or the protocol is not defined for it.
    """
    recording = read(path)
    protocol.check_clip(recording.sample_rate, recording.frames)
    excerpt = excerpt_of(recording, frames=protocol.judged_frames(recording.sample_rate))
    feature = protocol.load_feature()
    sequence = protocol.sequence(excerpt)
    return Measurement(
        sequence=sequence,
        sample_rate=recording.sample_rate,
        frames=recording.frames,
        channels=recording.channels,
        has_side=excerpt.has_side,
        is_silent=excerpt.is_silent,
        side_distance=side_distance(excerpt, is_full=protocol.is_full_range),
        image_class=image_class(excerpt) if with_image else None,
        facts=clip_facts(recording) if with_image else None,
        clamped=0 if feature.limit is None else int((np.abs(sequence) >= feature.limit).sum()),
        fingerprint=_fingerprint(recording.samples),
    )


def _fingerprint(samples: NDArray[Any]) -> tuple[int, int, int]:
    """Shape and a wrapping sum of the bytes, eight at a time: a cheap first sieve for equal clips."""
    flat = np.ascontiguousarray(samples).reshape(-1).view(np.uint8)
    words = flat[: len(flat) // 8 * 8].view(np.uint64)
    return *samples.shape, int(words.sum(dtype=np.uint64))
