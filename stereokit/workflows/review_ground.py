"""The ground on which a review stands: which clips can be heard, where they lie among their like, and on the map."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.data.sources import Refusal, Source
from stereokit.errors import UsageError
from stereokit.metrics.sound_map import draw_map
from stereokit.workflows.events import Message, Progress
from stereokit.workflows.label_examine import PORTRAIT
from stereokit.workflows.label_map_file import SavedMap, read_map
from stereokit.workflows.label_map_settings import DEFAULT_LAYOUT
from stereokit.workflows.label_space import Placed, place_sounds
from stereokit.workflows.review_settings import ReviewSettings

_DIMENSIONS = 2


@dataclass(frozen=True)
class Ground:
    """Clips that can be heard.

    Attributes
    ----------
    heard
        Which of the sources these are, in their order.
    points
        Of those that have a place, shape (m, d); silence has none.
    places
        Which of the heard clips these are, ascending, shape (m,).
    coordinates
        Of all heard clips on the map, NaN for those without a place; float32 of shape (n, 2).
    refused
        Sources that could not be read.
    """

    heard: list[int]
    points: NDArray[np.float64]
    places: NDArray[np.int64]
    coordinates: NDArray[np.float32]
    refused: list[Refusal]


def heard_clips(settings: ReviewSettings, sources: Sequence[Source]) -> Generator[Message | Progress, None, Ground]:
    """Listen to all clips, or only to those that a map does not have, and return where they lie.

    Raises
    ------
    UsageError
        For a map of three dimensions, or of other features than was said.
    BadInputError
        When no clip can be heard, or the map cannot be read.
    """
    if settings.map is not None:
        return (yield from _on_saved(settings, sources, read_map(settings.map)))
    placed = yield from place_sounds(
        sources, settings.features or PORTRAIT, jobs=settings.processes, seed=settings.seed, device=settings.device
    )
    layout = settings.layout or DEFAULT_LAYOUT
    yield Message(f"drawing the map ({layout})")
    drawn = draw_map(placed.points, layout, dimensions=_DIMENSIONS, seed=settings.seed)
    if drawn.layout != layout:
        yield Message(f"too few different clips for {layout}: the map is one of their main axes ({drawn.layout})")
    return _ground(sources, placed.numbers, placed.points, drawn.places, placed.refused)


def _on_saved(
    settings: ReviewSettings, sources: Sequence[Source], saved: SavedMap
) -> Generator[Message | Progress, None, Ground]:
    """Take the places that a map has, and place what is new in it."""
    sounds = saved.sounds
    if sounds.dimensions != _DIMENSIONS:
        raise UsageError(f"--map {settings.map}: has {sounds.dimensions} dimensions, the page shows {_DIMENSIONS}")
    if saved.run is None and settings.features not in (None, saved.features):
        raise UsageError(f"--features {settings.features}: --map {settings.map} compares by {saved.features}")
    known = {key: number for number, key in enumerate(saved.keys)}
    mapped = [number for number, source in enumerate(sources) if source.key in known]
    others = [number for number, source in enumerate(sources) if source.key not in known]
    rows = np.array([known[sources[number].key] for number in mapped], np.int64)
    points, places = sounds.points[sounds.numbers[rows]].astype(np.float64), sounds.places[rows]
    placed = Placed(np.zeros((0, 0)), np.zeros(0, np.int64), [], [], [], saved.space, saved.run)
    if others:
        placed = yield from place_sounds(
            [sources[number] for number in others], settings.features or saved.features, jobs=settings.processes,
            seed=sounds.seed, device=settings.device, space=saved.space, of_run=saved.run,
            fewest=0 if mapped else 1,
        )  # fmt: skip
    numbers = np.array(mapped, np.int64)
    if len(placed.numbers):
        numbers = np.concatenate([numbers, np.array(others, np.int64)[placed.numbers]])
        points = np.concatenate([points, sounds.main(placed.points)])
        places = np.concatenate([places, sounds.more(placed.points)])
    yield Message(f"{len(mapped)} clips are on the map, {len(placed.numbers)} were placed in it")
    order = np.argsort(numbers)
    return _ground(sources, numbers[order], points[order], places[order], placed.refused)


def _ground(
    sources: Sequence[Source],
    numbers: NDArray[np.int64],
    points: NDArray[np.float64],
    drawn: NDArray[np.float64],
    refused: list[Refusal],
) -> Ground:
    unheard = {refusal.path for refusal in refused}
    heard = [number for number, source in enumerate(sources) if str(source.path) not in unheard]
    places = np.searchsorted(np.array(heard, np.int64), numbers)
    coordinates = np.full((len(heard), _DIMENSIONS), np.nan, np.float32)
    coordinates[places] = drawn
    return Ground(heard, points, places, coordinates, refused)
