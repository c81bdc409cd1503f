"""Two clips that belong together: found by name, read, and laid out for comparison."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.files import read
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
class Pair:
    """An estimate and the target that it should be, equally long and of one rate."""

    estimate: Excerpt
    target: Excerpt

    def left_right(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the left and right channels of estimate and target, shape (2, T) each, full scale ±1."""
        return np.stack(self.estimate.scaled()), np.stack(self.target.scaled())


def read_pair(estimate: str, target: str) -> Pair:
    """Read two files.

    Raises
    ------
    BadInputError
        When one cannot be read or has more than two channels, naming which; when their rates or lengths differ.
    """
    pair = Pair(_excerpt("the estimate", estimate), _excerpt("the target", target))
    rates = pair.estimate.sample_rate, pair.target.sample_rate
    if rates[0] != rates[1]:
        raise BadInputError(f"has {rates[0]} Hz, its target {rates[1]} Hz: pairs are compared sample by sample")
    frames = pair.estimate.frames, pair.target.frames
    if frames[0] != frames[1]:
        raise BadInputError(f"has {frames[0]} frames, its target {frames[1]}: pairs are compared sample by sample")
    return pair


def _excerpt(role: str, path: str) -> Excerpt:
    try:
        return excerpt_of(read(path))
    except BadInputError as error:
        raise BadInputError(f"{role} {error}") from error
