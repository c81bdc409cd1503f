"""The rows that ``stereokit prep`` yields and writes of its clips, and the figures of all of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from stereokit.data.preparation import Output, output_path
from stereokit.data.splits import SPLITS
from stereokit.workflows.events import Json, Message

PREP_SCHEMA = "stereokit.prep/1"
CLIP_SCHEMA = "stereokit.prep.clip/1"


# What a source is found to be, as it is counted.
_FINDINGS = {
    "silent": "is_silent",
    "inverted": "is_inverted",
    "one_sided": "is_one_sided",
    "clipped": "clipped_frames",
    "swap_suspects": "is_swap_suspect",
}


class Identity(NamedTuple):
    """What a clip is called by."""

    source: str
    label: str | None
    group: str
    split: str

    def fields(self) -> dict[str, Json]:
        """Return its columns."""
        return {"label": self.label, "split": self.split, "group": self.group, "source": self.source}


def metadata_row(
    identity: Identity, place: PurePosixPath, output: Output, extra: Mapping[str, object]
) -> dict[str, object]:
    """Return a clip's row of ``metadata.jsonl``; a given column that has one of its names gets a prefix.

    A ``target`` among its facts is the suffix of the clip that it should become.
    """
    row: dict[str, object] = {
        "file_name": output_path(place, output.name).as_posix(),
        **identity.fields(),
        **output.facts,
        "sha256": output.sha256,
    }
    if output.facts.get("target") is not None:
        row["target"] = output_path(place, str(output.facts["target"])).as_posix()
    return row | {f"given_{name}" if name in row else name: value for name, value in extra.items()}


def clip_figures(row: Mapping[str, object]) -> dict[str, Json]:
    """Return what is told of a clip in its place."""
    identity = Identity(str(row["source"]), _text(row["label"]), str(row["group"]), str(row["split"]))
    return {**identity.fields(), "duration_s": int(str(row["frames"])) / int(str(row["sample_rate_hz"]))}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def set_figures(rows: Sequence[Mapping[str, object]]) -> dict[str, Json]:
    """Return the figures of a data set's channels, levels and labels."""
    labels = Counter(str(row.get("label") or "") for row in rows)
    asked = {"variants": "variant", "pairs": "target", "near_duplicates": "near_duplicate_of"}
    return {
        **{name: sum(bool(row.get(column)) for row in rows) for name, column in asked.items() if _has(rows, column)},
        "mono": sum(bool(row["is_mono_source"]) for row in rows),
        "without_side": sum(not row["has_side"] for row in rows),
        "turned_down": sum(bool(row["is_limited"]) for row in rows),
        **{name: sum(bool(row.get(column)) for row in rows) for name, column in _FINDINGS.items()},
        "dropped_slices": _dropped_slices(rows),
        "labels": dict(sorted(labels.items())),
    }


def _dropped_slices(rows: Iterable[Mapping[str, object]]) -> int:
    """Count the slices that filters left out of sources of which others are kept."""
    missing: dict[object, int] = {}
    for row in rows:
        if "slices" in row:
            missing[row["source"]] = missing.get(row["source"], int(str(row["slices"]))) - 1
    return sum(missing.values())


def _has(rows: Sequence[Mapping[str, object]], column: str) -> bool:
    return any(column in row for row in rows)


def remarks(
    fractions: Sequence[float], rows: Iterable[Mapping[str, object]], counts: Mapping[str, Json]
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
    if counts["swap_suspects"]:
        yield Message(
            f"{counts['swap_suspects']} clips lean to the other side than nine in ten of their label: "
            "their channels may be swapped (is_swap_suspect)",
            is_warning=True,
        )
    empty = [split for split, share in zip(SPLITS, fractions, strict=True) if share and not counts[split]]
    if empty:
        yield Message(f"{' and '.join(empty)}: no clip is left in it", is_warning=True)
