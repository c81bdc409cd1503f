"""What the pictures of ``stereokit score`` show: small summaries of two sets, taken in one pass over their files."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.files import read
from stereokit.data.workers import map_files
from stereokit.errors import BadInputError
from stereokit.metrics.distance import make_pool
from stereokit.metrics.measure import Measurement, measure_file
from stereokit.metrics.neighbours import choose_search
from stereokit.metrics.protocol import PROTOCOLS, Protocol
from stereokit.metrics.windows import HOP_S, WINDOW_S
from stereokit.workflows.events import Progress
from stereokit.workflows.report_pictures import QUANTILES, Curve
from stereokit.workflows.score_sets import ScoredSet

# So many clips, spread evenly over a set, fix its quantiles to the width of a line.
_COURSE_CLIPS = 2_000
_COLUMNS = 400
PAIRS = 4
# What is heard and drawn of one clip; at high rates the number of frames limits it.
HEARD_S, _HEARD_FRAMES = 4.0, 400_000

_INLINE_CLIPS, _CHUNK_CLIPS = 2_000, 250
_PROGRESS_STEP = 50


@dataclass(frozen=True)
class Course:
    """The short-time side distance of a set over time.

    Attributes
    ----------
    times
        Seconds, shape (n,).
    bands
        Quantiles over the clips that last so long, shape (5, n): 5, 25, 50, 75 and 95 %.
    clips
        How many clips they come from.
    """

    times: Curve
    bands: Curve
    clips: int


@dataclass(frozen=True)
class Pair:
    """Paths of a generated clip and of the reference clip nearest to it, and their distance."""

    generated: str
    reference: str
    distance: float


@dataclass(frozen=True)
class Shown:
    """Two sets, reduced to what is drawn.

    Attributes
    ----------
    courses
        By set, ``reference`` first.
    widths
        Side distance of each clip, by set.
    nearest, farthest
        Generated clips by the distance to their nearest reference clip: the smallest first, and the largest first. No
        clip is in both.
    """

    courses: dict[str, Course]
    widths: dict[str, NDArray[np.float64]]
    nearest: list[Pair]
    farthest: list[Pair]


def shown_of(
    generated: ScoredSet, reference: ScoredSet, protocol: Protocol, *, jobs: int, device: str | None
) -> Generator[Progress, None, Shown]:
    """Reduce two measured sets; files are read again only where short-time side distances were not measured.

    Parameters
    ----------
    generated, reference
        Of one clip or more each.
    protocol
        By which they were measured, and are compared.
    jobs
        Processes and threads.
    device
        A torch device that searches neighbours; None for the processor.

    Raises
    ------
    BadInputError
        When a clip is gone.
    """
    sets = {"reference": reference, "generated": generated}
    courses = {}
    for name, one in sets.items():
        courses[name] = yield from _course(name, one, protocol, jobs)
    widths = {name: np.array([clip.side_distance for _, clip in one.clips]) for name, one in sets.items()}
    pairs = _pairs(generated, reference, protocol, jobs, device)
    # Of an odd number of clips, the one in the middle counts as near.
    near, far = min(PAIRS, (len(pairs) + 1) // 2), min(PAIRS, len(pairs) // 2)
    return Shown(courses, widths, pairs[:near], pairs[len(pairs) - far :][::-1])


def heard(path: str) -> tuple[Clip, bool]:
    """Read the beginning of a clip, and tell whether there is more of it.

    Raises
    ------
    BadInputError
        When it is gone; the line names it.
    """
    try:
        clip = read(path).to_clip()
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error
    frames = min(clip.frames, round(HEARD_S * clip.sample_rate), _HEARD_FRAMES)
    return Clip(clip.samples[:, :frames], clip.sample_rate), frames < clip.frames


def _pairs(
    generated: ScoredSet, reference: ScoredSet, protocol: Protocol, threads: int, device: str | None
) -> list[Pair]:
    """Return every generated clip beside its nearest reference clip, the smallest distance first."""
    pool = make_pool(generated.sequences(protocol), reference.sequences(protocol), protocol.load_distance())
    found = choose_search(pool, [len(pool)], device=device, threads=threads)(pool)
    paths = [[str(source.path) for source, _ in one.clips] for one in (generated, reference)]
    distances = found.other_distance[: pool.generated]
    return [
        Pair(paths[0][clip], paths[1][found.other_index[clip]], float(distances[clip]))
        for clip in np.argsort(distances, kind="stable").tolist()
    ]


def _course(name: str, scored: ScoredSet, protocol: Protocol, jobs: int) -> Generator[Progress, None, Course]:
    count = min(len(scored.clips), _COURSE_CLIPS)
    chosen = [scored.clips[number * len(scored.clips) // count] for number in range(count)]
    longest_s = max(_judged_s(clip, protocol) for _, clip in chosen)
    # Long clips are averaged over as many windows as one column of the picture has.
    step = max(1, int(np.ceil(longest_s / HOP_S / _COLUMNS)))
    rows: list[NDArray[np.float64]] = []
    for done, sequence in enumerate(_widths([(str(source.path), clip) for source, clip in chosen], protocol, jobs), 1):
        starts = np.arange(0, len(sequence), step)
        rows.append(np.add.reduceat(sequence, starts) / np.diff(np.append(starts, len(sequence))))
        if done % _PROGRESS_STEP == 0 or done == count:
            yield Progress(f"drawing {name}", done, count)
    table = np.full((count, max(map(len, rows))), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    times = WINDOW_S / 2.0 + HOP_S * (step * np.arange(table.shape[1]) + (step - 1) / 2.0)
    return Course(times, np.nanquantile(table, QUANTILES, axis=0), count)


def _judged_s(clip: Measurement, protocol: Protocol) -> float:
    return (protocol.judged_frames(clip.sample_rate) or clip.frames) / clip.sample_rate


def _widths(clips: list[tuple[str, Measurement]], protocol: Protocol, jobs: int) -> Iterator[NDArray[np.float64]]:
    """Yield the short-time side distances of each clip's judged part, whatever is compared; shape (windows,)."""
    paper = PROTOCOLS["paper"]
    width = replace(protocol, feature=paper.feature, distance=paper.distance, is_shape=False)
    if protocol.feature == width.feature:
        yield from (clip.sequence[:, 0] for _, clip in clips)
        return
    paths = [path for path, _ in clips]
    results = map_files(
        partial(measure_file, protocol=width), paths, jobs=jobs, chunk=_CHUNK_CLIPS, inline_up_to=_INLINE_CLIPS
    )
    for path, result in zip(paths, results, strict=True):
        if isinstance(result, BadInputError):
            raise BadInputError(f"{path}: {result}")
        yield result.sequence[:, 0]
