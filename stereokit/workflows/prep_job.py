"""``stereokit prep``'s part of a build: what a source becomes, and how its clips lie in the data set."""

import contextlib
import json
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from stereokit.data.build_switch import PlacedFile
from stereokit.data.cluster import map_cluster
from stereokit.data.isolated_worker import Limits
from stereokit.data.isolation import isolated_results
from stereokit.data.plan import Item, Plan
from stereokit.data.preparation import Preparation, Prepared, Task, output_path, prepare
from stereokit.data.source_audit import swap_suspects
from stereokit.data.splits import parse_fractions
from stereokit.data.text import output_stem
from stereokit.data.units import Function, Order, Outcome, Unit, plan_digest
from stereokit.data.workers import available_jobs, map_files
from stereokit.errors import BadInputError
from stereokit.workflows.build_job import Arrangement, BuildWords, Entry, Job
from stereokit.workflows.events import Json, Message
from stereokit.workflows.prep_near import first_sources, splits_of_groups
from stereokit.workflows.prep_rows import CLIP_SCHEMA, PREP_SCHEMA, Identity, clip_figures, metadata_row, set_figures
from stereokit.workflows.prep_rows import remarks as set_remarks
from stereokit.workflows.prep_settings import OPTIONS, PrepSettings, recorded

# Making a procedural sound takes some milliseconds, starting a process 0.4 s.
_INLINE_CLIPS = 100
_CHUNK_CLIPS = 16
# A path below what is no folder: nothing can ever be there.
_NOWHERE = Path(os.devnull, "nothing")
_LONG_FILE_S = 3600.0


@dataclass(frozen=True)
class PrepJob(Job[Task]):
    """The job of some words and the plan that they make.

    Attributes
    ----------
    prep
        The words.
    items
        By key: what the sources are called, with the splits that their names give them.
    assignment
        Splits of groups that were given by hand.
    digest
        Of all that decides a clip beside its source.
    """

    prep: PrepSettings
    items: Mapping[str, Item] = field(default_factory=dict)
    assignment: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def function(self) -> Function[Task]:
        """``prepare``."""
        return partial(prepare, preparation=self.prep.preparation)

    def apply(
        self, function: Any, orders: Sequence[Order[Task]]
    ) -> Generator[tuple[int, Outcome | BadInputError], None, None]:
        """Decode files in processes that they cannot take down; procedural sounds do no harm."""
        jobs = available_jobs() if self.prep.jobs is None else self.prep.jobs
        # What is sliced may last hours, and variants and rooms take their time.
        is_long = self.prep.preparation.slicing is not None or self.prep.preparation.is_drawn
        limits = Limits(seconds=_LONG_FILE_S) if is_long else None
        if self.prep.cluster is not None and orders:
            far = [_absolute(order) for order in orders]
            results = map_cluster(
                function,
                far,
                address=self.prep.cluster,
                folder=far[0].task.target.parent,
                witness=far[0].task.source,
                limits=limits,
            )
            return _numbered(results)
        if self.prep.synth is None:
            return isolated_results(function, orders, jobs=jobs, chunk=_CHUNK_CLIPS, limits=limits)
        return _numbered(map_files(function, orders, jobs=jobs, chunk=_CHUNK_CLIPS, inline_up_to=_INLINE_CLIPS))

    def task(self, unit: Unit, target: Path) -> Task:
        """Return the task of a source."""
        item = self.items[unit.parent or unit.key]
        index = 0 if item.source is not None else int(item.key.rpartition("-")[2])
        return Task(
            item.key, item.source, target, self.prep.synth or "", self.prep.seed, index, is_varied=bool(unit.parent)
        )

    def follow(self, entries: Sequence[Entry]) -> Sequence[Unit]:
        """Return the variants of the clips in the train split."""
        if self.prep.preparation.augment is None:
            return ()
        firsts, groups, splits = self._sorted(entries)
        return [
            _variants(entry, self.items.get(entry.key), self.digest)
            for entry in entries
            if not entry.parent
            and splits[groups[entry.key]] == "train"
            and not (self._is_dropping and firsts[entry.key] != entry.key)
        ]

    @property
    def _is_dropping(self) -> bool:
        return self.prep.preparation.near_duplicates == "drop"

    def _sorted(self, entries: Sequence[Entry]) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        """Return the first source that is the same sound and the group by key, and the split by group."""
        groups = {entry.key: str(entry.columns["group"]) for entry in entries}
        if self.prep.preparation.near_duplicates == "keep":
            firsts = {entry.key: entry.key for entry in entries if not entry.parent}
        else:
            firsts = first_sources(entries)
        joined = {} if self._is_dropping else firsts
        return firsts, groups, splits_of_groups(groups, joined, self._fractions(), self.assignment)

    def arrange(self, entries: Sequence[Entry]) -> Arrangement:
        """Put every clip into the split of its group."""
        firsts, groups, splits = self._sorted(entries)
        is_asked = self.prep.preparation.near_duplicates != "keep"
        dropped = {
            key: f"is the same sound as {first} (--near-duplicates drop)"
            for key, first in firsts.items()
            if self._is_dropping and first != key
        }
        files, rows, own = [], [], []
        for entry in entries:
            if entry.key in dropped:
                continue
            split = splits[groups[entry.key]]
            source = entry.parent or entry.key
            first = firsts[source] if is_asked else source
            for output in entry.prepared.outputs:
                place = PurePosixPath(split) / entry.target
                name = output_path(place, output.name).as_posix()
                files.append(PlacedFile(name, entry.key, output.name))
                identity = Identity(source, _label(entry), groups[entry.key], split)
                row = metadata_row(identity, place, output, _extra(entry))
                rows.append(row | {"near_duplicate_of": None if first == source else first} if is_asked else row)
                # A variant may be its source with swapped channels.
                own.append(not entry.parent)
        suspects = swap_suspects(row for row, is_own in zip(rows, own, strict=True) if is_own)
        rows = [row | {"is_swap_suspect": row["file_name"] in suspects} for row in rows]
        return Arrangement(files, rows, dropped)

    def _fractions(self) -> tuple[float, float, float]:
        return parse_fractions(self.prep.split)

    def planned(self, unit: Unit) -> Mapping[str, Json]:
        """Return where a source's clip would lie."""
        item = self.items[unit.key]
        identity = Identity(item.key, item.label, item.group, item.split)
        return {"path": str(self.prep.output / item.split / unit.target), **identity.fields()}

    def told(self, row: Mapping[str, object]) -> Mapping[str, Json]:
        """Return a clip's names and duration."""
        return clip_figures(row)

    def is_excluded(self, prepared: Prepared) -> bool:
        """Tell of a procedural sound, which has its label only once it is made, whether ``--only`` leaves it out."""
        return bool(self.prep.synth and self.prep.only) and prepared.label not in self.prep.only

    def counts(self, rows: Sequence[Mapping[str, object]]) -> Mapping[str, Json]:
        """Return figures of channels, levels and labels."""
        return set_figures(rows)

    def remarks(self, rows: Sequence[Mapping[str, object]], counts: Mapping[str, Json]) -> Iterable[Message]:
        """Tell of equal sounds in two splits, of clips that were turned down, and of empty splits."""
        return set_remarks(self._fractions(), rows, counts)


