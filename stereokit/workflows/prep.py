"""``stereokit prep``: sound files, or procedural sounds, to a data set."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from stereokit.data.dataset import DatasetWriter, building, check_target
from stereokit.data.plan import Item, Plan, plan_files, plan_synth, with_splits
from stereokit.data.preparation import DEFAULT_TARGETS, Normalization, Preparation, Prepared, Task, prepare
from stereokit.data.sources import Refusal, Source, find_sources
from stereokit.data.splits import SPLITS, parse_fractions, read_assignment
from stereokit.data.tables import read_table
from stereokit.data.text import printable
from stereokit.data.workers import available_jobs, map_files
from stereokit.errors import BadInputError, Status, UsageError
from stereokit.workflows.events import Event, Events, Json, Message, Progress, Row
from stereokit.workflows.refusals import refusal_messages

PREP_SCHEMA = "stereokit.prep/1"
CLIP_SCHEMA = "stereokit.prep.clip/1"

# Preparing a clip takes some milliseconds, starting a process 0.4 s.
_INLINE_CLIPS = 100
_CHUNK_CLIPS = 16
_PROGRESS_STEP = 10

# Two channels of float fill half of the 4 GiB that a WAV file can hold.
_LONGEST_FRAMES = 1 << 28
_LOWEST_TARGET_DB = -120.0


@dataclass(frozen=True)
class PrepSettings:
    """The words of ``stereokit prep``."""

    sources: tuple[str, ...]
    output: Path
    synth: str | None = None
    count: int | None = None
    preparation: Preparation = field(default_factory=Preparation)
    labels: Path | None = None
    only: tuple[str, ...] = ()
    group: str | None = None
    split: str = "0.8,0.1,0.1"
    assign: Path | None = None
    seed: int = 0
    strict: bool = False
    force: bool = False
    is_dry_run: bool = False
    jobs: int | None = None


def preparation_of(
    *, rate: int, length: float | None, normalize: Normalization, target: float | None, encoding: str
) -> Preparation:
    """Check the settings of a clip and return them.

    Raises
    ------
    UsageError
        For a length or target that no clip can have.
    """
    if length is not None and not 0.5 < length * rate <= _LONGEST_FRAMES:
        raise UsageError(f"--length {length}: must hold at least one sample, at most {_LONGEST_FRAMES / rate:.0f} s")
    if target is not None and normalize == "none":
        raise UsageError("--target goes with --normalize peak or loudness")
    level = DEFAULT_TARGETS[normalize] if target is None else target
    if not _LOWEST_TARGET_DB <= level <= 0.0:
        raise UsageError(f"--target {level}: must be from {_LOWEST_TARGET_DB:.0f} dB to 0 dB")
    if encoding not in ("16", "24", "float"):
        raise UsageError(f"--bits {encoding}: choose 16, 24 or float")
    return Preparation(rate, length, normalize, level, encoding)  # type: ignore[arg-type]


def prep(settings: PrepSettings, stdin: Iterable[str]) -> Events:
    """Make a data set and yield a row a clip, a row a refused input, and a summary.

    Raises
    ------
    UsageError, BadInputError, OutputError, LockedError
        When nothing can be done; nothing is left half-written.
    """
    fractions = parse_fractions(settings.split)
    assignment = {} if settings.assign is None else read_assignment(settings.assign)
    check_target(settings.output, force=settings.force)
    plan, found = _plan(settings, stdin)
    items, warnings = with_splits(
        plan.items, fractions, assignment, is_grouped=settings.group is not None and settings.synth is None
    )
    for text in [*plan.warnings, *warnings]:
        yield Message(text, is_warning=True)
    yield from refusal_messages(plan.refused)
    yield from _failed_rows(plan.refused)
    if not items:
        raise BadInputError(f"no usable sound among {found} inputs ({plan.excluded} excluded by --only)")
    if settings.is_dry_run:
        yield from _planned(settings, items)
        return Status.SOME_FAILED if plan.refused else Status.DONE
    if settings.strict and plan.refused:
        raise BadInputError(f"--strict: {len(plan.refused)} inputs were refused, so nothing is done")
    ledger = _Ledger(found, list(plan.refused), plan.excluded)
    return (yield from _write(settings, items, ledger, _recorded(settings, fractions, assignment)))


def _plan(settings: PrepSettings, stdin: Iterable[str]) -> tuple[Plan, int]:
    """Return the plan and how many inputs there were."""
    if settings.synth is not None:
        if settings.sources or settings.labels or settings.group:
            raise UsageError("--synth makes its own sounds: leave SRC, --labels and --group away")
        if settings.count is None:
            raise UsageError("--synth: say how many sounds by --count N")
        plan = plan_synth(settings.synth, settings.count)
        return plan, len(plan.items)
    if settings.count is not None:
        raise UsageError("--count goes with --synth")
    if not settings.sources:
        raise UsageError("give one or more SRC, or --synth VOICE --count N")
    table = None if settings.labels is None else read_table(settings.labels)
    sources: list[Source] = []
    refused: list[Refusal] = []
    inside = settings.output.resolve()
    for given in dict.fromkeys(settings.sources):
        found = find_sources(given, stdin)
        # A data set inside its own source must not become a source of the next run.
        sources += [one for one in found.sources if not one.path.resolve().is_relative_to(inside)]
        refused += found.refused
    plan = plan_files(sources, table, only=settings.only, group=settings.group)
    refused += plan.refused
    return Plan(plan.items, refused, plan.excluded, plan.warnings), len(sources) + len(refused)


def _planned(settings: PrepSettings, items: Sequence[Item]) -> Events:
    for item in items:
        fields = {"status": "planned", "path": str(settings.output / item.file_name), **_identity(item)}
        yield Row(CLIP_SCHEMA, fields)
    counts = Counter(item.split for item in items)
    yield Row(PREP_SCHEMA, {"status": "planned", "clips": len(items), **_by_split(counts)})
    return Status.DONE


def _identity(item: Item) -> dict[str, Json]:
    return {
        "label": item.label,
        "split": item.split,
        "group": printable(item.group),
        "source": printable(item.key),
    }


def _by_split(counts: Counter[str]) -> dict[str, Json]:
    return {split: counts[split] for split in SPLITS}


def _failed_rows(refused: Iterable[Refusal]) -> Iterable[Row]:
    for refusal in refused:
        yield Row(CLIP_SCHEMA, {"status": "failed", "path": refusal.path, "reason": refusal.reason})


@dataclass
class _Ledger:
    """What became of each input: in equals rows + refused + excluded."""

    found: int
    refused: list[Refusal]
    excluded: int
    rows: list[dict[str, object]] = field(default_factory=list)
    told: list[Row] = field(default_factory=list)

    def counts(self) -> dict[str, Json]:
        splits = Counter(str(row["split"]) for row in self.rows)
        labels = Counter(str(row.get("label") or "") for row in self.rows)
        return {
            "found": self.found,
            "clips": len(self.rows),
            "refused": len(self.refused),
            "excluded": self.excluded,
            **_by_split(splits),
            "mono": sum(bool(row["is_mono_source"]) for row in self.rows),
            "without_side": sum(not row["has_side"] for row in self.rows),
            "turned_down": sum(bool(row["is_limited"]) for row in self.rows),
            "labels": dict(sorted(labels.items())),
        }


def _write(settings: PrepSettings, items: Sequence[Item], ledger: _Ledger, recorded: Mapping[str, object]) -> Events:
    """Make the clips under the data set's lock and put them in place together."""
    with building(settings.output) as writer:
        yield from _make_clips(settings, items, writer, ledger)
        if not ledger.rows:
            raise BadInputError(f"no data set: all of {ledger.found} inputs were refused or excluded")
        if settings.strict and ledger.refused:
            raise BadInputError(f"--strict: {len(ledger.refused)} inputs were refused, so nothing is done")
        counts = ledger.counts()
        print_ = writer.finish(ledger.rows, settings=recorded, counts=counts)
    # Only now are the clips where their rows say: whoever reads the pipe opens them at once.
    yield from ledger.told
    yield from _after_warnings(settings, counts)
    yield Row(PREP_SCHEMA, {"status": "done", "dataset": str(settings.output), "fingerprint": print_, **counts})
    return Status.SOME_FAILED if ledger.refused else Status.DONE


