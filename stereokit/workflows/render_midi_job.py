"""``stereokit render-midi``'s part of a build: what a song becomes, and how its renders lie in the data set."""

import contextlib
import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from stereokit.data.build_switch import PlacedFile
from stereokit.data.isolated_worker import Limits
from stereokit.data.isolation import isolated_results
from stereokit.data.midi.reader import parse_midi, read_bytes
from stereokit.data.midi.render_settings import MidiTask
from stereokit.data.midi.rendering import render_task, song_id
from stereokit.data.plan import Item, Plan
from stereokit.data.preparation import output_path
from stereokit.data.splits import SPLITS, assign_splits, parse_fractions
from stereokit.data.text import output_stem
from stereokit.data.units import Function, Order, Outcome, Unit, plan_digest
from stereokit.data.workers import available_jobs
from stereokit.errors import BadInputError
from stereokit.workflows.build_job import Arrangement, Entry, Job
from stereokit.workflows.events import Json, Message
from stereokit.workflows.prep_rows import Identity, clip_figures, metadata_row
from stereokit.workflows.render_midi_settings import OPTIONS, RenderMidiSettings, recorded

RENDER_SCHEMA = "stereokit.render-midi/1"
RENDERED_SCHEMA = "stereokit.render-midi.clip/1"

# Half an hour through a slow renderer, and two renders of it in memory beside sounds that are kept.
_LIMITS = Limits(seconds=1_800.0, memory_bytes=3 << 30)


@dataclass(frozen=True)
class RenderMidiJob(Job[MidiTask]):
    """The job of some words and the songs that they name.

    Attributes
    ----------
    midi
        The words.
    items
        By key: the songs.
    assignment
        Splits of groups that were given by hand.
    """

    midi: RenderMidiSettings
    items: Mapping[str, Item] = field(default_factory=dict)
    assignment: Mapping[str, str] = field(default_factory=dict)

    @property
    def function(self) -> Function[MidiTask]:
        """``render_task``."""
        return partial(render_task, rendering=self.midi.rendering)

    def apply(
        self, function: Any, orders: Sequence[Order[MidiTask]]
    ) -> Generator[tuple[int, Outcome | BadInputError], None, None]:
        """Render in processes that a file cannot take down, the longest first: no process waits for it at the end."""
        jobs = available_jobs() if self.midi.jobs is None else self.midi.jobs
        numbers = sorted(range(len(orders)), key=lambda number: -_size(orders[number].task.source))
        results = isolated_results(function, [orders[number] for number in numbers], jobs=jobs, chunk=1, limits=_LIMITS)
        with contextlib.closing(results):
            for index, result in results:
                yield numbers[index], result

    def task(self, unit: Unit, target: Path) -> MidiTask:
        """Return the task of a song."""
        return MidiTask(unit.key, unit.inputs[0], target)

    def arrange(self, entries: Sequence[Entry]) -> Arrangement:
        """Put all renders of a song into one split; without a group, songs of the same notes are one."""
        groups = {entry.key: self._group(entry) for entry in entries}
        splits = assign_splits(list(dict.fromkeys(groups.values())), self._fractions(), self.assignment)
        files, rows = [], []
        for entry in entries:
            split = splits[groups[entry.key]]
            place = PurePosixPath(split) / entry.target
            identity = Identity(entry.key, None, groups[entry.key], split)
            for output in entry.prepared.outputs:
                files.append(PlacedFile(output_path(place, output.name).as_posix(), entry.key, output.name))
                rows.append(metadata_row(identity, place, output, _extra(entry.columns)))
        return Arrangement(files, rows)

    def _group(self, entry: Entry) -> str:
        if self.midi.group is not None:
            return str(entry.columns["group"])
        return str(entry.prepared.outputs[0].facts["song"])

    def _fractions(self) -> tuple[float, float, float]:
        return parse_fractions(self.midi.split)

    def planned(self, unit: Unit) -> Mapping[str, Json]:
        """Return where a song's first render would lie; its split is known once its notes are read."""
        item = self.items[unit.key]
        try:
            limits = self.midi.rendering.limits
            group = song_id(parse_midi(read_bytes(unit.inputs[0], limits), limits))
        except BadInputError as error:
            return {"path": None, "split": None, "source": unit.key, "reason": str(error)}
        group = group if self.midi.group is None else item.group
        split = assign_splits([group], self._fractions(), self.assignment)[group]
        return {"path": str(self.words.output / split / unit.target), **Identity(unit.key, None, group, split).fields()}

    def told(self, row: Mapping[str, object]) -> Mapping[str, Json]:
        """Return a render's names, side and duration."""
        side = {name: _json(row.get(name)) for name in ("role", "program", "target", "window")}
        return {**clip_figures(row), **side}

    def counts(self, rows: Sequence[Mapping[str, object]]) -> Mapping[str, Json]:
        """Return how many songs and pairs there are."""
        return {
            "songs": len({row["song"] for row in rows}),
            "pairs": sum(row.get("target") is not None for row in rows),
            "without_side": sum(not row["has_side"] for row in rows),
            "unproved": sum(row["lag_samples"] is None for row in rows),
        }

    def remarks(self, rows: Sequence[Mapping[str, object]], counts: Mapping[str, Json]) -> Iterable[Message]:
        """Tell of renders whose alignment cannot be proved, and of empty splits."""
        if counts["unproved"]:
            slow = f"{counts['unproved']} renders rise too slowly"
            yield Message(f"{slow} for the check to see where their notes start (lag_samples)", is_warning=True)
        shares = zip(SPLITS, self._fractions(), strict=True)
        if empty := [split for split, share in shares if share and not counts[split]]:
            yield Message(f"{' and '.join(empty)}: no song is in it", is_warning=True)

    def versions(self) -> Mapping[str, str]:
        """Return the versions of what renders, too."""
        rendering = self.midi.rendering
        own = {"renderer": f"{rendering.renderer} {rendering.version}".strip(), "soundfont": rendering.font.sha256}
        return {**super().versions(), **own}


def _size(path: Path) -> int:
    """Return the bytes of a song, which grow as its notes do; 0 for one that is no longer there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _json(value: object) -> Json:
    return value if isinstance(value, str | int | float) else None


def _extra(columns: Mapping[str, object]) -> dict[str, object]:
    extra = columns["extra"]
    return extra if isinstance(extra, dict) else {}


def make_job(settings: RenderMidiSettings, plan: Plan, assignment: Mapping[str, str]) -> RenderMidiJob:
    """Return the job of some words and the songs that they name."""
    settled = recorded(settings)
    limits = settings.rendering.limits
    digest = plan_digest({**settled, "limits": [limits.notes, limits.seconds], "group": None, "split": None})
    return RenderMidiJob(
        words=settings.words, schema=RENDER_SCHEMA, clip_schema=RENDERED_SCHEMA, settings=settled, options=OPTIONS,
        units=[_unit(item, digest) for item in plan.items], refused=plan.refused, excluded=plan.excluded,
        left_out=plan.left_out, context={"assigned": dict(assignment)}, midi=settings,
        items={item.key: item for item in plan.items}, assignment=assignment,
    )  # fmt: skip


def _unit(item: Item, digest: str) -> Unit:
    columns = json.dumps({"group": item.group, "extra": item.extra})
    inputs = () if item.source is None else (item.source,)
    return Unit(item.key, f"{output_stem(item.key)}.wav", inputs, digest, columns)
