"""Clips that are the same: within a set they count twice, across the sets a generator that copies scores well."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from stereokit.audio.files import read
from stereokit.metrics.measure import Measurement

Clips = Sequence[tuple[str, Measurement]]


def duplicates_across(generated: Clips, reference: Clips) -> list[tuple[str, str]]:
    """List generated clips whose samples equal those of a reference clip, with the first such clip.

    Parameters
    ----------
    generated, reference
        (path, measurement) pairs; only clips that the measurements cannot tell apart are read again.
    """
    by_key: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for path, measurement in reference:
        by_key[_key(measurement)].append(path)
    pairs = []
    for path, measurement in generated:
        original = _first_equal(path, by_key.get(_key(measurement), ()))
        if original is not None:
            pairs.append((path, original))
    return pairs


def duplicates_within(clips: Clips) -> list[tuple[str, str]]:
    """List clips whose samples equal those of an earlier clip of the set, with the first such clip."""
    originals: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    pairs = []
    for path, measurement in clips:
        candidates = originals[_key(measurement)]
        original = _first_equal(path, candidates)
        if original is None:
            candidates.append(path)
        else:
            pairs.append((path, original))
    return pairs


def _first_equal(path: str, candidates: Sequence[str]) -> str | None:
    for candidate in candidates:
        if path == candidate or np.array_equal(read(path).samples, read(candidate).samples):
            return candidate
    return None


def _key(measurement: Measurement) -> tuple[object, ...]:
    return (measurement.sample_rate, measurement.fingerprint, measurement.sequence.tobytes())
