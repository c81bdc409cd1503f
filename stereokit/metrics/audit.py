"""What a set of clips holds, before anything is scored: formats, and clips that are not what they seem."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import INT16_FULL_SCALE, Recording
from stereokit.metrics.excerpt import Excerpt, excerpt_of
from stereokit.metrics.image import StereoImage, stereo_image
from stereokit.metrics.sums import PairSums

# The largest positive 16 bit value is a step under full scale. One such sample is a peak; three in a row were cut.
CLIPPED_LEVEL = 1.0 - 1.0 / INT16_FULL_SCALE
CLIPPED_RUN = 3


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a whole file.

    Attributes
    ----------
    sample_rate
        Hz.
    channels, frames
        Of the file.
    is_silent
        Whether every sample is zero.
    is_dual_mono
        Whether a file of two channels has the same samples in both, not all zero.
    clipped_frames
        Frames in which a channel stays at full scale or above for three samples or more.
    image
        Its figures.
    """

    sample_rate: int
    channels: int
    frames: int
    is_silent: bool
    is_dual_mono: bool
    clipped_frames: int
    image: StereoImage

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def clip_facts(recording: Recording, excerpt: Excerpt | None = None, sums: PairSums | None = None) -> ClipFacts:
    """Look at a file; ``excerpt`` is all of it, and ``sums`` are its ``pair_sums``, where they are known already.

    Raises
    ------
    BadInputError
        For more than two channels.
    """
    excerpt = excerpt_of(recording) if excerpt is None else excerpt
    is_silent, has_side = excerpt.is_silent, excerpt.has_side
    return ClipFacts(
        sample_rate=recording.sample_rate,
        channels=recording.channels,
        frames=recording.frames,
        is_silent=is_silent,
        is_dual_mono=recording.channels == 2 and not (is_silent or has_side),
        clipped_frames=clipped_frames(recording.samples, recording.full_scale),
        image=stereo_image(excerpt, sums),
    )


def clipped_frames(samples: NDArray[Any], full_scale: float) -> int:
    """Count the frames in which some channel stays at full scale or above for three samples or more.

    Parameters
    ----------
    samples
        Shape (T, channels).
    full_scale
        The sample value that stands for 1.0; what counts as full scale lies one step of 16 bit under it.

    >>> clipped_frames(np.array([[0.2], [1.0], [1.0], [1.0], [-0.3], [1.0]]), 1.0)
    3
    """
    limit = CLIPPED_LEVEL * full_scale
    if samples.max() < limit and samples.min() > -limit:
        return 0
    clipped = np.zeros(len(samples), np.bool_)
    for is_at_limit in (samples >= limit, samples <= -limit):
        # A run starts or ends where a flag differs from the one before it; zeros stand before the first and after.
        edges = np.diff(np.pad(is_at_limit.astype(np.int8), ((1, 1), (0, 0))), axis=0)
        for channel in edges.T:
            starts, stops = np.flatnonzero(channel == 1), np.flatnonzero(channel == -1)
            is_long = stops - starts >= CLIPPED_RUN
            for start, stop in zip(starts[is_long], stops[is_long], strict=True):
                clipped[start:stop] = True
    return int(clipped.sum())


# What a listener would want to know, in the order in which it is told.
FINDINGS: dict[str, Callable[[ClipFacts], bool]] = {
    "silent": lambda facts: facts.is_silent,
    "mono": lambda facts: facts.channels == 1,
    "dual_mono": lambda facts: facts.is_dual_mono,
    "inverted": lambda facts: facts.image.is_inverted,
    "one_sided": lambda facts: facts.image.is_one_sided,
    "clipped": lambda facts: facts.clipped_frames > 0,
}


@dataclass(frozen=True)
class Audit:
    """What a set holds.

    Attributes
    ----------
    clips
        How many were looked at.
    sample_rates, channels
        How many clips have each, keys ascending.
    lengths
        How many clips have each length in frames, keys ascending.
    shortest, longest
        Seconds; None for an empty set.
    findings
        For each of ``FINDINGS`` the paths of the clips it holds for, in the order given; a clip may be in several.
    """

    clips: int
    sample_rates: dict[int, int]
    channels: dict[int, int]
    lengths: dict[int, int]
    shortest: float | None
    longest: float | None
    findings: dict[str, list[str]]


def audit_set(clips: Sequence[tuple[str, ClipFacts]]) -> Audit:
    """Count and list what (path, facts) pairs tell of a set."""
    facts = [one for _, one in clips]
    durations = [one.duration for one in facts]
    return Audit(
        clips=len(clips),
        sample_rates=_counts(one.sample_rate for one in facts),
        channels=_counts(one.channels for one in facts),
        lengths=_counts(one.frames for one in facts),
        shortest=min(durations, default=None),
        longest=max(durations, default=None),
        findings={name: [path for path, one in clips if holds(one)] for name, holds in FINDINGS.items()},
    )


def _counts(values: Iterable[int]) -> dict[int, int]:
    return dict(sorted(Counter(values).items()))
