"""Which clips of a listening study are compared: those of one name, or drawn; read and made equally loud."""

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stereokit.data.sources import Refusal, Source, find_sources
from stereokit.data.study import StudyPair
from stereokit.errors import BadInputError, UsageError
from stereokit.metrics.paired.pair import match_names
from stereokit.workflows.events import Message, Progress
from stereokit.workflows.refusals import refusal_messages
from stereokit.workflows.score_listen_settings import ListenSettings
from stereokit.workflows.score_listen_sounds import at_rate, heard, matched_gains_db

# Independent purposes have independent random numbers.
_PARTNERS, _DRAW = 1, 2
_PROGRESS_STEP = 5
# A difference of length that nobody hears.
_HEARD_S = 0.030


@dataclass(frozen=True)
class Prepared:
    """The pairs of a study, where their clips are, and what was refused.

    Attributes
    ----------
    pairs
        In the order of their numbers.
    paths
        Of each pair's a, b and, where there is one, the reference.
    refused
        Inputs that cannot be heard.
    """

    pairs: list[StudyPair]
    paths: list[tuple[Path, ...]]
    refused: list[Refusal]


def prepared(settings: ListenSettings) -> Generator[Message | Progress, None, Prepared]:
    """Find, draw and read the pairs of a study.

    Raises
    ------
    UsageError
        When there are fewer pairs than asked for, or fewer than controls.
    BadInputError
        When there is none, or ``--strict`` was said and an input refused.
    """
    refused: list[Refusal] = []
    candidates = _order(settings, (yield from _candidates(settings, refused)))
    wanted = len(candidates) if settings.pairs is None else settings.pairs
    pairs, paths = yield from _readable(candidates, wanted, refused)
    yield from refusal_messages(refused)
    if settings.strict and refused:
        raise BadInputError(f"--strict: {len(refused)} inputs were refused, so no study is held")
    if not pairs:
        raise BadInputError(f"{settings.a}: no pair with {settings.b} can be heard")
    twins = sum(pair.digests[0] == pair.digests[1] for pair in pairs)
    if twins:
        yield Message(f"{twins} pairs are one file twice: nobody can tell their sides", is_warning=True)
    if settings.pairs is not None and len(pairs) < wanted:
        yield Message(f"--pairs {wanted}: only {len(pairs)} can be heard", is_warning=True)
    if settings.controls > len(pairs):
        raise UsageError(f"--controls {settings.controls}: at most as many as pairs, {len(pairs)}")
    return Prepared(pairs, paths, refused)


def _order(settings: ListenSettings, candidates: list[tuple[Source, ...]]) -> list[tuple[Source, ...]]:
    """Return the pairs in the order in which they are taken: drawn, where not all are wanted."""
    if settings.pairs is None:
        return candidates
    if settings.pairs > len(candidates):
        raise UsageError(f"--pairs {settings.pairs}: there are {len(candidates)}")
    order = np.random.default_rng([settings.seed, _DRAW]).permutation(len(candidates))
    return [candidates[index] for index in order]


def _readable(
    candidates: list[tuple[Source, ...]], wanted: int, refused: list[Refusal]
) -> Generator[Message | Progress, None, tuple[list[StudyPair], list[tuple[Path, ...]]]]:
    """Read pairs until there are enough that can be heard."""
    pairs: list[StudyPair] = []
    paths: list[tuple[Path, ...]] = []
    mono, unlike = 0, 0
    for sides in candidates:
        if len(pairs) == wanted:
            break
        try:
            read = _pair(sides)
        except _RefusedError as error:
            refused.append(error.refusal)
            continue
        pairs.append(read.pair)
        paths.append(tuple(source.path for source in sides))
        mono += read.mono
        unlike += read.differs
        if len(pairs) % _PROGRESS_STEP == 0:
            yield Progress("measuring loudness", len(pairs), wanted)
    if mono:
        yield Message(f"{mono} clips are mono: they are heard on both channels")
    if unlike:
        yield Message(f"{unlike} pairs differ in length: their sides can be told apart by that", is_warning=True)
    return pairs, paths


def _candidates(settings: ListenSettings, refused: list[Refusal]) -> Generator[Message, None, list[tuple[Source, ...]]]:
    """Match clips by name; without a name in common, and without a reference, at random."""
    sets: list[dict[str, Source]] = []
    for folder in settings.folders:
        found = find_sources(folder, single_file=False)
        refused += found.refused
        if not found.sources:
            yield from refusal_messages(refused)
            raise BadInputError(f"{folder}: has no sound that can be used")
        sets.append({source.key: source for source in found.sources})
    matches = match_names(list(sets[0]), list(sets[1])).pairs
    if settings.reference is not None:
        partners = dict(match_names([one for one, _ in matches], list(sets[2])).pairs)
        named: list[tuple[str, ...]] = [(*one, partners[one[0]]) for one in matches if one[0] in partners]
        if not named:
            raise BadInputError(
                f"no clips of {settings.a}, {settings.b} and {settings.reference} have one name: without that nothing"
                " tells which reference belongs to which pair"
            )
    elif matches:
        named = [*matches]
    else:
        named = [*_drawn_partners(sorted(sets[0]), sorted(sets[1]), settings.seed)]
        yield Message(f"no clips of {settings.a} and {settings.b} have one name: pairs are drawn at random")
    alone = sum(map(len, sets)) - len(sets) * len(named)
    if alone:
        yield Message(f"{len(named)} pairs; {alone} clips have no partner and are not heard")
    return [tuple(clips[name] for clips, name in zip(sets, names, strict=True)) for names in named]


def _drawn_partners(ones: list[str], others: list[str], seed: int) -> Iterator[tuple[str, str]]:
    random = np.random.default_rng([seed, _PARTNERS])
    count = min(len(ones), len(others))
    first, second = (random.permutation(len(names))[:count] for names in (ones, others))
    return ((ones[one], others[other]) for one, other in zip(first, second, strict=True))


class _RefusedError(Exception):
    """A clip of a pair cannot be heard."""

    def __init__(self, source: Source, reason: object) -> None:
        super().__init__()
        self.refusal = Refusal(str(source.path), str(reason))


class _Read(NamedTuple):
    """A pair, how many of its clips were mono, and whether a and b differ in length so that it can be heard."""

    pair: StudyPair
    mono: int
    differs: bool


def _pair(sides: tuple[Source, ...]) -> _Read:
    """Read the clips of a pair."""
    clips, mono = [], 0
    digests = []
    for source in sides:
        try:
            sound = heard(source.path)
            digests.append(hashlib.blake2b(source.path.read_bytes(), digest_size=16).hexdigest())
            matched_gains_db([sound.clip])
        except BadInputError as error:
            raise _RefusedError(source, error) from error
        except OSError as error:
            raise _RefusedError(source, f"cannot be read: {error.strerror}") from error
        clips.append(sound.clip)
        mono += sound.was_mono
    rate = max(clip.sample_rate for clip in clips)
    gains = matched_gains_db([at_rate(clip, rate) for clip in clips])
    one, other = (clip.frames / clip.sample_rate for clip in clips[:2])
    pair = StudyPair(tuple(source.key for source in sides), tuple(digests), tuple(gains), rate)
    return _Read(pair, mono, abs(one - other) > _HEARD_S)
