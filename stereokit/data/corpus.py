"""A prepared data set, opened for training: one split, all clips of one rate and length."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Recording
from stereokit.audio.files import read
from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.pitch_names import PITCH_IN_NAME, pitch_in_name
from stereokit.data.sources import json_row, read_text
from stereokit.data.splits import SPLITS
from stereokit.data.tables import METADATA, TableRow, read_table
from stereokit.data.text import label_text, nfc
from stereokit.errors import BadInputError, UsageError
from stereokit.writing import contained_path

LABEL_COLUMN = "label"
_TOLD_LABELS, _TOLD_COLUMNS = 20, 40


@dataclass(frozen=True)
class CorpusClip:
    """One clip of a data set.

    Attributes
    ----------
    file_name
        Relative to the data set.
    label
        Its class; None without one.
    target
        As its row names it: the clip that this one should become; None without one.
    """

    file_name: str
    label: str | None
    target: str | None


@dataclass(frozen=True)
class Corpus:
    """One split of a data set.

    Attributes
    ----------
    folder
        Of the data set.
    split
        Its name.
    sample_rate
        Hz of every clip.
    frames
        Samples of every clip.
    fingerprint
        The data set's own, for the record.
    clips
        In the order of the manifest.
    whole
        All clips of the split by file name, whatever ``only`` left.
    """

    folder: Path
    split: str
    sample_rate: int
    frames: int
    fingerprint: str
    clips: tuple[CorpusClip, ...]
    whole: Mapping[str, CorpusClip] = field(repr=False)

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(sorted({clip.label for clip in self.clips if clip.label is not None}))

    @cached_property
    def label_counts(self) -> dict[str, int]:
        """How many clips have each label, in the order of ``labels``."""
        counts = Counter(clip.label for clip in self.clips if clip.label is not None)
        return {label: counts[label] for label in self.labels}

    def label_of(self, number: int) -> str | None:
        """Return the label of a clip, None without one."""
        return self.clips[number].label

    def only(self, labels: Iterable[str]) -> "Corpus":
        """Return the part with these labels.

        Raises
        ------
        UsageError
            For a label that no clip has.
        """
        wanted = {nfc(label) for label in labels}
        if unknown := sorted(wanted - set(self.labels)):
            told = ", ".join(self.labels[:_TOLD_LABELS]) or "none"
            raise UsageError(f"--only {unknown[0]!r}: no clip of split {self.split} has this label (labels: {told})")
        return replace(self, clips=tuple(clip for clip in self.clips if clip.label in wanted))

    def recording(self, clip: CorpusClip) -> Recording:
        """Decode a clip.

        Raises
        ------
        BadInputError
            Naming the file, when it is gone or damaged, or no longer what its row says.
        """
        path = self.folder / clip.file_name
        try:
            recording = read(path)
            recording.require_stereo()
        except BadInputError as error:
            raise BadInputError(f"{path}: {error}") from error
        if (recording.sample_rate, recording.frames) != (self.sample_rate, self.frames):
            raise BadInputError(
                f"{path}: has {recording.frames} samples at {recording.sample_rate} Hz, "
                f"its row says {self.frames} at {self.sample_rate} Hz: it changed since prep"
            )
        return recording

    def read(self, number: int) -> NDArray[np.float32]:
        """Return a clip's left and right, float32 of shape (2, T), full scale ±1.

        Raises
        ------
        BadInputError
            As ``recording`` does.
        """
        return self.recording(self.clips[number]).to_clip().samples

    def pairs(self) -> Iterator[tuple[CorpusClip, CorpusClip]]:
        """Yield each clip with the one that it should become; those that are only aimed at do not come first.

        Raises
        ------
        BadInputError
            When a clip has no target, one outside the data set, or one that is no clip of this split.
        """
        targets = {name: self._target(clip) for name, clip in self.whole.items() if clip.target is not None}
        aimed_at = set(targets.values())
        for clip in self.clips:
            if clip in aimed_at:
                continue
            if clip.file_name not in targets:
                raise BadInputError(
                    f"{self.folder}: {clip.file_name} has no target: its row in {METADATA} must name "
                    f"the clip that it should become"
                )
            yield clip, targets[clip.file_name]

    def _target(self, clip: CorpusClip) -> CorpusClip:
        where = f"{self.folder}: the target of {clip.file_name}"
        try:
            path = contained_path(self.folder, clip.target or "")
        except BadInputError as error:
            raise BadInputError(f"{where}: {error}") from error
        found = self.whole.get(nfc(path.relative_to(self.folder).as_posix()))
        if found is None:
            raise BadInputError(f"{where}, {clip.target!r}, is no clip of its split {self.split}")
        return found


def open_corpus(folder: Path, split: str, *, sample_rate: int, frames: int, label_column: str = LABEL_COLUMN) -> Corpus:
    """Open a split of a data set for a model.

    Parameters
    ----------
    folder
        What ``prep`` made.
    split
        ``train``, ``validation`` or ``test``.
    sample_rate, frames
        What the model needs: Hz, and samples of a clip.
    label_column
        The column of metadata that labels come from; ``pitch-in-name`` reads pitch classes from file names.

    Raises
    ------
    UsageError
        When there is no such folder or split.
    BadInputError
        When it is no finished data set, has a damaged row, no clip in this split, or clips of another rate or length,
        or no clip of the split has a label in that column.
    """
    if split not in SPLITS:
        raise UsageError(f"split {split!r}: use {', '.join(SPLITS)}")
    if not folder.is_dir():
        raise UsageError(f"{folder}: is no folder; give a data set that prep made")
    description = json_row(read_text(folder / DESCRIPTION)) if (folder / DESCRIPTION).is_file() else None
    if description is None or description.get("schema") != DATASET_SCHEMA:
        raise BadInputError(f"{folder}: is no finished data set (no {DESCRIPTION} of prep's in it): prep makes one")
    table = read_table(folder / METADATA)
    if table.refused:
        first = table.refused[0]
        raise BadInputError(f"{folder}: {first.path} {first.reason}")
    rows = {name: row for name, row in table.rows.items() if row.get("split") == split}
    if not rows:
        counts = {one: sum(row.get("split") == one for row in table.rows.values()) for one in SPLITS}
        told = ", ".join(f"{one} {count}" for one, count in counts.items() if count) or "none"
        raise BadInputError(f"{folder}: its split {split} has no clips (splits with clips: {told})")
    _check_sizes(folder, rows, sample_rate=sample_rate, frames=frames)
    labels = _labels(folder, rows, label_column)
    clips = {name: CorpusClip(name, labels[name], label_text(row.get("target"))) for name, row in rows.items()}
    fingerprint = str(description.get("fingerprint"))
    return Corpus(folder, split, sample_rate, frames, fingerprint, tuple(clips.values()), clips)


def _labels(folder: Path, rows: Mapping[str, TableRow], column: str) -> dict[str, str | None]:
    """Return each clip's label; a column that somebody asked for has to be there."""
    if column == PITCH_IN_NAME:
        labels = {name: pitch_in_name(str(row.get("source") or name)) for name, row in rows.items()}
        told = "no file name of it has a pitch, as in 'stab_F#.wav'"
    else:
        labels = {name: label_text(row.get(column)) for name, row in rows.items()}
        columns = sorted({str(key) for row in rows.values() for key in row})
        told = f"no clip of it has a {column!r} (columns: {', '.join(columns[:_TOLD_COLUMNS])})"
    if column != LABEL_COLUMN and not any(labels.values()):
        raise BadInputError(f"{folder}: --condition {column}: {told}")
    return labels