def _numbered(results: Generator[Outcome | BadInputError, None, None]) -> Generator[tuple[int, Any], None, None]:
    with contextlib.closing(results):
        yield from enumerate(results)


def _absolute(order: Order[Task]) -> Order[Task]:
    """Return an order whose paths hold on another machine, too."""
    source = None if order.task.source is None else order.task.source.absolute()
    task = replace(order.task, source=source, target=order.task.target.absolute())
    return replace(order, task=task, inputs=tuple(path.absolute() for path in order.inputs))


def _label(entry: Entry) -> str | None:
    made = entry.prepared.label
    label = entry.columns["label"] if made is None else made
    return None if label is None else str(label)


def _extra(entry: Entry) -> dict[str, object]:
    extra = entry.columns["extra"]
    return extra if isinstance(extra, dict) else {}


def make_job(settings: PrepSettings, plan: Plan, assignment: Mapping[str, str]) -> PrepJob:
    """Return the job of some words; the plan's items have their splits."""
    words = BuildWords(
        output=settings.output, catalog=settings.catalog, deleted=settings.deleted, force=settings.force,
        strict=settings.strict, accept_failed=settings.accept_failed, is_dry_run=settings.is_dry_run,
        report=settings.report,
    )  # fmt: skip
    usual = asdict(Preparation())
    # What is as usual is left out, so that a later version, which knows more of it, makes nothing anew.
    shared: dict[str, object] = {
        name: value for name, value in asdict(settings.preparation).items() if value != usual[name]
    }
    if settings.synth is not None:
        shared |= {"voice": settings.synth}
    if settings.synth is not None or settings.preparation.is_drawn:
        shared |= {"seed": settings.seed}
    digest, container = plan_digest(shared), settings.preparation.container
    return PrepJob(
        words=words, schema=PREP_SCHEMA, clip_schema=CLIP_SCHEMA, settings=recorded(settings), options=OPTIONS,
        units=[_unit(item, container, digest) for item in plan.items], refused=plan.refused,
        excluded=plan.excluded, left_out=plan.left_out, context={"assigned": dict(assignment)}, prep=settings,
        items={item.key: item for item in plan.items}, assignment=assignment, digest=digest,
        defaults=recorded(PrepSettings((), settings.output)),
    )  # fmt: skip


def _unit(item: Item, container: str, digest: str) -> Unit:
    columns = json.dumps({"label": item.label, "group": item.group, "extra": item.extra})
    inputs = () if item.source is None else (item.source,)
    return Unit(item.key, f"{output_stem(item.key)}.{container}", inputs, digest, columns)


def _variants(entry: Entry, item: Item | None, digest: str) -> Unit:
    """Return the unit of a source's variants; those of a source that is gone stay as they are."""
    inputs: tuple[Path, ...] = (_NOWHERE,)
    if item is not None:
        inputs = () if item.source is None else (item.source,)
    # No source's key has two slashes in a row.
    return Unit(f"{entry.key}//variants", entry.target, inputs, digest, json.dumps(entry.columns), entry.key)
