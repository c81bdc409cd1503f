"""One of the two sets that ``stereokit score`` compares: found, measured, counted."""

from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stereokit.data.sources import Refusal, Source, find_sources
from stereokit.data.tables import with_manifest
from stereokit.data.text import label_text
from stereokit.data.workers import map_chunks
from stereokit.errors import BadInputError
from stereokit.metrics.measure import Measurement, measure_files
from stereokit.metrics.protocol import Protocol
from stereokit.workflows.events import Json, Progress

# Decoding and measuring a clip takes 0.2 ms, starting a process 0.4 s.
_INLINE_CLIPS = 4000
_CHUNK_CLIPS = 250
_PROGRESS_STEP = 50


@dataclass(frozen=True)
class ScoredSet:
    """A set's usable clips and what became of the others.

    Attributes
    ----------
    name
        ``gen`` or ``ref``.
    given
        The word of the command line.
    clips
        Sources with their measurements, sorted by path bytes.
    refused
        Inputs that could not be used.
    dropped
        Clips without the width that the protocol judges, or without side signal where such are to be dropped.
    excluded
        Clips that ``--only`` leaves out.
    """

    name: str
    given: str
    clips: list[tuple[Source, Measurement]]
    refused: list[Refusal]
    dropped: list[Source]
    excluded: int

    @property
    def labels(self) -> set[str]:
        """The labels that occur."""
        return {label_of(source) for source, _ in self.clips}

    def with_label(self, label: str) -> "ScoredSet":
        """Return the part of the set with one label; what was refused has none."""
        clips = [clip for clip in self.clips if label_of(clip[0]) == label]
        return replace(self, clips=clips, refused=[], dropped=[], excluded=0)

    def sequences(self, protocol: Protocol) -> list[NDArray[np.float64]]:
        """Return each clip's sequence as the protocol compares it."""
        values = [measurement.sequence for _, measurement in self.clips]
        return [one / one.sum() for one in values] if protocol.is_shape else values

    def paths(self) -> list[tuple[str, Measurement]]:
        """Return each clip's path with its measurement."""
        return [(str(source.path), measurement) for source, measurement in self.clips]

    def summary(self) -> dict[str, Json]:
        """Count what the set held."""
        measured = [measurement for _, measurement in self.clips]
        rates = Counter(measurement.sample_rate for measurement in measured)
        durations = [measurement.frames / measurement.sample_rate for measurement in measured]
        return {
            "given": self.given,
            "found": len(self.clips) + len(self.refused) + len(self.dropped) + self.excluded,
            "used": len(self.clips),
            "refused": len(self.refused),
            "dropped_silent": len(self.dropped),
            "excluded": self.excluded,
            "mono": sum(measurement.channels == 1 for measurement in measured),
            "without_side": sum(not measurement.has_side for measurement in measured),
            "silent": sum(measurement.is_silent for measurement in measured),
            "clamped_windows": sum(measurement.clamped for measurement in measured),
            "side_distance_mean": float(np.mean([one.side_distance for one in measured])) if measured else None,
            "sample_rates": {str(rate): count for rate, count in sorted(rates.items())},
            "shortest_s": min(durations, default=None),
            "longest_s": max(durations, default=None),
        }


def label_of(source: Source) -> str:
    """Return a source's label; an empty text without one."""
    return label_text(source.row.get("label")) or ""


def measure_set(
    name: str,
    given: str,
    stdin: Iterable[str],
    protocol: Protocol,
    *,
    only: tuple[str, ...],
    with_labels: bool,
    drop_silent: bool,
    jobs: int,
) -> Generator[Progress, None, ScoredSet]:
    """Find a set's clips, measure them, and return them with the counts.

    Parameters
    ----------
    name
        ``gen``, ``ref`` or ``train``.
    given
        A folder, a list, or ``-`` for ``stdin``.
    protocol
        What is measured.
    only
        Labels to keep; empty keeps all.
    with_labels
        Look the labels of a folder's clips up in its ``metadata.jsonl``.
    drop_silent
        Leave out clips without side signal, whatever the protocol.
    jobs
        Processes for large sets.
    """
    found = find_sources(given, stdin, single_file=False)
    if with_labels or only:
        found = with_manifest(found, given, or_above=True)
    wanted = [source for source in found.sources if not only or label_of(source) in only]
    results = map_chunks(
        partial(measure_files, protocol=protocol),
        [str(source.path) for source in wanted],
        jobs=jobs,
        chunk=_CHUNK_CLIPS,
        inline_up_to=_INLINE_CLIPS,
        inline_chunk=_PROGRESS_STEP,
    )
    clips: list[tuple[Source, Measurement]] = []
    refused = list(found.refused)
    dropped: list[Source] = []
    for done, (source, result) in enumerate(zip(wanted, results, strict=True), start=1):
        if isinstance(result, BadInputError):
            refused.append(Refusal(str(source.path), str(result)))
        elif (protocol.is_shape and not result.sequence.any()) or (drop_silent and not result.has_side):
            dropped.append(source)
        else:
            clips.append((source, result))
        if done % _PROGRESS_STEP == 0 or done == len(wanted):
            yield Progress(f"measuring {name}", done, len(wanted))
    return ScoredSet(name, given, clips, refused, dropped, excluded=len(found.sources) - len(wanted))
