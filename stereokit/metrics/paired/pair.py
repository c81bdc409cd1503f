"""Two clips that belong together: found by name, and gone through side by side, a section at a time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.blocks import Blocks, open_blocks
from stereokit.audio.clip import Recording
from stereokit.errors import BadInputError
from stereokit.metrics.excerpt import Excerpt, excerpt_of


@dataclass(frozen=True)
class Matches:
    """Which names of two sets belong together.

    Attributes
    ----------
    pairs
        (estimate, target), sorted by target.
    without_target, without_estimate
        Names that have no partner, sorted.
    """

    pairs: list[tuple[str, str]]
    without_target: list[str]
    without_estimate: list[str]


def match_names(estimates: Sequence[str], targets: Sequence[str]) -> Matches:
    """Pair names that are equal; of the others those equal but for their suffix; then those whose last part alone is.

    A name that several share on a side has no partner there: which one is meant is not for us to guess.

    Parameters
    ----------
    estimates, targets
        Names inside their sets, with slashes.

    >>> match_names(["a/kick.wav", "snare.flac"], ["a/kick.flac", "b/snare.wav", "tom.wav"])
    Matches(pairs=[('a/kick.wav', 'a/kick.flac'), ('snare.flac', 'b/snare.wav')], without_target=[], \
without_estimate=['tom.wav'])
    """
    pairs: list[tuple[str, str]] = []
    left, right = sorted(estimates), sorted(targets)
    for form in _FORMS:
        by_name = [_unique(names, form) for names in (left, right)]
        pairs += [(by_name[0][name], by_name[1][name]) for name in by_name[0].keys() & by_name[1].keys()]
        used = {name for name, _ in pairs}, {name for _, name in pairs}
        left, right = [one for one in left if one not in used[0]], [one for one in right if one not in used[1]]
    return Matches(sorted(pairs, key=lambda pair: (pair[1], pair[0])), left, right)


# What of two names must be equal, the strictest first.
_FORMS: tuple[Callable[[PurePosixPath], str], ...] = (
    str,
    lambda name: str(name.with_suffix("")),
    lambda name: name.stem,
)


def _unique(names: Sequence[str], form_of: Callable[[PurePosixPath], str]) -> Mapping[str, str]:
    """Return the names by a form of them, where no two share it."""
    forms = [form_of(PurePosixPath(name)) for name in names]
    counts = Counter(forms)
    return {form: name for form, name in zip(forms, names, strict=True) if counts[form] == 1}


@dataclass(frozen=True)
class Section:
    """A part of a pair, and as much of what follows as its last windows reach into.

    Attributes
    ----------
    estimate, target
        Equally long.
    start
        Where in the clips they start, in samples.
    own
        How many samples are the section's own: each sample is some section's, in order.
    """

    estimate: Excerpt
    target: Excerpt
    start: int
    own: int

    def left_right(self) -> NDArray[np.float64]:
        """Return left and right of estimate and target, shape (2, 2, T), full scale ±1."""
        return np.stack([np.stack(one.scaled()) for one in (self.estimate, self.target)])


@dataclass(frozen=True)
class Pair:
    """An estimate and the target that it should be, equally long and of one rate."""

    estimate: Blocks
    target: Blocks

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.target.sample_rate

    @property
    def frames(self) -> int:
        """Length in samples."""
        return self.target.frames

    def sections(self, own: int, reach: int) -> Iterator[Section]:
        """Yield the clips from start to end; a pair can be gone through any number of times.

        Parameters
        ----------
        own
            Samples of each section but the last, which has what is left.
        reach
            Samples that follow them, at most ``own``; fewer where the clip ends.

        Raises
        ------
        BadInputError
            When one cannot be read or has more than two channels, naming which.
        """
        both = zip(
            _overlapping("the estimate", self.estimate, own, reach),
            _overlapping("the target", self.target, own, reach),
            strict=True,
        )
        for number, (estimate, target) in enumerate(both):
            start = number * own
            yield Section(estimate, target, start, min(own, self.frames - start))


def _overlapping(role: str, blocks: Blocks, own: int, reach: int) -> Iterator[Excerpt]:
    try:
        held: Recording | None = None
        for block in blocks.read(own):
            if held is not None:
                joined = np.concatenate([held.samples, block.samples[:reach]]) if reach else held.samples
                yield excerpt_of(Recording(joined, held.sample_rate, held.subtype))
            held = block
        if held is not None:
            yield excerpt_of(held)
    except BadInputError as error:
        raise BadInputError(f"{role} {error}") from error


def open_pair(estimate: str, target: str) -> Pair:
    """Open two files; short ones are read.

    Raises
    ------
    BadInputError
        When one cannot be read, naming which; when their rates or lengths differ.
    """
    pair = Pair(_opened("the estimate", estimate), _opened("the target", target))
    rates = pair.estimate.sample_rate, pair.target.sample_rate
    if rates[0] != rates[1]:
        raise BadInputError(f"has {rates[0]} Hz, its target {rates[1]} Hz: pairs are compared sample by sample")
    frames = pair.estimate.frames, pair.target.frames
    if frames[0] != frames[1]:
        raise BadInputError(f"has {frames[0]} frames, its target {frames[1]}: pairs are compared sample by sample")
    return pair


def _opened(role: str, path: str) -> Blocks:
    try:
        return open_blocks(path)
    except BadInputError as error:
        raise BadInputError(f"{role} {error}") from error
