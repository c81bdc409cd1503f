"""Sources that are the same sound: which is the first of each, and one split for all of them."""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache

from stereokit.data.near_duplicates import groups_of
from stereokit.data.splits import assign_splits
from stereokit.data.text import nfc
from stereokit.workflows.build_job import Entry


def first_sources(entries: Sequence[Entry]) -> dict[str, str]:
    """Return for each source the first one, in the order of their names, that is the same sound; often itself."""
    sources = sorted((entry for entry in entries if not entry.parent), key=lambda entry: os.fsencode(entry.key))
    firsts = _groups(tuple(entry.prepared.fingerprint for entry in sources))
    return {entry.key: sources[first].key for entry, first in zip(sources, firsts, strict=True)}


# Asked for twice or more in a run, and the same each time.
@lru_cache(maxsize=1)
def _groups(fingerprints: tuple[bytes | None, ...]) -> list[int]:
    return groups_of(fingerprints)


def splits_of_groups(
    groups: Mapping[str, str], firsts: Mapping[str, str], fractions: Sequence[float], assignment: Mapping[str, str]
) -> dict[str, str]:
    """Return the split of each group; groups with sounds in common share the split of the first of them by name.

    A split given by hand holds for its group, and for all that are joined to it and have none.

    Parameters
    ----------
    groups
        By source.
    firsts
        By source: the first that is the same sound.
    """
    leaders: dict[str, str] = {}

    def leader(group: str) -> str:
        while leaders.get(group, group) != group:
            group = leaders[group]
        return group

    for source, first in firsts.items():
        low, high = sorted((leader(groups[source]), leader(groups[first])))
        leaders[high] = low
    by_hand: dict[str, str] = {}
    for group in sorted(set(groups.values())):
        if nfc(group) in assignment:
            by_hand.setdefault(leader(group), assignment[nfc(group)])
    plain = assign_splits(sorted({leader(group) for group in groups.values()}), fractions, {})
    return {
        group: assignment.get(nfc(group)) or by_hand.get(leader(group)) or plain[leader(group)]
        for group in groups.values()
    }
