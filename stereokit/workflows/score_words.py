"""Parts of a result of ``stereokit score`` in the words that all of its tables have in common."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stereokit import catalog
from stereokit.workflows.events import Json, Row

_TITLES = {"frechet": "Frechet distance, squared", "kernel_mmd": "kernel MMD"}


def label_word(fields: Mapping[str, Json]) -> str:
    """Return whose result a row is: a label's, of clips without one, or of all."""
    return "all" if fields["label"] is None else str(fields["label"]) or "(no label)"


def label_columns(labels: Sequence[Row]) -> list[str]:
    """Return the titles of a table of labels: each score beside its null, vectors' figures where a label has them."""
    names = catalog.names("score")
    titles = [title for name in names for title in (catalog.load("score", name).title, "expected")]
    return ["label", "n_gen", "n_ref", *titles, *(title for key, title in _TITLES.items() if _has(labels, key))]


def label_cells(fields: Mapping[str, Json], labels: Sequence[Row]) -> list[Json]:
    """Return a label's cells under ``label_columns``."""
    expected = fields["expected"]
    cells: list[Json] = [label_word(fields), fields["n_gen"], fields["n_ref"]]
    for name in catalog.names("score"):
        cells += [fields[name], expected.get(name) if isinstance(expected, dict) else None]
    values = {line.key: line.value for line in vector_lines(fields)}
    return cells + [values.get(key) for key in _TITLES if _has(labels, key)]


def _has(labels: Sequence[Row], key: str) -> bool:
    return any(row.fields.get(key) is not None for row in labels)


@dataclass(frozen=True)
class VectorLine:
    """One of the figures as it is shown.

    Attributes
    ----------
    key
        Its name in the row.
    title
        Its name in words.
    value
        The figure.
    expected
        What a perfect generator would get; None where that depends on the data.
    error
        Its standard error; None where it is not known, or the set too small for one.
    """

    key: str
    title: str
    value: Json
    expected: Json
    error: Json


def vector_lines(fields: Mapping[str, Json]) -> Iterator[VectorLine]:
    """Yield the figures of a row that stand in tables; none where the row has none."""
    for key, title in _TITLES.items():
        part = fields.get(key)
        if isinstance(part, dict):
            expected = 0 if key == "kernel_mmd" else None
            yield VectorLine(key, title, part["value"], expected, part.get("standard_error"))
