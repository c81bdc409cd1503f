"""The rows that ``stereokit prep`` yields and writes, and the count of what became of each input."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from stereokit.data.plan import Item
from stereokit.data.preparation import Output, Prepared, output_path
from stereokit.data.sources import Refusal
from stereokit.data.splits import SPLITS, parse_fractions
from stereokit.workflows.events import Json, Message, Row
from stereokit.workflows.prep_settings import PrepSettings

PREP_SCHEMA = "stereokit.prep/1"
CLIP_SCHEMA = "stereokit.prep.clip/1"


def identity(item: Item, result: Prepared | None = None) -> dict[str, Json]:
    """Return what a clip is called by; a procedural sound has its label only as a result."""
    made = None if result is None else result.label
    return {
        "label": item.label if made is None else made,
        "split": item.split,
        "group": item.group,
        "source": item.key,
    }


def by_split(counts: Counter[str]) -> dict[str, Json]:
    """Return the count of every split, empty ones too."""
    return {split: counts[split] for split in SPLITS}


def failed_rows(refused: Iterable[Refusal]) -> Iterator[Row]:
    """Yield a row a refused input."""
    for refusal in refused:
        yield Row(CLIP_SCHEMA, {"status": "failed", "path": refusal.path, "reason": refusal.reason})


@dataclass
class Ledger:
    """What became of each input: in equals rows + refused + excluded."""

    found: int
    refused: list[Refusal]
    excluded: int
    rows: list[dict[str, object]] = field(default_factory=list)
    told: list[Row] = field(default_factory=list)

    def counts(self) -> dict[str, Json]:
        """Return the figures of the summary and of ``dataset.json``."""
        splits = Counter(str(row["split"]) for row in self.rows)
        labels = Counter(str(row.get("label") or "") for row in self.rows)
        return {
            "found": self.found,
            "clips": len(self.rows),
            "refused": len(self.refused),
            "excluded": self.excluded,
            **by_split(splits),
            "mono": sum(bool(row["is_mono_source"]) for row in self.rows),
            "without_side": sum(not row["has_side"] for row in self.rows),
            "turned_down": sum(bool(row["is_limited"]) for row in self.rows),
            "labels": dict(sorted(labels.items())),
        }


def metadata_row(item: Item, result: Prepared, output: Output) -> dict[str, object]:
    """Return the clip's row of ``metadata.jsonl``; a given column that has one of its names gets a prefix."""
    row: dict[str, object] = {
        "file_name": output_path(PurePosixPath(item.file_name), output.name).as_posix(),
        **identity(item, result),
        **output.facts,
        "sha256": output.sha256,
    }
    return row | {f"given_{name}" if name in row else name: value for name, value in item.extra.items()}


def clip_row(settings: PrepSettings, item: Item, result: Prepared, output: Output) -> Row:
    """Return the row that tells of a clip in its place."""
    duration = int(str(output.facts["frames"])) / settings.preparation.sample_rate
    place = {"status": "done", "path": str(output_path(settings.output / item.file_name, output.name))}
    return Row(CLIP_SCHEMA, {**place, **identity(item, result), "duration_s": duration})


def after_warnings(
    settings: PrepSettings, rows: Iterable[Mapping[str, object]], counts: Mapping[str, Json]
) -> Iterator[Message]:
    """Yield what the user should look at in the finished data set."""
    splits_of: dict[object, set[object]] = {}
    for row in rows:
        splits_of.setdefault(row["sha256"], set()).add(row["split"])
    if shared := sum(len(splits) > 1 for splits in splits_of.values()):
        yield Message(
            f"{shared} sounds are in more than one split, from equal files; --group can hold them", is_warning=True
        )
    if counts["turned_down"]:
        yield Message(f"{counts['turned_down']} clips passed full scale and were turned down to it (gain_db)")
    shares = zip(SPLITS, parse_fractions(settings.split), strict=True)
    empty = [split for split, share in shares if share and not counts[split]]
    if empty:
        yield Message(f"{' and '.join(empty)}: no clip is left in it", is_warning=True)
