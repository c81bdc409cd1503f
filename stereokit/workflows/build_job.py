"""What a command that builds a data set tells the machine: its sources, how they are made, and where they end."""

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic

from stereokit.data.build_changes import Deleted
from stereokit.data.build_switch import PlacedFile
from stereokit.data.build_work import Apply
from stereokit.data.dataset import versions
from stereokit.data.preparation import Prepared
from stereokit.data.sources import Refusal
from stereokit.data.units import Function, Task, Unit
from stereokit.workflows.events import Json, Message


@dataclass(frozen=True)
class BuildWords:
    """The words that commands which build a data set share.

    Attributes
    ----------
    output
        The data set's folder.
    catalog
        Its catalogue, where that lies elsewhere.
    deleted
        What becomes of the clips of sources that are no longer there.
    force
        Make everything anew, without sources that are no longer there.
    strict
        With any refused input do nothing.
    accept_failed
        Inputs that failed before and are as they were do not make the status 3.
    is_dry_run
        Tell what would be done.
    report
        A JSON file about the run.
    """

    output: Path
    catalog: Path | None = None
    deleted: Deleted = "keep"
    force: bool = False
    strict: bool = False
    accept_failed: bool = False
    is_dry_run: bool = False
    report: Path | None = None


@dataclass(frozen=True)
class Entry:
    """A source, or a variant of one, that gave files.

    Attributes
    ----------
    key, parent, target
        Of its unit.
    columns
        Of its unit, read from JSON.
    prepared
        What became of it.
    is_gone
        The source is no longer there.
    """

    key: str
    parent: str
    target: str
    columns: Mapping[str, object]
    prepared: Prepared
    is_gone: bool = False


@dataclass(frozen=True)
class Arrangement:
    """The data set as it will be.

    Attributes
    ----------
    files
        Every file, and whose it is.
    rows
        The row of ``metadata.jsonl`` of each file, in the same order; each with ``file_name`` and ``sha256``.
    dropped
        Keys of entries that are left out after all, and why.
    """

    files: Sequence[PlacedFile]
    rows: Sequence[Mapping[str, object]]
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job(ABC, Generic[Task]):
    """A command's part of a build.

    Attributes
    ----------
    words
        What all of these commands are told.
    schema, clip_schema
        Of the summary and of all other rows.
    settings
        What the data set is made by, as JSON; other settings than those of the data set in place are refused.
    options
        The option that stands for a setting, in words to the user; the setting's name without one.
    units
        Sources that can be tried, in their order.
    refused
        Inputs that cannot.
    excluded
        How many sources are not wanted.
    left_out
        Their keys.
    context
        All else that decides the data set and may change from run to run: it is written anew then.
    defaults
        Of the settings: an older version's data set, which does not know a setting, was made with its default.
    """

    words: BuildWords
    schema: str
    clip_schema: str
    settings: Mapping[str, object]
    options: Mapping[str, str]
    units: Sequence[Unit]
    refused: Sequence[Refusal]
    excluded: int
    left_out: Collection[str]
    context: Mapping[str, object]
    defaults: Mapping[str, object] = field(default_factory=dict, kw_only=True)

    @property
    def found(self) -> int:
        """How many inputs there are."""
        return len(self.units) + len(self.refused) + self.excluded

    def context_text(self) -> str:
        """Return all that decides a data set beside its settings and its sources, as text."""
        return json.dumps({"found": self.found, "excluded": self.excluded, **self.context}, sort_keys=True)

    @property
    @abstractmethod
    def function(self) -> Function[Task]:
        """What makes a task's files; picklable."""

    @property
    @abstractmethod
    def apply(self) -> Apply[Task]:
        """What applies it to many tasks."""

    @abstractmethod
    def task(self, unit: Unit, target: Path) -> Task:
        """Return a unit's task, whose file is written to ``target`` (and beside it, with suffixes)."""

    @abstractmethod
    def arrange(self, entries: Sequence[Entry]) -> Arrangement:
        """Return where the files of all entries lie and what their rows say."""

    @abstractmethod
    def planned(self, unit: Unit) -> Mapping[str, Json]:
        """Return what a dry run can tell of a unit: ``path``, ``split`` and more."""

    @abstractmethod
    def told(self, row: Mapping[str, object]) -> Mapping[str, Json]:
        """Return what the command's output says of a clip in place, from its row, beside status and path."""

    def follow(self, entries: Sequence[Entry]) -> Sequence[Unit]:
        """Return the units that follow from the entries of all sources: variants."""
        return ()

    def is_excluded(self, prepared: Prepared) -> bool:
        """Tell of a source that was made whether it is not wanted after all."""
        return False

    def counts(self, rows: Sequence[Mapping[str, object]]) -> Mapping[str, Json]:
        """Return the command's own figures of a data set."""
        return {}

    def remarks(self, rows: Sequence[Mapping[str, object]], counts: Mapping[str, Json]) -> Iterable[Message]:
        """Return what the user should look at in the finished data set."""
        return ()

    def versions(self) -> Mapping[str, str]:
        """Return the versions that a file's bytes depend on."""
        return versions()

    def refused_paths(self) -> Iterator[str]:
        """Yield the paths of refused inputs."""
        return (refusal.path for refusal in self.refused)
