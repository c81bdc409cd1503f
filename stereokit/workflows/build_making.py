"""A build at work: its sources are made, arranged and put in place, and each that changed is told."""

import json
from collections.abc import Generator, Iterable, Mapping, Sequence

from stereokit.data.build_changes import KEPT, Changes, Why, damaged_keys, reason_to_make
from stereokit.data.build_work import Build
from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION, fingerprint
from stereokit.data.records import Snapshot, SourceRecord
from stereokit.data.sources import Refusal
from stereokit.data.tables import METADATA
from stereokit.data.units import Task, Unit, made_from_json, stat_inputs
from stereokit.errors import BadInputError, Status
from stereokit.workflows.build_job import Arrangement, Entry, Job
from stereokit.workflows.build_rows import (
    by_split,
    change_rows,
    dropped_rows,
    failed_rows,
    find_renamed,
    removed_rows,
    still_failing_message,
)
from stereokit.workflows.events import Event, Events, Json, Progress, Row
from stereokit.workflows.refusals import refusal_messages

_PROGRESS_STEP = 10


class Making:
    """One build under its lock.

    Parameters
    ----------
    job
        The command's part.
    build
        The machine.
    base
        What is in place and stays where nothing changed; empty with ``--force``.
    changes
        What there is to do.
    new_refused
        How many inputs were refused and told just now.
    """

    def __init__(self, job: Job[Task], build: Build, base: Snapshot, changes: Changes, *, new_refused: int) -> None:
        self._job: Job[Task] = job
        self._build = build
        self._base = base
        self._changes = changes
        self._new_failed = new_refused
        self._units: dict[str, Unit] = {}
        self._made: set[str] = set()
        self._records: dict[str, SourceRecord] = {}
        self._damaged = damaged_keys(base, job.words.output)

    def run(self) -> Events:
        """Do all of it and return the status."""
        job = self._job
        yield from self._make(job.units, self._changes.todo)
        renamed = find_renamed(self._base, self._changes.gone, self._records.values())
        self._keep_gone(renamed)
        if not any(record.status == "done" for record in self._records.values()):
            self._build.discard()
            raise BadInputError(f"no data set: all of {job.found} inputs were refused or excluded")
        self._check_strict()
        yield from self._follow()
        arrangement = yield from self._arranged()
        counts = self._counts(arrangement)
        digest = self._finish(arrangement, counts)
        # Only now are the clips where their rows say: whoever reads the pipe opens them at once.
        changed = self._changed(arrangement, renamed)
        yield from change_rows(job, arrangement, changed, renamed)
        removed = self._removed()
        yield from dropped_rows(job, self._base, self._records.values())
        yield from removed_rows(job, self._base, arrangement.files, removed)
        yield from job.remarks(arrangement.rows, counts)
        return (yield from self._summary(arrangement, counts, digest, changed, removed))

    def _make(self, units: Sequence[Unit], todo: Mapping[str, Why]) -> Generator[Event, None, None]:
        """Make those of the units that must be, and take over what is known of the others."""
        job = self._job
        self._units |= {unit.key: unit for unit in units}
        for unit in units:
            if unit.key not in todo:
                record = self._base.sources[unit.key]
                self._records[unit.key] = record._replace(columns=unit.columns, parent=unit.parent, place="")
        making = [unit for unit in units if unit.key in todo]
        if not making:
            return
        records = self._build.make(
            making,
            stats={unit.key: self._changes.stats.get(unit.key) or stat_inputs(unit.inputs) for unit in making},
            known={unit.key: content for unit in making if (content := self._known(unit, todo[unit.key]))},
            task=job.task,
            function=job.function,
            apply=job.apply,
        )
        finished: dict[str, SourceRecord] = {}
        told = 0
        for done, record in enumerate(records, start=1):
            finished[record.key] = record
            # They are finished in any order, and told and kept in that of the units.
            while told < len(making) and making[told].key in finished:
                yield from self._take(making[told], finished[making[told].key])
                told += 1
            if done % _PROGRESS_STEP == 0 or done == len(making):
                yield Progress("preparing", done, len(making))

    def _take(self, unit: Unit, record: SourceRecord) -> Generator[Event, None, None]:
        """Keep what became of a unit, and tell of it if it failed."""
        self._made.add(unit.key)
        self._records[unit.key] = record
        if record.status == "failed":
            self._new_failed += 1
            refusal = Refusal(str(unit.inputs[0]) if unit.inputs else unit.key, record.reason)
            yield from refusal_messages([refusal])
            yield from failed_rows(self._job, [refusal])
        elif record.status == "done" and self._job.is_excluded(made_from_json(record.made)[0]):
            self._records[unit.key] = record._replace(status="excluded")

    def _known(self, unit: Unit, why: Why) -> str:
        """Return the content with which the files in place may stay though a time stamp changed."""
        record = self._base.sources.get(unit.key)
        if why != "changed" or record is None or unit.key in self._damaged:
            return ""
        return record.content if (record.plan, record.target) == (unit.plan, unit.target) else ""

    def _keep_gone(self, renamed: Mapping[str, str]) -> None:
        """Keep the clips of sources that are no longer there, as far as they are wanted and whole."""
        if self._job.words.deleted == "remove":
            return
        for key in self._changes.gone:
            if key not in renamed.values() and key not in self._damaged:
                self._records[key] = self._base.sources[key]._replace(place=KEPT)

    def _check_strict(self) -> None:
        refused = self._refused()
        if self._job.words.strict and refused:
            self._build.discard()
            raise BadInputError(f"--strict: {refused} inputs were refused, so nothing is done")

    def _refused(self) -> int:
        failed = sum(record.status == "failed" for record in self._records.values() if not record.parent)
        return len(self._job.refused) + failed

    def _entries(self) -> list[Entry]:
        """Return all that gave files, those too that another arrangement left out."""
        entries = []
        for record in self._records.values():
            if record.made and record.status in ("done", "dropped"):
                prepared, _ = made_from_json(record.made)
                if prepared.dropped is None:
                    columns = json.loads(record.columns)
                    is_gone = record.place == KEPT
                    entries.append(Entry(record.key, record.parent, record.target, columns, prepared, is_gone))
        return entries

    def _follow(self) -> Generator[Event, None, None]:
        entries = self._entries()
        gone = {entry.key for entry in entries if entry.is_gone}
        units = [unit for unit in self._job.follow(entries) if unit.parent not in gone or self._is_whole(unit)]
        todo = {}
        for unit in units:
            why = reason_to_make(self._base.sources.get(unit.key), unit, stat_inputs(unit.inputs), self._damaged)
            if why is not None or unit.parent in self._made:
                todo[unit.key] = why or "changed"
        yield from self._make(units, todo)

    def _is_whole(self, unit: Unit) -> bool:
        """Tell whether what a unit gave is in place: from a source that is gone nothing can be made."""
        return unit.key in self._base.sources and unit.key not in self._damaged

    def _arranged(self) -> Generator[Event, None, Arrangement]:
        """Arrange the entries; what was left out before and is wanted now is made once more."""
        arrangement = self._job.arrange(self._entries())
        if lacking := self._build.lacking(arrangement.files):
            yield from self._make([self._units[key] for key in lacking], dict.fromkeys(lacking, "new"))
            arrangement = self._job.arrange(self._entries())
        for key, record in self._records.items():
            reason = arrangement.dropped.get(key)
            if reason is not None:
                self._records[key] = record._replace(status="dropped", reason=reason)
            elif record.status == "dropped" and made_from_json(record.made)[0].dropped is None:
                self._records[key] = record._replace(status="done", reason="")
        return arrangement

    def _counts(self, arrangement: Arrangement) -> dict[str, Json]:
        """Return the figures of ``dataset.json``: what a run from nothing would count, and what is kept beside it."""
        statuses = [record.status for record in self._records.values() if not record.parent]
        return {
            "found": self._job.found,
            "clips": len(arrangement.rows),
            "refused": self._refused(),
            "excluded": self._job.excluded + statuses.count("excluded"),
            "dropped": statuses.count("dropped"),
            "kept": sum(record.place == KEPT for record in self._records.values() if not record.parent),
            **by_split(str(row["split"]) for row in arrangement.rows),
            **self._job.counts(arrangement.rows),
        }

    def _finish(self, arrangement: Arrangement, counts: Mapping[str, Json]) -> str:
        job = self._job
        ordered = sorted(arrangement.rows, key=lambda row: str(row["file_name"]).encode())
        lines = [json.dumps(row, allow_nan=False) + "\n" for row in ordered]
        digest = fingerprint(ordered)
        versions = job.versions()
        whole = {"fingerprint": digest, "settings": {**job.settings, **job.context}, "counts": counts}
        text = json.dumps({"schema": DATASET_SCHEMA, **whole, "versions": versions}, indent=1, allow_nan=False) + "\n"
        self._build.finish(
            arrangement.files,
            self._records,
            texts={METADATA: "".join(lines).encode(), DESCRIPTION: text.encode()},
            description={
                "settings": json.dumps(job.settings),
                "context": job.context_text(),
                "refused": json.dumps([[refusal.path, refusal.reason] for refusal in job.refused]),
                "counts": json.dumps(counts),
                "fingerprint": digest,
                "versions": json.dumps(versions),
            },
        )
        return digest

    def _changed(self, arrangement: Arrangement, renamed: Mapping[str, str]) -> dict[str, str]:
        """Return the new state of each source whose clips are not what and where they were."""
        before: dict[str, set[str]] = {}
        for output in self._base.outputs.values():
            before.setdefault(output.key, set()).add(output.file_name)
        after: dict[str, set[str]] = {}
        for file in arrangement.files:
            after.setdefault(file.key, set()).add(file.file_name)
        changed = {}
        for key, names in after.items():
            record, old = self._records[key], self._base.sources.get(key)
            if key in renamed:
                changed[key] = "renamed"
            elif old is None or old.status != "done":
                changed[key] = "done"
            elif record.place not in ("", KEPT) or record.columns != old.columns or names != before.get(key):
                changed[key] = "changed"
        return changed

    def _removed(self) -> list[str]:
        """Return the sources whose clips went."""
        ours = {record.key for record in self._records.values() if record.status in ("done", "failed")}
        return [key for key, old in self._base.sources.items() if old.status == "done" and key not in ours]

    def _summary(
        self,
        arrangement: Arrangement,
        counts: Mapping[str, Json],
        digest: str,
        changed: Mapping[str, str],
        removed: Iterable[str],
    ) -> Events:
        job = self._job
        states = [changed.get(key) for key, record in self._records.items() if _is_done_source(record)]
        failed = [record for record in self._records.values() if record.status == "failed"]
        still = len(job.refused) + len(failed) - self._new_failed
        change: dict[str, Json] = {
            "done": sum(state is not None for state in states),
            "changed": states.count("changed"),
            "renamed": states.count("renamed"),
            "unchanged": states.count(None),
            "removed": len([key for key in removed if not self._base.sources[key].parent]),
            "still_failing": still,
        }
        yield from still_failing_message(job, still)
        place = {"status": "done", "dataset": str(job.words.output), "fingerprint": digest}
        yield Row(job.schema, {**place, **counts, **change})
        is_fault = self._new_failed or (still and not job.words.accept_failed)
        return Status.SOME_FAILED if is_fault else Status.DONE


def _is_done_source(record: SourceRecord) -> bool:
    return record.status == "done" and not record.parent and record.place != KEPT