def _check_sizes(folder: Path, rows: Mapping[str, TableRow], *, sample_rate: int, frames: int) -> None:
    """Refuse another rate or length before anything is read, and say what to do."""
    rates, lengths = (_column(folder, rows, name) for name in ("sample_rate_hz", "frames"))
    if rates == {sample_rate} and lengths == {frames}:
        return
    prep, settings = [], []
    if rates != {sample_rate}:
        prep.append(f"--rate {sample_rate}")
        settings.append(f"--set sample_rate={_span(rates)}")
    # At another rate the same length in seconds has another length in samples.
    seconds = {length / rate for length in lengths for rate in rates}
    if {round(length * sample_rate) for length in seconds} != {frames}:
        prep.append(f"--length {_decimal(frames / sample_rate)}")
        settings.append(f"--set seconds={_decimal(min(seconds))}")
    # Clips of several kinds fit no model as they are.
    other = f", or train with {' '.join(settings)}" if len(rates) == len(lengths) == 1 else ""
    wanted = f"{frames}" if rates == {sample_rate} else f"{frames} at {sample_rate} Hz"
    raise BadInputError(
        f"{folder}: its clips have {_span(lengths)} samples at {_span(rates)} Hz, the model makes {wanted}: "
        f"prep with {' '.join(prep)}{other}"
    )


def _column(folder: Path, rows: Mapping[str, TableRow], column: str) -> set[int]:
    """Return the values that occur in a column of positive whole numbers."""
    found = set()
    for name, row in rows.items():
        value = row.get(column)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise BadInputError(f"{folder}: {METADATA} gives {name} no {column}, a whole number above 0: prep it again")
        found.add(value)
    return found


def _span(values: set[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _decimal(seconds: float) -> str:
    """Return seconds so that they give the same number of samples again, at any rate that is read."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
