"""From a file to what the scores need of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.files import read
from stereokit.errors import BadInputError
from stereokit.metrics.audit import ClipFacts, clip_facts
from stereokit.metrics.excerpt import Excerpt, excerpt_of
from stereokit.metrics.protocol import Protocol
from stereokit.metrics.side import image_class, side_distance

# What is judged at once of several short files: it stays in the processor's own memory.
_FRAMES_AT_ONCE = 1 << 17

Result = TypeVar("Result")


@dataclass(frozen=True)
class Measurement:
    """One clip, reduced.

    Attributes
    ----------
    sequence
        The feature's frames, float64 of shape (n, width); not yet divided by its sum.
    facts
        What is known of the whole file.
    has_side
        Whether left and right differ anywhere in the judged part.
    is_silent
        Whether the judged part is all zeros.
    side_distance
        D of the judged part, full scale ±1.
    image_class
        Three letters N or W, of the judged part.
    clamped
        How many values lie at the feature's limit.
    fingerprint
        Equal for clips with equal samples; different ones may share it by accident.
    """

    sequence: NDArray[np.float64]
    facts: ClipFacts
    has_side: bool
    is_silent: bool
    side_distance: float
    image_class: str
    clamped: int
    fingerprint: tuple[int, int, int]

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.facts.sample_rate

    @property
    def frames(self) -> int:
        """Length of the whole file in samples."""
        return self.facts.frames

    @property
    def channels(self) -> int:
        """Of the file."""
        return self.facts.channels


def measure_file(path: str, protocol: Protocol) -> Measurement:
    """Read a file and measure it.

    Raises
    ------
    BadInputError
        When it cannot be read, is not stereo or mono, or the protocol is not defined for it.
    """
    (result,) = measure_files([path], protocol)
    if isinstance(result, BadInputError):
        raise result
    return result


def measure_files(paths: Sequence[str], protocol: Protocol) -> list[Measurement | BadInputError]:
    """Read files and measure them, short ones together; in the place of a file that cannot be used stands its error."""
    results: dict[int, Measurement | BadInputError] = {}
    batch: dict[int, _Taken] = {}
    frames = 0
    for number, path in enumerate(paths):
        taken = _guarded(partial(_take, path, protocol))
        if isinstance(taken, BadInputError):
            results[number] = taken
            continue
        batch[number] = taken
        frames += taken.excerpt.frames
        if frames >= _FRAMES_AT_ONCE:
            results |= _measured(batch, protocol)
            batch, frames = {}, 0
    results |= _measured(batch, protocol)
    return [results[number] for number in range(len(paths))]


@dataclass(frozen=True)
class _Taken:
    """A file whose judged part waits to be measured with others."""

    excerpt: Excerpt
    facts: ClipFacts
    fingerprint: tuple[int, int, int]


def _take(path: str, protocol: Protocol) -> _Taken:
    recording = read(path)
    protocol.check_clip(recording.sample_rate, recording.frames)
    judged = protocol.judged_frames(recording.sample_rate)
    whole = excerpt_of(recording)
    excerpt = whole if judged in (None, recording.frames) else excerpt_of(recording, frames=judged)
    return _Taken(excerpt, clip_facts(recording, whole), _fingerprint(recording.samples))


def _measured(batch: dict[int, _Taken], protocol: Protocol) -> dict[int, Measurement | BadInputError]:
    feature = protocol.load_feature()
    sequences = _guarded(partial(protocol.sequences, [taken.excerpt for taken in batch.values()]))
    if isinstance(sequences, BadInputError):
        return dict.fromkeys(batch, sequences)
    results: dict[int, Measurement | BadInputError] = {}
    for (number, taken), sequence in zip(batch.items(), sequences, strict=True):
        excerpt = taken.excerpt
        results[number] = Measurement(
            sequence=sequence,
            facts=taken.facts,
            has_side=excerpt.has_side,
            is_silent=excerpt.is_silent,
            side_distance=side_distance(excerpt, is_full=protocol.is_full_range),
            image_class=image_class(excerpt),
            clamped=0 if feature.limit is None else int((np.abs(sequence) >= feature.limit).sum()),
            fingerprint=taken.fingerprint,
        )
    return results


def _guarded(compute: Callable[[], Result]) -> Result | BadInputError:
    """Return a result, or the error that tells why there is none; one file must not cost the others."""
    try:
        return compute()
    except BadInputError as error:
        return error
    except MemoryError:
        return BadInputError("needs more memory than there is")


def _fingerprint(samples: NDArray[Any]) -> tuple[int, int, int]:
    """Shape and a wrapping sum of the bytes, eight at a time: a cheap first sieve for equal clips."""
    flat = np.ascontiguousarray(samples).reshape(-1).view(np.uint8)
    words = flat[: len(flat) // 8 * 8].view(np.uint64)
    return *samples.shape, int(words.sum(dtype=np.uint64))
