"""What the page and the picture of ``stereokit score --paired`` show: figures by view, widths, some pairs by name."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.blocks import open_blocks
from stereokit.audio.clip import Clip
from stereokit.errors import BadInputError
from stereokit.metrics.paired.figures import FIGURES
from stereokit.metrics.paired.measure import pair_widths
from stereokit.metrics.paired.pair import open_pair
from stereokit.metrics.paired.views import VIEWS
from stereokit.metrics.windows import HOP_S, WINDOW_S
from stereokit.workflows.events import Progress
from stereokit.workflows.score_pair_settings import MeasuredPair
from stereokit.workflows.score_shown import HEARD_S

PAIRS = 4
# Pairs are ordered by this figure of left and right: silence has it too, and no gain or delay makes it meaningless.
ORDER = "mr_stft"
_COLUMNS = 400

Values = NDArray[np.float64]


@dataclass(frozen=True)
class ShownPair:
    """A pair by name.

    Attributes
    ----------
    estimate, target
        Paths.
    distance
        By which it was chosen.
    times
        Seconds, shape (n,).
    widths
        STSD of estimate and target over time, shape (n,) each; of long clips means over neighbouring windows.
    """

    estimate: str
    target: str
    distance: float
    times: Values
    widths: tuple[Values, Values]


@dataclass(frozen=True)
class ShownPairs:
    """A result, reduced to what is drawn.

    Attributes
    ----------
    figures
        Figure -> view -> values over all pairs or windows that have one.
    widths
        Mean STSD of the estimates and of the targets, a value a pair.
    nearest, farthest
        The nearest pair first, and the farthest first; no pair is in both.
    """

    figures: dict[str, dict[str, Values]]
    widths: tuple[Values, Values]
    nearest: list[ShownPair]
    farthest: list[ShownPair]


def shown_pairs(measured: Sequence[MeasuredPair]) -> Generator[Progress, None, ShownPairs]:
    """Reduce measured pairs; the files of those that are shown by name are read again.

    Raises
    ------
    BadInputError
        When a clip is gone.
    """
    figures = {
        figure: {
            view: _there(np.concatenate([one.measurement.figures[view].values[figure] for one in measured]))
            for view in VIEWS
        }
        for figure in FIGURES
    }
    drifts = [one.measurement.drift for one in measured]
    widths = np.array([one.estimate for one in drifts]), np.array([one.target for one in drifts])
    ordered = sorted(
        ((_distance(one), one) for one in measured if not np.isnan(_distance(one))), key=lambda entry: entry[0]
    )
    near, far = min(PAIRS, (len(ordered) + 1) // 2), min(PAIRS, len(ordered) // 2)
    chosen = [*ordered[:near], *ordered[len(ordered) - far :][::-1]]
    shown = []
    for done, (distance, one) in enumerate(chosen, start=1):
        shown.append(_shown(one, distance))
        yield Progress("drawing pairs", done, len(chosen))
    return ShownPairs(figures, widths, shown[:near], shown[near:])


def heard(path: str) -> tuple[Clip, bool]:
    """Read the beginning of a clip, and tell whether there is more of it.

    Raises
    ------
    BadInputError
        When it is gone; the line names it.
    """
    try:
        blocks = open_blocks(path)
        clip = next(blocks.read(round(HEARD_S * blocks.sample_rate))).to_clip()
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error
    return clip, clip.frames < blocks.frames


def _there(values: Values) -> Values:
    return values[~np.isnan(values)]


def _distance(one: MeasuredPair) -> float:
    values = _there(one.measurement.figures[VIEWS[0]].values[ORDER])
    return float(values.mean()) if len(values) else float("nan")


def _shown(one: MeasuredPair, distance: float) -> ShownPair:
    try:
        courses = pair_widths(open_pair(one.estimate, one.target)).courses()
    except BadInputError as error:
        raise BadInputError(f"{one.estimate}: {error}") from error
    step = -(-len(courses[0]) // _COLUMNS)
    starts = np.arange(0, len(courses[0]), step)
    counts = np.diff(np.append(starts, len(courses[0])))
    estimate, target = (np.add.reduceat(course, starts) / counts for course in courses)
    times = WINDOW_S / 2.0 + HOP_S * (starts + (counts - 1) / 2.0)
    return ShownPair(one.estimate, one.target, distance, times, (estimate, target))
