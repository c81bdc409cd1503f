"""``stereokit score --paired --report`` and ``--plot``: pairs as a page to see and hear, and as a picture."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from stereokit import __version__
from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.workflows.events import Json, Progress
from stereokit.workflows.report import Picture, Player, Section, Table, page
from stereokit.workflows.score_files import Verdict
from stereokit.workflows.score_pair_pictures import course_picture, figures_picture, plot, widths_picture
from stereokit.workflows.score_pair_settings import MeasuredPair
from stereokit.workflows.score_pair_shown import ORDER, ShownPair, ShownPairs, heard, shown_pairs
from stereokit.workflows.score_pair_words import (
    FIGURE_TITLES,
    MEANINGS,
    VIEW_TITLES,
    figure_lines,
    results,
    spread,
    spread_word,
    width_lines,
)
from stereokit.workflows.score_report_tables import checks_section, figure_word
from stereokit.workflows.score_settings import ScoreSettings
from stereokit.workflows.score_shown import HEARD_S
from stereokit.writing import write_file

_LISTED = 100


def illustrate(verdict: Verdict, measured: Sequence[MeasuredPair], settings: ScoreSettings) -> Iterator[Progress]:
    """Write a result's page and its picture, each whole or not at all, and tell how far that is.

    Parameters
    ----------
    verdict
        The result.
    measured
        Its pairs.
    settings
        Where page and picture go: the latter as SVG where its name ends so, and else as PNG.

    Raises
    ------
    BadInputError
        When a clip is gone.
    OutputError
        When a file cannot be written.
    """
    shown = yield from shown_pairs(measured)
    report, picture = settings.files.report, settings.files.plot
    if report is not None:
        write_file(report, pairs_page(verdict, shown).encode())
    if picture is not None:
        words = _sentence(verdict.row.fields["verdict"])
        write_file(picture, plot(shown, words, is_vector=picture.suffix.lower() == ".svg"))


def pairs_page(verdict: Verdict, shown: ShownPairs) -> str:
    """Return the page; it holds no time and only those places that were typed, so that equal results give equal pages.

    Raises
    ------
    BadInputError
        When a clip is gone.
    """
    fields = verdict.row.fields
    over = "whole clips" if fields["window_samples"] is None else f"windows of {fields['window_samples']} samples"
    settings = (
        f"stereokit {__version__} compared {fields['pairs']} clips of {fields['gen']} (the estimates), each with the "
        f"clip of the same name in {fields['ref']} (its target), over {over}."
    )
    sections = [
        _figures(fields),
        *checks_section(verdict),
        _spread(shown, fields),
        _widths(shown, fields),
        *_pairs("Farthest pairs", "farthest from their targets", shown.farthest),
        *_pairs("Nearest pairs", "nearest to their targets", shown.nearest),
        *_refused(fields),
        Section("How to read this", points=[f"{note}." for note in _list(fields, "notes")]),
    ]
    title = f"stereokit score --paired: {fields['gen']} against {fields['ref']}"
    return page(title, [_sentence(fields["verdict"]), settings], sections)


def _sentence(verdict: Json) -> str:
    text = str(verdict)
    return f"{text[:1].upper()}{text[1:]}."


def _figures(fields: Mapping[str, Json]) -> Section:
    caption = f"Mean ± standard deviation over {_count(fields)}"
    views = [*VIEW_TITLES.values()]
    groups = [("", 1), ("these pairs", len(views)), ("baseline", len(views))] if len(results(fields)) > 1 else []
    columns = ["", *views, *(views if groups else [])]
    rows = [*figure_lines(fields)]
    return Section("How near are they?", table=Table(caption, groups, columns, rows), points=MEANINGS)


def _count(fields: Mapping[str, Json]) -> str:
    if fields["over"] == "pairs":
        return f"{fields['pairs']} pairs"
    counts = {view: spread(fields, view, ORDER)["n"] or 0.0 for view in VIEW_TITLES}
    told = ", ".join(f"{counts[view]:g} of {title}" for view, title in VIEW_TITLES.items())
    return f"the windows that are not quiet: {told}"


def _spread(shown: ShownPairs, fields: Mapping[str, Json]) -> Section:
    text = (
        f"The line is the median of all {fields['over']}, the box holds the middle half, its whiskers nine of ten; "
        "points lie beyond."
    )
    medians = {
        title: ", ".join(figure_word(float(np.median(values))) for values in shown.figures[key].values() if len(values))
        for key, title in FIGURE_TITLES.items()
    }
    told = "; ".join(f"{title}: {values or '-'}" for title, values in medians.items())
    description = f"Boxes of each figure for left and right, mid and side. Medians: {told}"
    return Section("How are they spread?", [text], pictures=[Picture(figures_picture(shown), description)])


def _widths(shown: ShownPairs, fields: Mapping[str, Json]) -> Section:
    text = (
        "The short-time side distance (STSD) says how far left and right differ in a window of 40 ms: 0 is mono. Each "
        "point on the left is a pair; on the dashed line the estimate is as wide as its target. The bars say how "
        "many pairs have which difference."
    )
    columns = ["STSD, full scale", "these pairs", "baseline"][: 1 + len(results(fields))]
    rows = [*width_lines(fields)]
    table = Table(f"Mean ± standard deviation over {fields['pairs']} pairs", (), columns, rows)
    words = [spread_word(spread(fields, key)) for key in ("stsd_gen", "stsd_ref")]
    description = f"Mean width of each estimate above that of its target: {words[0]} against {words[1]}"
    return Section("Does the width drift?", [text], table, pictures=[Picture(widths_picture(shown), description)])


def _pairs(heading: str, words: str, pairs: Sequence[ShownPair]) -> list[Section]:
    """Return pairs to see and hear; nothing where there are none."""
    if not pairs:
        return []
    text = (
        f"The estimates that are {words} by the multi-resolution STFT distance of left and right, each beside its "
        "target. The pictures show the side distance over time, of both in both: the clip's own as a line, its "
        "partner's dashed."
    )
    players = [
        (
            _player("estimate", pair.estimate, pair, f"distance {figure_word(pair.distance)}"),
            _player("target", pair.target, pair, ""),
        )
        for pair in pairs
    ]
    return [Section(heading, [text], pairs=players)]


def _player(role: Literal["estimate", "target"], path: str, pair: ShownPair, distance: str) -> Player:
    clip, is_cut = heard(path)
    peak = float(np.abs(clip.samples).max())
    title = f"{role}: {path}"
    peak_word = f"peak {20.0 * np.log10(peak):.1f} dB" if peak else "silent"
    words = ", ".join(filter(None, [title, distance, peak_word, f"the first {HEARD_S:g} s" if is_cut else ""]))
    # Integers end at full scale; only the loudness of what is beyond it changes.
    tame = Clip(clip.samples / np.float32(max(1.0, peak)), clip.sample_rate)
    picture = Picture(course_picture(pair, role), f"Side distance over time of the pair of {title}")
    return Player(words, encode(tame), picture)


def _refused(fields: Mapping[str, Json]) -> list[Section]:
    """Return what was left out by name, first the clips without a partner; nothing where all were used."""
    refused = _list(fields, "failed")
    if not refused:
        return []
    missing = fields["without_partner"]
    counts = ", ".join(f"{count} of {name}" for name, count in missing.items()) if isinstance(missing, dict) else ""
    rows = [[str(one["set"]), str(one["path"]), str(one["reason"])] for one in refused if isinstance(one, dict)]
    table = Table(f"Clips without a partner: {counts}", (), ["set", "clip", "reason"], rows[:_LISTED])
    points = [f"{len(rows) - _LISTED} more inputs were left out"] if len(rows) > _LISTED else []
    return [Section("What was left out", table=table, points=points)]


def _list(fields: Mapping[str, Json], key: str) -> list[Json]:
    value = fields[key]
    return value if isinstance(value, list) else []
