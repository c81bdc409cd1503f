"""``stereokit label map``: where each sound lies among its like, in two or three dimensions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import BadInputError, Status, UsageError
from stereokit.metrics.sound_map import SoundMap, draw_map
from stereokit.workflows.events import Events, Json, Message, Progress, Row
from stereokit.workflows.label_clips import LabelledClips, clips_with_labels, label_counts
from stereokit.workflows.label_examine import PORTRAIT
from stereokit.workflows.label_map_file import SavedMap, map_bytes, read_map
from stereokit.workflows.label_map_page import map_page
from stereokit.workflows.label_map_settings import DEFAULT_LAYOUT, MapSettings
from stereokit.workflows.label_space import SILENT, Placed, place_sounds
from stereokit.workflows.refusals import refusal_messages
from stereokit.writing import write_file

CLIP_SCHEMA = "stereokit.label.map.clip/1"
SUMMARY_SCHEMA = "stereokit.label.map/1"
_DIMENSIONS = 2
_UNKNOWN = -1

Points = NDArray[np.float64]


@dataclass(frozen=True)
class _Made:
    """A map with the clips that were asked for.

    Attributes
    ----------
    sounds
        The map.
    places
        Of the placed clips.
    is_guided
        Whether labels guided it.
    features
        By which clips are compared.
    """

    sounds: SoundMap
    places: Points
    is_guided: bool
    features: str


def make_map(settings: MapSettings, stdin: Iterable[str]) -> Events:
    """Yield a row a clip with its place, then a summary; write the map, a picture or a page of it.

    Raises
    ------
    UsageError
        For words that do not go together, or that contradict the map that is there.
    BadInputError
        When nothing can be read, or the map cannot.
    OutputError
        When something cannot be written.
    MissingError
        When a package is not there.
    """
    settings.check()
    saved = None if settings.into is None else read_map(settings.into)
    if saved is not None:
        settings.check_map(saved)
    clips = _clips(settings, stdin)
    if settings.dry_run:
        yield from refusal_messages(clips.refused)
        yield _plan(settings, clips, saved)
        return Status.SOME_FAILED if clips.refused else Status.DONE
    features = settings.features or (saved.features if saved else PORTRAIT)
    placed = yield from place_sounds(
        clips.sources,
        features,
        jobs=settings.processes,
        seed=settings.seed or 0,
        device=settings.device,
        space=saved.space if saved else None,
        of_run=saved.run if saved else None,
    )
    refused = [*clips.refused, *placed.refused]
    yield from refusal_messages(refused)
    if refused and settings.strict:
        raise BadInputError(f"{len(refused)} inputs were refused, and --strict was given")
    if saved is None:
        yield Progress("drawing the map", 0, 1)
        made = _drawn(settings, clips, placed)
        yield from _told_changes(settings, made)
    else:
        made = _Made(saved.sounds, saved.sounds.more(placed.points), saved.is_guided, features)
    _write(settings, clips, placed, made, saved)
    yield from _rows(clips, placed, made.places)
    yield _summary(settings, clips, placed, made, len(refused))
    return Status.SOME_FAILED if refused else Status.DONE


def _clips(settings: MapSettings, stdin: Iterable[str]) -> LabelledClips:
    clips = clips_with_labels(settings.sources, stdin, labels=settings.labels, column=settings.column)
    if settings.is_guided and len(clips.classes) < 2:
        raise UsageError(f"--guided: {settings.labels} gives the clips {len(clips.classes)} label: two are needed")
    return clips


def _drawn(settings: MapSettings, clips: LabelledClips, placed: Placed) -> _Made:
    guides = None
    if settings.is_guided:
        numbers = {name: number for number, name in enumerate(clips.classes)}
        names = [clips.labels[number] for number in placed.numbers]
        guides = np.array([_UNKNOWN if name is None else numbers[name] for name in names], np.int64)
    layout = settings.layout or DEFAULT_LAYOUT
    sounds = draw_map(
        placed.points,
        layout,
        dimensions=settings.dimensions or _DIMENSIONS,
        seed=settings.seed or 0,
        labels=guides,
        given=settings.parameters,
    )
    return _Made(sounds, sounds.places, settings.is_guided and sounds.layout == layout, settings.features or PORTRAIT)


def _told_changes(settings: MapSettings, made: _Made) -> Iterator[Message]:
    """Say where so few clips gave another map than was asked for."""
    asked, count = settings.layout or DEFAULT_LAYOUT, len(made.sounds.points)
    clips = "1 clip, or all the same" if count == 1 else f"{count} different clips"
    if made.sounds.layout != asked:
        yield Message(
            f"only {clips}: too few for {asked}, so this is the map of their main axes "
            f"({made.sounds.layout}), which parameters and labels do not change",
            is_warning=True,
        )
        return
    for name, value in made.sounds.drawn.values.items():
        if settings.parameters.get(name, value) != value:
            yield Message(f"--{name} {settings.parameters[name]:g}: only {clips}, so it was {value:g}", is_warning=True)


def _write(settings: MapSettings, clips: LabelledClips, placed: Placed, made: _Made, saved: SavedMap | None) -> None:
    """Write what was asked for; a picture and a page of new files show them among those that were there."""
    keys = [clips.sources[number].key for number in placed.numbers]
    labels = [clips.labels[number] for number in placed.numbers]
    if settings.save is not None:
        whole = SavedMap(made.sounds, placed.space, keys, labels, made.features, placed.run, made.is_guided)
        write_file(settings.save, map_bytes(whole))
    places = made.places
    if saved is not None:
        keys, labels = [*saved.keys, *keys], [*saved.labels, *labels]
        places = np.concatenate([saved.sounds.places, places])
    title = f"Map of {len(keys):,} clips"
    told = f"{made.sounds.layout} of {made.features}, {made.sounds.dimensions} dimensions"
    if settings.plot is not None:
        from stereokit.workflows.label_map_picture import map_picture  # noqa: PLC0415 - works without matplotlib

        kind = settings.plot.suffix.lower().removeprefix(".")
        write_file(settings.plot, map_picture(places, labels, f"{title}: {told}", kind=kind))
    if settings.html is not None:
        write_file(settings.html, map_page(title, told, places, keys, labels).encode())


def _rows(clips: LabelledClips, placed: Placed, places: Points) -> Iterator[Row]:
    found = {int(number): place for number, place in zip(placed.numbers, places, strict=True)}
    silent = set(placed.silent)
    for number, source in enumerate(clips.sources):
        fields: dict[str, Json] = {"path": str(source.path), "file_name": source.key}
        if number in found:
            coordinates = [float(value) for value in found[number]]
            yield Row(CLIP_SCHEMA, fields | _place("done", coordinates, clips.labels[number]))
        elif number in silent:
            yield Row(CLIP_SCHEMA, fields | _place("abstained", [], clips.labels[number], SILENT))


def _place(status: str, coordinates: Sequence[float], label: str | None, reason: str | None = None) -> dict[str, Json]:
    x, y, z = [*coordinates, None, None, None][:3]
    return {"status": status, "x": x, "y": y, "z": z, "label": label, "reason": reason}


def _summary(settings: MapSettings, clips: LabelledClips, placed: Placed, made: _Made, refused: int) -> Row:
    sounds = made.sounds
    return Row(
        SUMMARY_SCHEMA,
        {
            "status": "done",
            "clips": len(placed.numbers) + len(placed.silent),
            "placed": len(placed.numbers),
            "abstained": len(placed.silent),
            "refused": refused,
            "labels": {**label_counts(clips.labels)},
            "layout": sounds.layout,
            "asked_layout": settings.layout or (sounds.layout if settings.into else DEFAULT_LAYOUT),
            "dimensions": sounds.dimensions,
            "parameters": {name.replace("-", "_"): value for name, value in sounds.drawn.values.items()},
            "guided": made.is_guided,
            "features": made.features,
            "different": len(sounds.points),
            "into": None if settings.into is None else str(settings.into),
            "written": [str(path) for path in settings.outputs.values()],
            "seed": sounds.seed,
        },
    )


def _plan(settings: MapSettings, clips: LabelledClips, saved: SavedMap | None) -> Row:
    return Row(
        SUMMARY_SCHEMA,
        {
            "status": "dry run",
            "clips": len(clips.sources),
            "refused": len(clips.refused),
            "labels": {**label_counts(clips.labels)},
            "layout": saved.sounds.layout if saved else settings.layout or DEFAULT_LAYOUT,
            "into": None if settings.into is None else str(settings.into),
            "written": [str(path) for path in settings.outputs.values()],
        },
    )
