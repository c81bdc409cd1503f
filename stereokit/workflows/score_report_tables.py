"""The tables on the page of ``stereokit score``: scores beside what a perfect generator gets, checks, inputs, notes."""

from collections.abc import Mapping, Sequence

from stereokit import catalog
from stereokit.workflows.events import Json, Row
from stereokit.workflows.report import Section, Table
from stereokit.workflows.score_files import Verdict
from stereokit.workflows.score_words import label_cells, label_columns, vector_lines

_COUNTS = {
    "found": "found",
    "used": "used",
    "refused": "refused",
    "dropped_silent": "dropped as without side",
    "excluded": "excluded by label",
    "mono": "mono files",
    "without_side": "without side signal",
    "silent": "silent",
    "side_distance_mean": "mean side distance",
    "shortest_s": "shortest, seconds",
    "longest_s": "longest, seconds",
}
_LISTED = 20
_SETS = {"gen": "generated", "ref": "reference"}


def figure_word(value: Json) -> str:
    """Return a figure as it is read."""
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def listed(values: Mapping[str, float]) -> str:
    """Return names with their figures."""
    return ", ".join(f"{name} {figure_word(value)}" for name, value in values.items())


def scores_section(fields: Mapping[str, Json]) -> Section:
    """Return each score beside what a perfect generator gets at these sizes."""
    expected, intervals, baseline = (_part(fields, key) for key in ("expected", "interval", "baseline"))
    columns = ["score", "this set", "a perfect generator", "p", "95 % interval", *(["baseline"] if baseline else [])]
    rows, points = [], []
    for name in catalog.names("score"):
        score = catalog.load("score", name)
        around = _part(intervals, name)
        ends = [around.get(end) for end in ("low", "high")]
        interval = "-" if None in ends else " to ".join(map(figure_word, ends))
        figures = [figure_word(one) for one in (fields[name], expected.get(name), fields.get(f"{name}_p"))]
        rows.append([score.title, *figures, interval, *([figure_word(baseline.get(name))] if baseline else [])])
        points.append(f"{score.title}: {score.summary}.")
    before = {line.key: line.value for line in vector_lines(baseline)}
    for line in vector_lines(fields):
        figures = [figure_word(one) for one in (line.value, line.expected)]
        error = "-" if line.error is None else f"standard error {figure_word(line.error)}"
        rows.append([line.title, *figures, "-", error, *([figure_word(before.get(line.key))] if baseline else [])])
    points.append(
        f"MMD has the unit of the feature: {fields['unit']}. A dash is what was not asked for or cannot be told."
    )
    caption = f"{fields['n_gen']} generated against {fields['n_ref']} reference clips"
    if fields["draws"] != 1:
        caption += f", mean of {fields['draws']} draws"
    return Section("How near are they?", table=Table(caption, (), columns, rows), points=points)


def labels_section(labels: Sequence[Row]) -> list[Section]:
    """Return each label's scores; nothing where they were not asked for."""
    if not labels:
        return []
    rows = [list(map(figure_word, label_cells(row.fields, labels))) for row in labels]
    table = Table("Clips of one label against those of the same", (), label_columns(labels), rows)
    return [Section("By label", table=table)]


def checks_section(verdict: Verdict) -> list[Section]:
    """Return how the checks came out; nothing where there were none."""
    if not verdict.checks:
        return []
    failed = verdict.failed
    rows = [[one.text, "fails" if one in failed else "ok", one.told(verdict.known)] for one in verdict.checks]
    return [Section("Checks", table=Table("A check fails where its condition holds", (), ["--fail-if", "", ""], rows))]


def inputs_section(fields: Mapping[str, Json]) -> Section:
    """Return what each set held, and what was refused by name."""
    sets = [_part(fields, name) for name in _SETS]
    rows = [[title, *(figure_word(one.get(key)) for one in sets)] for key, title in _COUNTS.items()]
    rates = [", ".join(f"{count} at {rate} Hz" for rate, count in _part(one, "sample_rates").items()) for one in sets]
    rows.append(["sample rates", *rates])
    audits = [_part(_part(fields, "audit"), name) for name in _SETS]
    for part, prefix in (("counts", ""), ("image_classes", "image class ")):
        counts = [_part(one, part) for one in audits]
        rows += [[f"{prefix}{key}", *(figure_word(one.get(key)) for one in counts)] for key in counts[0]]
    refused = fields["failed"] if isinstance(fields["failed"], list) else []
    points = [f"{one['set']}: {one['path']}: {one['reason']}" for one in refused[:_LISTED] if isinstance(one, dict)]
    if len(refused) > _LISTED:
        points.append(f"{len(refused) - _LISTED} more inputs were refused")
    return Section("What was compared", table=Table("Clips by set", (), ["", *_SETS.values()], rows), points=points)


def notes_section(fields: Mapping[str, Json]) -> Section:
    """Return what a reader must know to read the figures right."""
    notes = [f"{note}." for note in (fields["notes"] if isinstance(fields["notes"], list) else [])]
    if copies := fields["duplicates_across"]:
        notes.append(f"{copies} generated clips are exact copies of reference clips.")
    if learned := _part(fields, "memorisation"):
        told = ", ".join(
            f"{key} {figure_word(learned[key])}" for key in ("nearer", "z", "suspects", "copies", "n_train")
        )
        notes.append(f"Against the clips trained on: {told}.")
    return Section("How to read this", points=notes)


def _part(fields: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    part = fields.get(key)
    return part if isinstance(part, dict) else {}
