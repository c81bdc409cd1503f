"""What is found out about each sound in a process of its own: how it sounds, and by what it is recognised."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.audio.resample import resample
from stereokit.data.fingerprints import fingerprint
from stereokit.data.isolation import map_isolated
from stereokit.data.sources import Source
from stereokit.errors import BadInputError
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.portrait import Portrait, portrait
from stereokit.metrics.vectors import clip_vectors
from stereokit.serving.sounds import first_minute
from stereokit.workflows.events import Progress

PORTRAIT = "portrait"
_CHUNK_CLIPS = 4
_PROGRESS_STEP = 20

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Examined:
    """One sound.

    Attributes
    ----------
    look
        Its portrait, or a feature's mean and deviation; None for silence, or where no look was asked for.
    is_silent
        Whether every sample is zero.
    marks
        Its fingerprint; None where none was asked for.
    wave
        Its samples, float32 (2, T); None where no rate was asked for.
    """

    look: Portrait | Vector | None
    is_silent: bool
    marks: bytes | None = None
    wave: NDArray[np.float32] | None = None


def examine(path: str, *, feature: str | None = None, is_marked: bool = False, rate: int | None = None) -> Examined:
    """Read a sound, its first minute at most, and find out about it.

    Parameters
    ----------
    path
        Of the file.
    feature
        ``portrait``, or a feature's name; None for none.
    is_marked
        Whether its fingerprint is wanted.
    rate
        At which its samples are wanted, Hz; None for no samples.

    Raises
    ------
    BadInputError
        When it cannot be read, or has more than two channels.
    """
    clip = first_minute(Path(path))
    is_silent = not clip.samples.any()
    look: Portrait | Vector | None = None
    if feature == PORTRAIT:
        look = portrait(clip)
    elif feature is not None and not is_silent:
        excerpt = Excerpt(clip.samples[0], clip.samples[1], clip.sample_rate, 1.0)
        look = clip_vectors([catalog.load("feature", feature).sequence(excerpt)])[0]
    marks = fingerprint(clip) if is_marked else None
    return Examined(look, is_silent, marks, None if rate is None else resample(clip, rate).samples)


def examined(
    sources: Sequence[Source],
    *,
    jobs: int,
    feature: str | None = None,
    is_marked: bool = False,
    rate: int | None = None,
) -> Generator[Progress, None, list[Examined | BadInputError]]:
    """Examine sounds in processes that any of them may take down, and return what was found, in order."""
    work = partial(examine, feature=feature, is_marked=is_marked, rate=rate)
    results: list[Examined | BadInputError] = []
    paths = [str(source.path) for source in sources]
    for result in map_isolated(work, paths, jobs=jobs, chunk=_CHUNK_CLIPS):
        results.append(result)
        if len(results) % _PROGRESS_STEP == 0 or len(results) == len(paths):
            yield Progress("listening", len(results), len(paths))
    return results
