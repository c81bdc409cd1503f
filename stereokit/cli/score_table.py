"""The rows of ``stereokit score`` as tables for a terminal."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from stereokit import catalog
from stereokit.cli.tables import cell, plain_table, row_table
from stereokit.workflows.score_words import label_word, vector_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from stereokit.workflows.events import Json, Row


def score_table(rows: "Sequence[Row]") -> "RenderableType":
    """Draw each score beside what a perfect generator would get, clips and labels first."""
    clips = [row for row in rows if "cov" not in row.fields]
    parts: list[RenderableType] = [row_table(clips), Text()] if clips else []
    results = [row.fields for row in rows if "cov" in row.fields]
    names = catalog.names("score")
    titles = [title for name in names for title in (catalog.load("score", name).title, "expected")]
    columns = ["label", "n_gen", "n_ref", *titles]
    parts.append(plain_table(columns, [_score_line(fields, names) for fields in results]))
    parts.extend(_vector_table(results))
    last = results[-1]
    parts.append(Text(f"\n{last['verdict']}"))
    parts.extend(Text(line) for line in _chance_lines(last))
    settings = f"protocol {last['protocol']}, {last['feature']} ({last['unit']}) compared by {last['distance']}"
    parts.append(Text(f"{settings}; sizes {last['sizes']}, {last['draws']} draw(s), seed {last['seed']}"))
    parts.extend(Text(f"{name}: {_set_line(last[name])}") for name in ("gen", "ref"))
    notes = last["notes"]
    parts.extend(Text(f"- {note}") for note in (notes if isinstance(notes, list) else []))
    return Group(*parts)


def _chance_lines(fields: "Mapping[str, Json]") -> "Iterator[str]":
    """Yield what --statistics adds; nothing without it."""
    intervals, detectable = fields["interval"], fields["detectable"]
    if not isinstance(intervals, dict) or not isinstance(detectable, dict) or fields["mmd_p"] is None:
        return
    yield f"p of MMD {cell(fields['mmd_p'])}"
    for name, ends in intervals.items():
        if isinstance(ends, dict) and ends["low"] is not None:
            yield f"95 % interval of {catalog.load('score', name).title}: {cell(ends['low'])} to {cell(ends['high'])}"
    width = detectable["width_percent"]
    yield f"smallest change of width that shows: {'none' if width is None else f'{cell(width)} %'}"


def _vector_table(results: "Sequence[Mapping[str, Json]]") -> "Iterator[RenderableType]":
    """Yield a table of the figures of vectors, where there are any."""
    cells: list[list[Json]] = []
    titles: list[str] = []
    for fields in results:
        if lines := list(vector_lines(fields)):
            frechet, kernel = lines
            titles = [frechet.title, kernel.title]
            cells.append([label_word(fields), frechet.value, kernel.value, kernel.expected, kernel.error])
    if cells:
        yield from (Text(), plain_table(["label", *titles, "expected", "standard error"], cells))


def _score_line(fields: "Mapping[str, Json]", names: "Sequence[str]") -> "list[Json]":
    line = [label_word(fields), fields["n_gen"], fields["n_ref"]]
    expected = fields["expected"]
    for name in names:
        line += [fields[name], expected[name] if isinstance(expected, dict) else None]
    return line


def _set_line(counts: "Json") -> str:
    if not isinstance(counts, dict):
        return ""
    return ", ".join(
        f"{counts[key]} {words}"
        for key, words in (
            ("used", "used"),
            ("refused", "refused"),
            ("dropped_silent", "dropped as silent"),
            ("excluded", "of other labels"),
            ("mono", "mono"),
            ("without_side", "without side signal"),
        )
        if key == "used" or counts[key]
    )
