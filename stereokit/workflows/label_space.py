"""The space in which labels are propagated: sounds as points, on a map or as they are."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.data.sources import Refusal, Source
from stereokit.errors import BadInputError, MissingError, UsageError
from stereokit.metrics.portrait import Portrait
from stereokit.metrics.sound_space import SoundSpace, Standard
from stereokit.workflows.events import Progress
from stereokit.workflows.label_examine import PORTRAIT, Examined, examined

if TYPE_CHECKING:
    from stereokit.metrics.layouts._form import Layout
    from stereokit.workflows.label_model import ClipModel

EMBEDDING = "embedding"
SILENT = "is silent"

Points = NDArray[np.float64]
# Of portraits, or of vectors as they are.
Space = SoundSpace | Standard


@dataclass(frozen=True)
class Placed:
    """Sounds with their places.

    Attributes
    ----------
    points
        Of the sounds that have one, shape (n, d).
    numbers
        Which sounds these are, shape (n,).
    refused
        Sounds that could not be read.
    silent
        Numbers of sounds without a sample that is not zero: they are like nothing.
    marks
        Fingerprints of all sounds, where they were asked for.
    space
        In which the points lie.
    run
        The fingerprint of the run that embeds; None for named features.
    """

    points: Points
    numbers: NDArray[np.int64]
    refused: list[Refusal]
    silent: list[int]
    marks: list[bytes | None]
    space: Space
    run: str | None = None


def check_features(name: str) -> None:
    """Refuse a name that is neither a feature nor a run.

    Raises
    ------
    UsageError
        Naming the features.
    """
    if name != PORTRAIT and name not in catalog.names("feature") and not Path(name).is_dir():
        told = ", ".join([PORTRAIT, *catalog.names("feature")])
        raise UsageError(f"--features {name!r}: choose from {told}, or give the folder of a run")


def open_model(folder: Path, capability: str, command: str, device: str) -> "ClipModel":
    """Return a run's model, loading torch.

    Raises
    ------
    MissingError
        When torch is not there.
    UsageError, BadInputError
        When its family cannot, or the run cannot be read.
    """
    try:
        from stereokit.workflows.label_model import ClipModel  # noqa: PLC0415 - works without torch
    except ImportError as error:
        raise MissingError(f"{command} needs torch: pip install 'stereokit[train]'") from error
    return ClipModel(folder, capability, command, device)  # type: ignore[arg-type]


def place_sounds(
    sources: Sequence[Source],
    features: str,
    *,
    jobs: int,
    seed: int,
    device: str = "auto",
    is_marked: bool = False,
    space: Space | None = None,
    of_run: str | None = None,
    fewest: int = 1,
) -> Generator[Progress, None, Placed]:
    """Read sounds and return where each lies.

    Parameters
    ----------
    sources
        The sounds.
    features
        ``portrait``, a feature's name, or the folder of a run that embeds.
    jobs
        Processes that read.
    seed
        Of what is learned from the sounds.
    device
        Where a run's model computes.
    is_marked
        Whether fingerprints are wanted.
    space
        In which the sounds are placed; None makes one of themselves.
    of_run
        The fingerprint of the run that made the space.
    fewest
        Of sounds that have a place; 0 goes with a space.

    Raises
    ------
    BadInputError
        When fewer sounds can be read and are not silent.
    UsageError
        For another run than the one that made the space.
    """
    run: str | None = None
    is_named = features == PORTRAIT or features in catalog.names("feature")
    looks: list[object] = []
    marks: list[bytes | None] = [None] * len(sources)
    results: list[Examined | BadInputError] = []
    if is_named or is_marked:
        results = yield from examined(sources, jobs=jobs, feature=features if is_named else None, is_marked=is_marked)
        marks = [None if isinstance(one, BadInputError) else one.marks for one in results]
        looks = [one if isinstance(one, BadInputError) else one.look for one in results]
    if not is_named:
        from stereokit.workflows.label_model import everything  # noqa: PLC0415 - only models need torch

        model = open_model(Path(features), "embedder", "--features", device)
        run = model.run.fingerprint
        if of_run is not None and run != of_run:
            raise UsageError(f"--features {features}: is another run than the one that this map was made with")
        looks = [*(yield from everything(model, sources, jobs=jobs))]
    refused = [
        Refusal(str(source.path), str(look))
        for source, look in zip(sources, looks, strict=True)
        if isinstance(look, BadInputError)
    ]
    silent = [number for number, look in enumerate(looks) if look is None]
    numbers = [number for number, look in enumerate(looks) if look is not None and not isinstance(look, BadInputError)]
    if len(numbers) < fewest:
        raise BadInputError(f"none of {len(sources)} sounds can be used: {_why(refused)}")
    found = [looks[number] for number in numbers]
    made = _space(found, seed) if space is None else space
    return Placed(_points(made, found), np.array(numbers, np.int64), refused, silent, marks, made, run)


def _why(refused: Sequence[Refusal]) -> str:
    return f"{refused[0].path} {refused[0].reason}" if refused else "all are silent"


def _portraits(looks: Sequence[object]) -> list[Portrait]:
    return [look for look in looks if isinstance(look, Portrait)]


def _vectors(looks: Sequence[object]) -> Points:
    return np.stack([np.asarray(look, np.float64) for look in looks])


def _space(looks: Sequence[object], seed: int) -> Space:
    portraits = _portraits(looks)
    return SoundSpace.fit(portraits, seed=seed) if portraits else Standard.fit(_vectors(looks))


def _points(space: Space, looks: Sequence[object]) -> Points:
    if not looks:
        return np.zeros((0, 0))
    return space.points(_portraits(looks)) if isinstance(space, SoundSpace) else space.points(_vectors(looks))


def on_map(points: Points, space: str, dimensions: int, seed: int) -> Points:
    """Return points as they are, or where they lie on a map of two or three dimensions.

    Raises
    ------
    BadInputError, MissingError
        When there are too few for a map, or its package is not there.
    """
    if space == EMBEDDING:
        return points
    layout: Layout = catalog.load("layout", space)
    return layout.place(points, dimensions, seed).places
