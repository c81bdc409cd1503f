"""What the commands of ``stereokit label`` read: sounds, and which label each has."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stereokit.data.sources import Found, Refusal, Source, find_sources
from stereokit.data.tables import FileTable, read_table, with_manifest
from stereokit.data.text import label_text
from stereokit.errors import BadInputError, UsageError

METADATA_WORD = "metadata"
_NAMED = 3


@dataclass(frozen=True)
class LabelledClips:
    """Sounds with what is known of them.

    Attributes
    ----------
    sources
        Sorted by path bytes.
    labels
        Of each; None where there is none.
    groups
        Of each, from the column that groups them; None without one.
    refused
        What could not be used.
    """

    sources: list[Source]
    labels: list[str | None]
    groups: list[str | None]
    refused: list[Refusal]

    @property
    def classes(self) -> list[str]:
        """The labels that occur, sorted."""
        return sorted({label for label in self.labels if label is not None})


def find_clips(given: Sequence[str], stdin: Iterable[str]) -> Found:
    """Find the sounds of all that was given, with the columns of manifests.

    Raises
    ------
    UsageError
        When nothing was given, or something that is not there.
    BadInputError
        When there is no sound.
    """
    if not given:
        raise UsageError("SRC is missing: give folders, sound files, .jsonl or .txt lists, or '-'")
    sources: dict[Path, Source] = {}
    refused: list[Refusal] = []
    for word in given:
        found = with_manifest(find_sources(word, stdin), word, or_above=True)
        refused += found.refused
        for source in found.sources:
            if sources.setdefault(source.path, source) is not source:
                refused.append(Refusal(str(source.path), "is given twice"))
    if not sources:
        reasons = "".join(f"; {one.path}: {one.reason}" for one in refused[:_NAMED])
        raise BadInputError(f"{', '.join(given)}: no sound found{reasons}")
    return Found(sorted(sources.values(), key=lambda source: os.fsencode(source.path)), refused)


def labelled_clips(
    given: Sequence[str], stdin: Iterable[str], *, labels: str, column: str = "label", group: str | None = None
) -> LabelledClips:
    """Find sounds and their labels, of two kinds or more.

    Parameters
    ----------
    given, stdin
        Where the sounds are.
    labels
        A CSV or JSONL with ``file_name`` and labels, or ``metadata``: the columns that manifests and rows give.
    column
        In which labels stand.
    group
        In which the group of each file stands; None for none.

    Raises
    ------
    UsageError
        For a table or column that is not there, or fewer than two labels.
    BadInputError
        When there is no sound, or a table is not readable.
    """
    clips = clips_with_labels(given, stdin, labels=labels, column=column, group=group)
    if len(clips.classes) < 2:
        only = f"one label, {clips.classes[0]!r}" if clips.classes else "no label"
        raise UsageError(f"--labels {labels}: gives the clips {only}: two or more are needed")
    return clips


def clips_with_labels(
    given: Sequence[str], stdin: Iterable[str], *, labels: str | None, column: str = "label", group: str | None = None
) -> LabelledClips:
    """Find sounds and what labels they have, as ``labelled_clips`` does, however few; None looks for none."""
    found = find_clips(given, stdin)
    refused = list(found.refused)
    if labels is None:
        nothing: list[str | None] = [None] * len(found.sources)
        return LabelledClips(found.sources, nothing, nothing, refused)
    if labels == METADATA_WORD:
        rows = [source.row for source in found.sources]
        columns = {name for row in rows for name in row}
    else:
        table = read_table(Path(labels))
        keys = [table.key_of(source) for source in found.sources]
        rows = [{} if key is None else dict(table.rows[key]) for key in keys]
        columns = set(table.columns)
        refused += [*table.refused, *_missing(table, {key for key in keys if key is not None}, labels)]
    for name in (column, group):
        if name is not None and name not in columns:
            told = ", ".join(sorted(columns)[:20]) or "none"
            raise UsageError(f"--labels {labels}: has no column {name!r} (columns: {told})")
    return LabelledClips(
        found.sources,
        [label_text(row.get(column)) for row in rows],
        [label_text(row.get(group)) if group is not None else None for row in rows],
        refused,
    )


def _missing(table: FileTable, used: set[str], name: str) -> list[Refusal]:
    """Refuse the rows of files that are nowhere; those of files outside of what was given are nobody's fault."""
    return [
        Refusal(f"{Path(name).name}: {key}", "is labelled and not there")
        for key in table.rows
        if key not in used and not (table.folder / key).exists()
    ]


def label_counts(labels: Iterable[str | None]) -> dict[str, int]:
    """Return how many clips have each label, sorted by label."""
    return dict(sorted(Counter(label for label in labels if label is not None).items()))
