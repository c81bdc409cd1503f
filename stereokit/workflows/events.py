"""What a workflow tells while it works: rows of results, messages, and how far it is."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

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
