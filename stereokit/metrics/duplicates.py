"""Clips that are the same in both sets: a generator that copies scores well."""

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
        for candidate in by_key.get(_key(measurement), ()):
            if path == candidate or np.array_equal(read(path).samples, read(candidate).samples):
                pairs.append((path, candidate))
                break
    return pairs


def _key(measurement: Measurement) -> tuple[object, ...]:
    return (measurement.sample_rate, measurement.fingerprint, measurement.sequence.tobytes())
