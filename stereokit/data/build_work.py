"""A build at work under its lock: what was made is remembered, then put in place together."""

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from stereokit.data.build_changes import KEPT, damaged_names
from stereokit.data.build_place import Place
from stereokit.data.build_switch import PlacedFile, do_steps, plan_switch
from stereokit.data.catalogue import Catalogue
from stereokit.data.preparation import output_path
from stereokit.data.records import OutputRecord, Snapshot, SourceRecord
from stereokit.data.staging import listed_clips
from stereokit.data.units import (
    Function,
    Order,
    Outcome,
    Stat,
    Task,
    Unit,
    carry_out,
    file_names,
    made_to_json,
    plan_of,
)
from stereokit.errors import BadInputError, OutputError, StereokitError
from stereokit.writing import make_folder, remove_file, sync_batch, write_file

# So much work, in seconds, a kill can cost.
_BATCH_S = 1.0

# Applies a function to each item and gives (index, result) as they are finished; a BadInputError stands for a result
# where it was raised.
Apply = Callable[
    [Callable[[Order[Task]], Outcome], Sequence[Order[Task]]], Iterator[tuple[int, Outcome | BadInputError]]
]


class Build:
    """A build at work; its data set's lock is held.

    Attributes
    ----------
    snapshot
        What is in place, and what an unfinished build has made.
    """

    def __init__(self, place: Place, catalogue: Catalogue) -> None:
        self._place = place
        self._catalogue = catalogue
        self._token = secrets.token_hex(4)
        self.snapshot = catalogue.read()
        if self.snapshot.steps:
            self._do_steps(self.snapshot)
            self.snapshot = catalogue.read()
        self._made: dict[str, SourceRecord] = {}
        self._waiting = self._find_waiting()

    def _find_waiting(self) -> dict[str, SourceRecord]:
        """Return what an unfinished build has made and is still whole; everything else in staging goes."""
        staging = self._place.staging
        waiting = {}
        expected: set[Path] = set()
        for key, record in self.snapshot.pending.items():
            files = [(staging / record.place / name, file) for name, file in file_names(record)] if record.place else []
            if all(_sha256(path) == file.output.sha256 for path, file in files):
                waiting[key] = record
                expected.update(path for path, _ in files)
        for path in sorted(staging.rglob("*")) if staging.exists() else ():
            if not path.is_dir() and path not in expected:
                remove_file(path)
        return waiting

    @property
    def has_made(self) -> bool:
        """Whether there are files that wait to be put in place."""
        return any(record.status == "done" for record in (*self._waiting.values(), *self._made.values()))

    def staged(self, target: str) -> Path:
        """Return where a unit's file of this name is written."""
        return self._place.staging / self._token / target

    def make(
        self,
        units: Sequence[Unit],
        *,
        stats: Mapping[str, Stat],
        known: Mapping[str, str],
        task: Callable[[Unit, Path], Task],
        function: Function[Task],
        apply: Apply[Task],
    ) -> Generator[SourceRecord, None, None]:
        """Make units and yield what became of each as it is finished, and remember that: none waits for another.

        What an unfinished build made is not made again, and comes first.

        Parameters
        ----------
        units
            To make.
        stats
            Of their inputs, from before they are read.
        known
            Content of inputs by key, where the files in place may stay if the content is that.
        task
            Returns a unit's task, given where its file is to be written.
        function
            Of a task.
        apply
            Does the work, in as many processes as it likes.

        Raises
        ------
        StereokitError
            Any but a ``BadInputError`` that the function raises; what was made by then is remembered.
        """
        make_folder(self._place.staging / self._token)
        found = {unit.key: self._resumed(unit, stats[unit.key], is_known=unit.key in known) for unit in units}
        resumed = {key: record for key, record in found.items() if record is not None}
        self._made |= resumed
        left = [unit for unit in units if unit.key not in resumed]
        orders = [Order(task(unit, self.staged(unit.target)), unit.inputs, known.get(unit.key, "")) for unit in left]
        yield from resumed.values()
        batch: list[SourceRecord] = []
        committed = time.monotonic()
        # Closed before anything is tidied up: a process still at work would write into the staging folder.
        with contextlib.ExitStack() as stack:
            results = apply(partial(carry_out, function), orders)
            if isinstance(results, Generator):
                stack.enter_context(contextlib.closing(results))
            try:
                for index, result in results:
                    unit = left[index]
                    record = self._record(unit, stats[unit.key], result)
                    batch.append(record)
                    self._made[unit.key] = record
                    if time.monotonic() - committed >= _BATCH_S:
                        self._catalogue.add_pending(batch)
                        batch, committed = [], time.monotonic()
                    yield record
            except BaseException:
                with contextlib.suppress(StereokitError):
                    self._catalogue.add_pending(batch)
                raise
        if batch:
            self._catalogue.add_pending(batch)

    def _resumed(self, unit: Unit, stat: Stat, *, is_known: bool) -> SourceRecord | None:
        record = self._waiting.get(unit.key)
        if record is None or (record.plan, record.target) != (plan_of(unit, record.status), unit.target):
            return None
        if record.status == "done" and not record.place and not is_known:
            return None
        theirs = Stat(record.size, record.mtime_ns, record.ctime_ns, record.more_inputs)
        return record._replace(columns=unit.columns, parent=unit.parent) if theirs == stat else None

    def _record(self, unit: Unit, stat: Stat, result: Outcome | BadInputError) -> SourceRecord:
        path = os.path.abspath(unit.inputs[0]) if unit.inputs else ""  # noqa: PTH100 - links stay as they are
        new = SourceRecord(
            unit.key, unit.parent, path, *stat, content="", plan=unit.plan, target=unit.target, columns=unit.columns,
            status="failed",
        )  # fmt: skip
        if isinstance(result, BadInputError):
            return new._replace(plan=plan_of(unit, "failed"), reason=str(result))
        if result.prepared is None:
            old = self.snapshot.sources[unit.key]
            return new._replace(content=result.content, status=old.status, reason=old.reason, made=old.made)
        prepared = result.prepared
        paths = [output_path(self.staged(unit.target), output.name) for output in prepared.outputs]
        try:
            mtimes = tuple(path.stat().st_mtime_ns for path in paths)
        except OSError as error:
            raise OutputError(f"{error.filename}: vanished while the data set was built: {error.strerror}") from error
        made = made_to_json(prepared, mtimes)
        status = "dropped" if prepared.dropped is not None else "done"
        reason = prepared.dropped or ""
        return new._replace(content=result.content, status=status, reason=reason, made=made, place=self._token)

    def lacking(self, files: Sequence[PlacedFile]) -> list[str]:
        """Return the keys of units whose files are neither staged nor in place: they must be made once more."""
        there = {(output.key, output.name) for output in self.snapshot.outputs.values()}
        staged = {key for key, record in self._made.items() if record.place}
        return list(dict.fromkeys(file.key for file in files if file.key not in staged and file[1:] not in there))

    def finish(
        self,
        files: Sequence[PlacedFile],
        records: Mapping[str, SourceRecord],
        *,
        texts: Mapping[str, bytes],
        description: Mapping[str, str],
    ) -> None:
        """Put the new content in place.

        Parameters
        ----------
        files
            All of it, without manifest and description.
        records
            Of all sources, by key.
        texts
            ``metadata.jsonl`` and ``dataset.json``.
        description
            Of the content, for the catalogue: ``settings``, ``context`` and the like.

        Raises
        ------
        OutputError
            When the disk is full or the like: before the switch the old content stays, after it the next run goes on.
        """
        staged = {}
        make_folder(self._place.staging)
        for name, data in texts.items():
            path = self._place.staging / name
            write_file(path, data, durable=False)
            stat = path.stat()
            staged[name] = OutputRecord(name, "", "", stat.st_size, stat.st_mtime_ns, hashlib.sha256(data).hexdigest())
        folder, damaged = self._place.folder, damaged_names(self.snapshot, self._place.folder)
        unlisted = () if self.snapshot.has_content else listed_clips(folder)
        content = plan_switch(
            files,
            in_place=self.snapshot.outputs,
            damaged=damaged,
            pending=self._made,
            texts=staged,
            unlisted=[path.relative_to(folder).as_posix() for path in unlisted],
        )
        if content.steps:
            sync_batch()
        kept = {key: record._replace(place=KEPT if record.place == KEPT else "") for key, record in records.items()}
        known = {**self.snapshot.description, **description, "folder": self._place.identity}
        new = Snapshot(known, kept, {}, content.outputs, content.steps)
        self._catalogue.switch(new)
        if content.steps:
            self._do_steps(new)
        self._catalogue.shrink()
        self.snapshot = new
        self._remove_staging()

    def _do_steps(self, snapshot: Snapshot) -> None:
        do_steps(self._place.folder, snapshot.steps)
        sync_batch()
        self._catalogue.finish_switch()

    def verified(self, outputs: Sequence[OutputRecord]) -> None:
        """Remember what files in place were found to be."""
        self._catalogue.verified(outputs)

    def discard(self) -> None:
        """Let go of everything that waits to be put in place."""
        self._catalogue.forget_pending()
        self._made, self._waiting = {}, {}
        self._remove_staging()

    def _remove_staging(self) -> None:
        # What a process of a killed run still writes there is removed by the next run.
        shutil.rmtree(self._place.staging, ignore_errors=True)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
