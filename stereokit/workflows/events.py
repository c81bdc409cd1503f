"""What a workflow tells while it works: rows of results, messages, and how far it is."""

import json
import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from stereokit import __version__
from stereokit.errors import Status

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class Row:
    """A result. ``schema`` names its form and version, ``fields`` are snake_case with units."""

    schema: str
    fields: Mapping[str, Json]


@dataclass(frozen=True)
class Message:
    """A line for the person at the terminal. ``is_warning`` marks what they should act on."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Progress:
    """How much of a long step is done; ``text`` says more, for example the losses."""

    step: str
    done: int
    total: int
    text: str = ""


@dataclass(frozen=True)
class Data:
    """Bytes that are the result itself, for standard output as they are."""

    content: bytes


Event = Row | Message | Progress | Data
# A workflow yields events and returns its status.
Events = Generator[Event, None, Status]


def row_to_json(row: Row) -> str:
    """Return one line of ASCII JSON; NaN and infinities, which JSON lacks, become null."""
    fields: Mapping[str, Json] = {"schema": row.schema, **row.fields, "stereokit_version": __version__}
    return json.dumps(without_nan(dict(fields)), allow_nan=False)


def without_nan(value: Json) -> Json:
    """Return a value with null in the place of every NaN and infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return value
