"""``--paired --baseline``: an earlier result for pairs beside which this one stands."""

from collections.abc import Mapping
from pathlib import Path

from stereokit.errors import BadInputError
from stereokit.metrics.paired.views import VIEWS
from stereokit.workflows.events import Json
from stereokit.workflows.score_baseline import last_result
from stereokit.workflows.score_pair_rows import PAIRS_SCHEMA
from stereokit.workflows.score_pair_words import WIDTH_TITLES

_SHOWN = ("pairs", "over", "window_samples", *VIEWS, *WIDTH_TITLES)


def read_pair_baseline(path: Path, window: int | None) -> dict[str, Json]:
    """Read a result of ``--paired`` that ``--save`` or standard output wrote.

    Parameters
    ----------
    path
        The file, as given.
    window
        What this run compares: windows of so many samples, or None for whole clips.

    Raises
    ------
    UsageError
        When the file does not exist.
    BadInputError
        When it holds no result for pairs, or one of other windows.
    """
    fields = last_result(path, PAIRS_SCHEMA)
    before = fields.get("window_samples")
    if before != window:
        words = [f"windows of {one} samples" if one else "whole clips" for one in (before, window)]
        raise BadInputError(
            f"{path}: was scored over {words[0]}, this run is over {words[1]}: score with the settings of the "
            "baseline, or make a new one with --save"
        )
    return fields


def baseline_summary(baseline: Mapping[str, Json]) -> dict[str, Json]:
    """Return the figures that the new result repeats."""
    return {key: baseline.get(key) for key in _SHOWN}


def baseline_notes(baseline: Mapping[str, Json], fields: Mapping[str, Json]) -> list[Json]:
    """Say what makes a comparison unfair."""
    if baseline.get("pairs") == fields["pairs"]:
        return []
    return [f"the baseline has {baseline.get('pairs')} pairs, this result {fields['pairs']}: they may be other ones"]
