"""``stereokit score --report`` and ``--plot``: the result as a page to look at and to listen to, and as one picture."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from stereokit import __version__
from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.metrics.protocol import Protocol
from stereokit.workflows.events import Json, Progress
from stereokit.workflows.report import Picture, Player, Section, page
from stereokit.workflows.score_device import search_device
from stereokit.workflows.score_files import Verdict
from stereokit.workflows.score_pictures import courses_picture, plot, scope_picture, widths_picture
from stereokit.workflows.score_report_tables import (
    checks_section,
    figure_word,
    inputs_section,
    labels_section,
    listed,
    notes_section,
    scores_section,
)
from stereokit.workflows.score_sets import ScoredSet
from stereokit.workflows.score_settings import ScoreSettings
from stereokit.workflows.score_shown import HEARD_S, Pair, Shown, heard, shown_of
from stereokit.writing import write_file

Illustrate = Callable[[Verdict, tuple[ScoredSet, ScoredSet], ScoreSettings, Protocol], Iterator[Progress]]


def illustrate(
    verdict: Verdict, sets: tuple[ScoredSet, ScoredSet], settings: ScoreSettings, protocol: Protocol
) -> Iterator[Progress]:
    """Write a result's page and its picture, each whole or not at all, and tell how far that is.

    Parameters
    ----------
    verdict
        The result.
    sets
        Generated and reference clips.
    settings
        Where page and picture go: the latter as SVG where its name ends so, and else as PNG.
    protocol
        By which the sets were compared.

    Raises
    ------
    BadInputError
        When a clip is gone.
    OutputError
        When a file cannot be written.
    """
    device = search_device(settings.device, sets, protocol)
    shown = yield from shown_of(*sets, protocol, jobs=settings.processes(), device=device)
    report, picture = settings.files.report, settings.files.plot
    if report is not None:
        write_file(report, score_page(verdict, shown).encode())
    if picture is not None:
        words = _sentence(verdict.row.fields["verdict"])
        write_file(picture, plot(shown, words, is_vector=picture.suffix.lower() == ".svg"))


def score_page(verdict: Verdict, shown: Shown) -> str:
    """Return the page; it holds no time and only those places that were typed, so that equal results give equal pages.

    Raises
    ------
    BadInputError
        When a clip is gone.
    """
    fields = verdict.row.fields
    given = {name: counts["given"] for name in ("gen", "ref") if isinstance(counts := fields[name], dict)}
    settings = (
        f"stereokit {__version__} compared {fields['n_gen']} generated clips ({given['gen']}) with {fields['n_ref']} "
        f"reference clips ({given['ref']}) by {fields['feature']} and {fields['distance']}, protocol "
        f"{fields['protocol']}, seed {fields['seed']}."
    )
    sections = [
        scores_section(fields),
        *labels_section(verdict.labels),
        *checks_section(verdict),
        _courses(shown),
        _widths(shown),
        _pairs("Nearest to the reference", "The generated clips that come nearest to", shown.nearest, fields),
        *(
            [
                _pairs(
                    "Farthest from the reference", "The generated clips that stay farthest from", shown.farthest, fields
                )
            ]
            if shown.farthest
            else []
        ),
        inputs_section(fields),
        notes_section(fields),
    ]
    title = f"stereokit score: {given['gen']} against {given['ref']}"
    return page(title, [_sentence(fields["verdict"]), settings], sections)


def _sentence(verdict: Json) -> str:
    text = str(verdict)
    return f"{text[:1].upper()}{text[1:]}."


def _courses(shown: Shown) -> Section:
    courses = shown.courses
    medians = listed({name: float(np.median(course.bands[2])) for name, course in courses.items()})
    found = {name: len(values) for name, values in shown.widths.items()}
    parts = [f"{one.clips} of {found[name]} {name} clips" for name, one in courses.items() if one.clips < found[name]]
    from_some = f" Drawn from {' and '.join(parts)}, evenly chosen." if parts else ""
    text = (
        "The side distance says how far left and right differ in a window of 40 ms: 0 is mono. The line is the median "
        "clip, the dark band holds the middle half of the clips, the light one nine of ten; where clips have "
        f"ended, it is of the longer ones. Middle of the median: {medians}.{from_some}"
    )
    description = f"Side distance over time of both sets; middle of the median: {medians}"
    return Section("How wide are they over time?", [text], pictures=[Picture(courses_picture(courses), description)])


def _widths(shown: Shown) -> Section:
    medians = listed({name: float(np.median(values)) for name, values in shown.widths.items()})
    text = f"The side distance of each whole clip, every clip counted. Medians: {medians}."
    description = f"Histograms of the side distance of the clips of both sets; medians: {medians}"
    return Section("How wide are the clips?", [text], pictures=[Picture(widths_picture(shown.widths), description)])


def _pairs(heading: str, start: str, pairs: Sequence[Pair], fields: Mapping[str, Json]) -> Section:
    text = (
        f"{start} the reference, each beside the reference clip nearest to it. The pictures are vectorscopes: mid "
        "upwards, side across, the left channel to the left; a mono sound is a vertical line, an inverted one a "
        "horizontal line, and brighter is more often. Each is scaled to its own peak; what is drawn is what is heard. "
        f"Distances are {fields['distance']} of {fields['feature']}, in: {fields['unit']}."
    )
    players = [
        (
            _player(f"generated: {pair.generated}", pair.generated, f"distance {figure_word(pair.distance)}"),
            _player(f"reference: {pair.reference}", pair.reference, ""),
        )
        for pair in pairs
    ]
    return Section(heading, [text], pairs=players)


def _player(title: str, path: str, distance: str) -> Player:
    clip, is_cut = heard(path)
    peak = float(np.abs(clip.samples).max())
    peak_word = f"peak {20.0 * np.log10(peak):.1f} dB" if peak else "silent"
    parts = [title, distance, peak_word, f"the first {HEARD_S:g} s" if is_cut else ""]
    words = ", ".join(filter(None, parts))
    # Integers end at full scale; only the loudness of what is beyond it changes.
    tame = Clip(clip.samples / np.float32(max(1.0, peak)), clip.sample_rate)
    return Player(words, encode(tame), Picture(scope_picture(clip), f"Vectorscope of {title}"))
