"""A result of ``stereokit score --paired`` in Markdown, for CI pages."""

from collections.abc import Iterator, Mapping

from stereokit.workflows.events import Json
from stereokit.workflows.score_files import Verdict, markdown_checks, markdown_table, markdown_word
from stereokit.workflows.score_pair_words import VIEW_TITLES, figure_lines, results, width_lines

_LISTED = 20


def pairs_markdown(verdict: Verdict) -> str:
    """Return a summary in GitHub's Markdown: mean ± deviation of each figure, checks, refused inputs and notes."""
    fields = verdict.row.fields
    views = [*VIEW_TITLES.values()]
    has_baseline = len(results(fields)) > 1
    lines = [f"### stereokit score --paired: {markdown_word(fields['verdict'])}", ""]
    columns = ["", *views, *(f"baseline, {view}" for view in views if has_baseline)]
    lines += markdown_table(columns, [[*line] for line in figure_lines(fields)])
    columns = ["STSD, full scale", "", *(["baseline"] if has_baseline else [])]
    lines += ["", *markdown_table(columns, [[*line] for line in width_lines(fields)])]
    lines += markdown_checks(verdict)
    lines += ["", *(f"- {markdown_word(text)}" for text in _points(fields))]
    return "\n".join(lines) + "\n"


def _points(fields: Mapping[str, Json]) -> Iterator[str]:
    yield f"{fields['pairs']} pairs, mean ± standard deviation over {fields['over']}"
    refused = fields["failed"] if isinstance(fields["failed"], list) else []
    yield from (f"{one['set']}: {one['path']}: {one['reason']}" for one in refused[:_LISTED] if isinstance(one, dict))
    if len(refused) > _LISTED:
        yield f"{len(refused) - _LISTED} more inputs were refused"
    notes = fields["notes"]
    yield from (str(note) for note in (notes if isinstance(notes, list) else []))
