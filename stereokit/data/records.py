"""What a catalogue holds: the sources and the files of a data set, and the steps of a switch that is under way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class SourceRecord(NamedTuple):
    """A row of ``sources`` (what is in place) or ``pending`` (what a run has made so far).

    Attributes
    ----------
    key, parent, target, columns
        Of the unit.
    path
        Of its first input, absolute.
    size, mtime_ns, ctime_ns
        Of its first input, as they were before it was read; -1 for a file that was gone.
    more_inputs
        JSON of the same four for each other input; empty for a single one.
    content
        SHA-256 of the inputs; empty where they could not be read.
    plan
        Hash of all else that decides the outputs.
    status
        ``done``, ``failed``, ``dropped`` or ``excluded``.
    reason
        Why not done.
    place
        Pending: the folder in the staging folder where its outputs wait; empty when those in place stay.
        Otherwise ``gone`` for a source that is no longer there and whose clips are kept.
    made
        What became of it, as JSON; empty without a result, and for who only looks.
    """

    key: str
    parent: str
    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    more_inputs: str
    content: str
    plan: str
    target: str
    columns: str
    status: str
    reason: str = ""
    place: str = ""
    made: str = ""


class OutputRecord(NamedTuple):
    """A file in place: whose it is, what it must be, and when it was last compared with that (Unix time, 0: never)."""

    file_name: str
    key: str
    name: str
    size: int
    mtime_ns: int
    sha256: str
    verified_at: float = 0.0


class Step(NamedTuple):
    """One step from the old content to the new: ``move``, ``remove`` or ``retire``; names relative to the folder."""

    action: str
    source: str
    target: str


@dataclass(frozen=True)
class Snapshot:
    """All that a catalogue knows.

    Attributes
    ----------
    description
        ``state`` (clean, building or switching), ``settings`` once there is content, and what the content was made by.
    sources, pending
        By key.
    outputs
        By file name.
    steps
        That are still to do, when the state is switching.
    """

    description: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceRecord] = field(default_factory=dict)
    pending: Mapping[str, SourceRecord] = field(default_factory=dict)
    outputs: Mapping[str, OutputRecord] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    @property
    def has_content(self) -> bool:
        """Whether a data set was finished."""
        return "settings" in self.description

    @property
    def state(self) -> str:
        """``clean``, ``building`` or ``switching``."""
        return self.description.get("state", "building")
