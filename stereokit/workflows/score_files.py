"""What ``stereokit score`` writes beside its result: the result itself, and summaries that CI pages show."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from stereokit import catalog
from stereokit.data.text import printable
from stereokit.errors import OutputError, UsageError
from stereokit.workflows.checks import Check
from stereokit.workflows.events import Json, Row, row_to_json
from stereokit.workflows.score_words import label_cells, label_columns, vector_lines
from stereokit.writing import write_file

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Verdict:
    """A result with the checks it was put to.

    Attributes
    ----------
    row
        The result.
    known
        Its figures, and the baseline's under ``baseline``.
    checks
        All of them.
    labels
        The results of each label, where they were asked for.
    """

    row: Row
    known: Mapping[str, Json]
    checks: Sequence[Check]
    labels: Sequence[Row] = ()

    @property
    def failed(self) -> list[Check]:
        """The conditions that hold."""
        return [check for check in self.checks if check.fails(self.known)]


@dataclass(frozen=True)
class ScoreFiles:
    """Where results are written; what is there is replaced, None writes nothing."""

    save: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    report: Path | None = None
    plot: Path | None = None

    def check_places(self) -> None:
        """Stop before any work when a file cannot be written in the end.

        Raises
        ------
        UsageError
            When two files are one, or the name of a page or a picture ends in what is not made.
        OutputError
            When its folder is missing, or the path is a folder.
        """
        places = {f"--{name}": path for name, path in vars(self).items() if path is not None}
        names: dict[Path, str] = {}
        for option, path in places.items():
            if (other := names.setdefault(path.resolve(), option)) != option:
                raise UsageError(f"{other} and {option}: both would write {path}; give each a file of its own")
        for option, picture, suffixes in (
            ("--report", self.report, (".html", ".htm")),
            ("--plot", self.plot, (".png", ".svg")),
        ):
            if picture is not None and picture.suffix.lower() not in suffixes:
                raise UsageError(f"{option} {picture}: its name must end in {' or '.join(suffixes)}")
        for path in places.values():
            if path.is_dir() or not path.parent.is_dir():
                raise OutputError(f"cannot write {path}: {'is a folder' if path.is_dir() else 'its folder is missing'}")

    def write(self, verdict: Verdict, *, markdown: Callable[[Verdict], str] | None = None) -> None:
        """Write what was asked for of text alone, each file whole or not at all.

        Parameters
        ----------
        verdict
            The result.
        markdown
            Makes its summary; ``markdown_text`` if None.

        Raises
        ------
        OutputError
            When one cannot be written.
        """
        forms: list[tuple[Path | None, Callable[[Verdict], str]]] = [
            (self.save, lambda verdict: row_to_json(verdict.row) + "\n"),
            (self.junit, junit_text),
            (self.markdown, markdown or markdown_text),
        ]
        for path, form in forms:
            if path is not None:
                write_file(path, form(verdict).encode())


def junit_text(verdict: Verdict) -> str:
    """Return JUnit XML: a test case for the inputs, and one for each check."""
    refused = verdict.row.fields["failed"]
    reasons = [f"{one['path']}: {one['reason']}" for one in refused if isinstance(one, dict)] if refused else []  # type: ignore[union-attr]
    cases = [_case("inputs", f"{len(reasons)} inputs were refused" if reasons else "", "\n".join(reasons))]
    for check in verdict.checks:
        told = check.told(verdict.known)
        cases.append(_case(f"--fail-if {check.text}", told if check in verdict.failed else "", told))
    failures = len(verdict.failed) + bool(reasons)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0"'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts}>\n'
        f'  <testsuite name="stereokit score" {counts}>\n' + "".join(cases) + "  </testsuite>\n</testsuites>\n"
    )


def _case(name: str, message: str, detail: str) -> str:
    start = f'    <testcase classname="stereokit.score" name="{_xml(name)}"'
    if not message:
        return f"{start}/>\n"
    return f'{start}>\n      <failure message="{_xml(message)}">{_xml(detail)}</failure>\n    </testcase>\n'


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def markdown_text(verdict: Verdict) -> str:
    """Return a summary in GitHub's Markdown: scores beside their nulls, checks, inputs and notes."""
    fields = verdict.row.fields
    lines = [f"### stereokit score: {markdown_word(fields['verdict'])}", ""]
    lines += markdown_table(["score", "value", "expected", "p", "95 % interval", "baseline"], _score_lines(fields))
    lines += _label_table(verdict.labels)
    lines += markdown_checks(verdict)
    lines.append("")
    for name in ("gen", "ref"):
        counts = fields[name]
        if isinstance(counts, dict):
            told = ", ".join(f"{counts[key]} {key}" for key in ("found", "used", "refused", "dropped_silent"))
            lines.append(f"- {name}: {markdown_word(told)}")
    notes = fields["notes"]
    lines += [f"- {markdown_word(note)}" for note in (notes if isinstance(notes, list) else [])]
    return "\n".join(lines) + "\n"


def markdown_checks(verdict: Verdict) -> list[str]:
    """Return a table of how the checks came out; empty without checks."""
    if not verdict.checks:
        return []
    failed, known = verdict.failed, verdict.known
    rows: list[list[Json]] = [
        [check.text, "fails" if check in failed else "ok", check.told(known)] for check in verdict.checks
    ]
    return ["", *markdown_table(["--fail-if", "", ""], rows)]


def _label_table(labels: Sequence[Row]) -> list[str]:
    """Return a table of the labels' scores, each beside what a perfect generator would get; empty without labels."""
    if not labels:
        return []
    return ["", *markdown_table(label_columns(labels), [label_cells(row.fields, labels) for row in labels])]


def _score_lines(fields: Mapping[str, Json]) -> Iterator[list[Json]]:
    expected, intervals, baseline = (fields[key] for key in ("expected", "interval", "baseline"))
    for name in catalog.names("score"):
        around = intervals.get(name) if isinstance(intervals, dict) else None
        ends = [around["low"], around["high"]] if isinstance(around, dict) else [None]
        told = None if None in ends else " to ".join(map(_figure, ends))
        null, before = (one.get(name) if isinstance(one, dict) else None for one in (expected, baseline))
        yield [catalog.load("score", name).title, fields[name], null, fields.get(f"{name}_p"), told, before]
    known = vector_lines(baseline) if isinstance(baseline, dict) else ()
    befores = {line.key: line.value for line in known}
    for line in vector_lines(fields):
        told = None if line.error is None else f"standard error {_figure(line.error)}"
        yield [line.title, line.value, line.expected, None, told, befores.get(line.key)]


def markdown_table(columns: Sequence[str], rows: Iterator[list[Json]] | Sequence[Sequence[Json]]) -> list[str]:
    """Return the lines of a table; figures are rounded, text is shown as it is."""
    lines = [[*columns], ["---"] * len(columns), *([_figure(cell) for cell in row] for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _figure(value: Json) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else markdown_word(value)


def markdown_word(value: Json) -> str:
    """Return text that Markdown, and HTML in it, shows as it is."""
    return re.sub(r"([\\`*_{}\[\]|#~])", r"\\\1", escape(printable(str(value)), quote=False))
