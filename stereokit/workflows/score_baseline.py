"""``--baseline``: an earlier result of ``stereokit score`` beside which this one stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from stereokit import catalog
from stereokit.data.sources import json_row, read_text
from stereokit.errors import BadInputError
from stereokit.workflows.events import Json
from stereokit.workflows.score_rows import SCORE_SCHEMA

# What must be the same for two results to be about the same thing.
_SETTINGS = ("feature", "embedding.run", "distance", "range", "length_s", "length_samples", "shape", "sizes")
_SHOWN = ("nna_p", "n_gen", "n_ref", "frechet", "kernel_mmd")


@dataclass(frozen=True)
class Baseline:
    """An earlier result.

    Attributes
    ----------
    path
        The file, as given.
    fields
        All of its figures.
    """

    path: str
    fields: Mapping[str, Json]

    def summary(self) -> dict[str, Json]:
        """Return the figures that the new result repeats."""
        return {key: self.fields.get(key) for key in (*catalog.names("score"), *_SHOWN)}

    def check_settings(self, fields: Mapping[str, Json]) -> None:
        """Refuse a result with which this one must not be compared.

        Raises
        ------
        BadInputError
            Naming the setting and both values.
        """
        for key in _SETTINGS:
            before, now = (_setting(one, key) for one in (self.fields, fields))
            if before != now:
                raise BadInputError(
                    f"{self.path}: was scored with {key} {_word(before)}, this run has {_word(now)}: score with the "
                    "settings of the baseline, or make a new one with --save"
                )

    def notes(self, fields: Mapping[str, Json]) -> list[Json]:
        """Say what makes a comparison unfair."""
        sizes = [tuple(one.get(key) for key in ("n_gen", "n_ref")) for one in (self.fields, fields)]
        if sizes[0] == sizes[1]:
            return []
        before, now = (f"{gen} + {ref}" for gen, ref in sizes)
        return [f"the baseline has {before} clips, this result {now}: MMD and COV move with the number of clips"]


def _setting(fields: Mapping[str, Json], key: str) -> Json:
    name, _, part = key.partition(".")
    value = fields.get(name)
    return value.get(part) if part and isinstance(value, dict) else value


def _word(value: Json) -> str:
    return json.dumps(value)


def read_baseline(path: Path) -> Baseline:
    """Read a result that ``--save`` or standard output wrote: the last row of the schema.

    Raises
    ------
    UsageError
        When the file does not exist.
    BadInputError
        When it holds no result.
    """
    return Baseline(str(path), last_result(path, SCORE_SCHEMA))


def last_result(path: Path, schema: str) -> dict[str, Json]:
    """Return the figures of the last row of a schema in a file, a label's left out; raises as ``read_baseline``."""
    parsed = map(json_row, read_text(path).splitlines())
    rows = [row for row in parsed if row and row.get("schema") == schema and row.get("label") is None]
    if not rows:
        raise BadInputError(f"{path}: holds no result of stereokit score ({schema}): make one with --save")
    # A JSON object of finite numbers is what its type says.
    return cast("dict[str, Json]", rows[-1])
