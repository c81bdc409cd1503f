"""The space in which labels are propagated: sounds as points, on a map or as they are."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.data.sources import Refusal, Source
from stereokit.errors import BadInputError, MissingError, UsageError
from stereokit.metrics.portrait import Portrait
from stereokit.metrics.sound_space import sound_space, standardised
from stereokit.workflows.events import Progress
from stereokit.workflows.label_examine import PORTRAIT, Examined, examined

if TYPE_CHECKING:
    from stereokit.workflows.label_model import ClipModel

EMBEDDING = "embedding"
SILENT = "is silent"

Points = NDArray[np.float64]


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
    """

    points: Points
    numbers: NDArray[np.int64]
    refused: list[Refusal]
    silent: list[int]
    marks: list[bytes | None]


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

    Raises
    ------
    BadInputError
        When no sound can be read, or all are silent.
    """
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
        looks = [*(yield from everything(model, sources, jobs=jobs))]
    refused = [
        Refusal(str(source.path), str(look))
        for source, look in zip(sources, looks, strict=True)
        if isinstance(look, BadInputError)
    ]
    silent = [number for number, look in enumerate(looks) if look is None]
    numbers = [number for number, look in enumerate(looks) if look is not None and not isinstance(look, BadInputError)]
    if not numbers:
        raise BadInputError(f"none of {len(sources)} sounds can be used: {_why(refused)}")
    found = [looks[number] for number in numbers]
    points = _points(found, seed)
    return Placed(points, np.array(numbers, np.int64), refused, silent, marks)


def _why(refused: Sequence[Refusal]) -> str:
    return f"{refused[0].path} {refused[0].reason}" if refused else "all are silent"


def _points(looks: Sequence[object], seed: int) -> Points:
    portraits = [look for look in looks if isinstance(look, Portrait)]
    if portraits:
        return sound_space(portraits, seed=seed)
    return standardised(np.stack([np.asarray(look, np.float64) for look in looks]))


def on_map(points: Points, space: str, dimensions: int, seed: int) -> Points:
    """Return points as they are, or where they lie on a map of two or three dimensions.

    Raises
    ------
    BadInputError, MissingError
        When there are too few for a map, or its package is not there.
    """
    if space == EMBEDDING:
        return points
    place: Callable[..., Points] = catalog.load("layout", space).place
    return place(points, dimensions, seed, None)
