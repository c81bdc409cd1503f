"""Which split a group of clips belongs to: decided by its name alone, so that adding a file never moves another."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stereokit.data.tables import csv_rows
from stereokit.data.text import digest, nfc
from stereokit.errors import BadInputError, UsageError

SPLITS = ("train", "validation", "test")
_HASH_BYTES = 8


def parse_fractions(text: str) -> tuple[float, float, float]:
    """Read ``0.8,0.1,0.1``: the shares of train, validation and test.

    Raises
    ------
    UsageError
        Unless they are three numbers of 0 or more that add up to 1.

    >>> parse_fractions("0.8,0.1,0.1")
    (0.8, 0.1, 0.1)
    """
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--split {text!r}: give three numbers, e.g. 0.8,0.1,0.1") from None
    shares = (train, validation, test)
    if not all(0.0 <= share <= 1.0 for share in shares) or abs(sum(shares) - 1.0) > 1e-9:
        raise UsageError(f"--split {text!r}: the shares of train, validation and test must add up to 1")
    return shares


def split_of(group: str, fractions: Sequence[float]) -> str:
    """Return the split of a group: BLAKE2b of its composed name, as a number in [0, 1), against the shares.

    >>> split_of("TR-808", (0.8, 0.1, 0.1)) == split_of("TR-808", (0.8, 0.1, 0.1))
    True
    """
    place = int.from_bytes(digest(group, size=_HASH_BYTES)) / 256**_HASH_BYTES
    reached = 0.0
    for split, share in zip(SPLITS, fractions, strict=True):
        reached += share
        if place < reached:
            return split
    # Rounding can leave the last sum a hair under 1.
    return next(split for split, share in zip(SPLITS[::-1], fractions[::-1], strict=True) if share)


def read_assignment(path: Path) -> dict[str, str]:
    """Read a CSV with the columns ``group`` and ``split``: groups whose split is given by hand.

    Raises
    ------
    UsageError
        When it cannot be read, lacks a column, or names another split.
    """
    try:
        return _assignment(path)
    except (UsageError, BadInputError) as error:
        raise UsageError(f"--assign {error}") from error


def _assignment(path: Path) -> dict[str, str]:
    assignment: dict[str, str] = {}
    for number, row in csv_rows(path, "group", "split"):
        if isinstance(row, str):
            raise UsageError(f"{path} line {number}: {row}")
        group, split = nfc(str(row["group"])), str(row["split"])
        if split not in SPLITS:
            raise UsageError(f"{path} line {number}: split {split!r}: use {', '.join(SPLITS)}")
        if assignment.setdefault(group, split) != split:
            raise UsageError(f"{path} line {number}: {group!r} is already in {assignment[group]}")
    return assignment


def assign_splits(groups: Sequence[str], fractions: Sequence[float], assignment: Mapping[str, str]) -> dict[str, str]:
    """Return the split of each group, by hand where ``assignment`` has it."""
    return {group: assignment.get(nfc(group)) or split_of(group, fractions) for group in groups}