def _make_clips(
    settings: PrepSettings, items: Sequence[Item], writer: DatasetWriter, ledger: _Ledger
) -> Generator[Event, None, None]:
    tasks = [
        Task(item.key, item.source, writer.staged(item.file_name), settings.synth or "", settings.seed, index)
        for index, item in enumerate(items)
    ]
    results = map_files(
        partial(prepare, preparation=settings.preparation),
        tasks,
        jobs=available_jobs() if settings.jobs is None else settings.jobs,
        chunk=_CHUNK_CLIPS,
        inline_up_to=_INLINE_CLIPS,
    )
    for done, (item, result) in enumerate(zip(items, results, strict=True), start=1):
        if isinstance(result, BadInputError):
            refusal = Refusal(printable(str(item.source)), str(result))
            ledger.refused.append(refusal)
            yield from refusal_messages([refusal])
            yield from _failed_rows([refusal])
        elif settings.synth and settings.only and result.label not in settings.only:
            # A procedural sound has its label only once it is made.
            writer.drop(item.file_name)
            ledger.excluded += 1
        else:
            ledger.rows.append(_metadata_row(item, result))
            ledger.told.append(_clip_row(settings, item, result))
        if done % _PROGRESS_STEP == 0 or done == len(items):
            yield Progress("preparing", done, len(items))


def _metadata_row(item: Item, result: Prepared) -> dict[str, object]:
    """Return the clip's row of ``metadata.jsonl``; a given column that has one of its names gets a prefix."""
    row: dict[str, object] = {
        "file_name": item.file_name,
        "label": result.label if result.label is not None else item.label,
        "split": item.split,
        "group": item.group,
        "source": item.key,
        **result.facts,
    }
    return row | {f"given_{name}" if name in row else name: value for name, value in item.extra.items()}


def _clip_row(settings: PrepSettings, item: Item, result: Prepared) -> Row:
    duration = int(str(result.facts["frames"])) / settings.preparation.sample_rate
    fields: dict[str, Json] = {
        "status": "done",
        "path": str(settings.output / item.file_name),
        **_identity(item),
        "duration_s": duration,
    }
    if result.label is not None:
        fields["label"] = result.label
    return Row(CLIP_SCHEMA, fields)


def _after_warnings(settings: PrepSettings, counts: Mapping[str, Json]) -> Iterator[Message]:
    if counts["turned_down"]:
        yield Message(f"{counts['turned_down']} clips passed full scale and were turned down to it (gain_db)")
    shares = zip(SPLITS, parse_fractions(settings.split), strict=True)
    empty = [split for split, share in shares if share and not counts[split]]
    if empty:
        yield Message(f"{' and '.join(empty)}: no clip is left in it", is_warning=True)


def _recorded(settings: PrepSettings, fractions: Sequence[float], assignment: Mapping[str, str]) -> dict[str, object]:
    """Return what made the data set, for its description."""
    return {
        **asdict(settings.preparation),
        "synth": settings.synth,
        "count": settings.count,
        "seed": settings.seed,
        "only": list(settings.only),
        "group": settings.group,
        "split": list(fractions),
        "assigned": dict(assignment),
    }
