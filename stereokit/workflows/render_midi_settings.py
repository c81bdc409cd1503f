"""The words of ``stereokit render-midi``, and the sides that they make."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import util
from pathlib import Path
from typing import Any, TypeVar, cast

from stereokit import catalog
from stereokit.data.midi.performance import DEFAULTS, Controls, Drums, Pedal, Side
from stereokit.data.midi.reader import MidiLimits
from stereokit.data.midi.render_settings import Font, Rendering, Windows
from stereokit.data.midi.song import BEND
from stereokit.data.midi.soundfont import file_hash, open_soundfont
from stereokit.data.plan import Plan, plan_files
from stereokit.data.sources import Refusal, Source, find_sources
from stereokit.data.splits import parse_fractions
from stereokit.errors import BadInputError, MissingError, UsageError
from stereokit.workflows.build_job import BuildWords

Value = TypeVar("Value")

# How the user gives what is recorded.
OPTIONS = {
    "sides": "sides (--programs and what goes with them)",
    "soundfont_sha256": "--soundfont",
    "sample_rate": "--rate",
    "peak_db": "--peak",
    "match_level": "--match-level",
    "encoding": "--bits",
    "windows": "--window",
    **{name: f"--{name}" for name in ("renderer", "tempo", "tail", "group", "split")},
    "has_assignment": "--assign",
}
MIDI_SUFFIXES = (".mid", ".midi", ".smf", ".kar")

_EMBEDDED = "TimGM6mb.sf2"
_EMBEDDED_LICENCE = "GPL-2 (Tim Brechbill; David Bolton)"
_MOST_SIDES = 16


@dataclass(frozen=True)
class RenderMidiSettings:
    """The words of ``stereokit render-midi``."""

    sources: tuple[str, ...]
    rendering: Rendering
    words: BuildWords
    group: str | None = None
    split: str = "0.8,0.1,0.1"
    assign: Path | None = None
    jobs: int | None = None


def sides_of(
    programs: str,
    *,
    velocity: str = "keep",
    pedal: str = "keep",
    controls: str = "keep",
    transpose: str = "0",
    drums: str = "keep",
) -> tuple[Side, ...]:
    """Read what is given a side, with commas between; one word is for all sides.

    Raises
    ------
    UsageError
        For a word that a side cannot have, or another number of words than sides.

    >>> [side.program for side in sides_of("4,0", velocity="keep,80")]
    [4, 0]
    """
    numbers = [_program(word) for word in programs.split(",")]
    count = len(numbers)
    if count > _MOST_SIDES:
        raise UsageError(f"--programs {programs}: {count} sides: at most {_MOST_SIDES} are rendered")
    sides = [Side(program=number) for number in numbers]
    sides = [_with_velocity(*each) for each in zip(sides, _a_side("--velocity", velocity, count, str), strict=True)]
    sides = [_with_controls(*each) for each in zip(sides, _a_side("--controls", controls, count, str), strict=True)]
    semitones = _a_side("--transpose", transpose, count, _semitones)
    pedals = _a_side("--pedal", pedal, count, _one_of("--pedal", "keep", "remove", "down"))
    drum_words = _a_side("--drums", drums, count, _one_of("--drums", "keep", "remove"))
    return tuple(
        replace(side, transpose=by, pedal=cast("Pedal", pedal_word), drums=cast("Drums", drum_word))
        for side, by, pedal_word, drum_word in zip(sides, semitones, pedals, drum_words, strict=True)
    )


def _a_side(option: str, text: str, count: int, read: Callable[[str], Value]) -> list[Value]:
    words = text.split(",")
    if len(words) not in (1, count):
        raise UsageError(f"{option} {text}: give one word for all sides, or {count}, one a side")
    return [read(word.strip()) for word in words] * (count if len(words) == 1 else 1)


def _one_of(option: str, *allowed: str) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word not in allowed:
            raise UsageError(f"{option} {word!r}: choose from {', '.join(allowed)}")
        return word

    return read


def _program(word: str) -> int | None:
    if word.strip() == "keep":
        return None
    return _whole("--programs", word, 0, 127, "or keep")


def _semitones(word: str) -> int:
    return _whole("--transpose", word, -60, 60, "semitones")


def _whole(option: str, word: str, low: int, high: int, more: str) -> int:
    try:
        number = int(word)
    except ValueError:
        number = high + 1
    if not low <= number <= high:
        raise UsageError(f"{option} {word!r}: give whole numbers from {low} to {high} {more}")
    return number


def _with_velocity(side: Side, word: str) -> Side:
    """Read ``keep``, ``80`` (fixed) or ``x0.5`` (scaled)."""
    if word == "keep":
        return side
    if not word.startswith("x"):
        return replace(side, velocity=_whole("--velocity", word, 1, 127, "(all notes), x0.5 (scaled) or keep"))
    try:
        factor = float(word[1:])
    except ValueError:
        factor = 0.0
    if not 0.01 <= factor <= 100.0:
        raise UsageError(f"--velocity {word!r}: a factor lies between x0.01 and x100")
    return replace(side, velocity_scale=factor)


def _with_controls(side: Side, word: str) -> Side:
    """Read ``keep``, ``remove``, or numbers with their fixed values, ``7=100+10=64``."""
    if word in ("keep", "remove"):
        return replace(side, controls=cast("Controls", word))
    fixed = {}
    for part in word.split("+"):
        number, _, value = part.partition("=")
        known = [str(control) for control in DEFAULTS if control != BEND]
        if number not in known:
            raise UsageError(f"--controls {word!r}: use keep, remove, or NUMBER=VALUE of {', '.join(known)}")
        fixed[int(number)] = _whole("--controls", value, 0, 127, f"for control {number}")
    return replace(side, fixed=fixed)


def font_of(path: Path | None) -> Font:
    """Return the SoundFont that is rendered through: the one in pretty_midi's package where none is given.

    Raises
    ------
    UsageError
        When the given one cannot be read.
    MissingError
        When none is given and pretty_midi is not installed.
    """
    is_embedded = path is None
    if path is None:
        spec = util.find_spec("pretty_midi")
        path = None if spec is None or spec.origin is None else Path(spec.origin).parent / _EMBEDDED
        if path is None or not path.is_file():
            raise MissingError(
                "the usual SoundFont comes with pretty_midi: pip install 'stereokit[midi]', or give --soundfont FILE"
            )
    try:
        font = open_soundfont(path.resolve())
        sha256 = file_hash(path.resolve())
    except BadInputError as error:
        raise UsageError(f"--soundfont {error}") from error
    licence = _EMBEDDED_LICENCE if is_embedded else font.copyright or "not stated in the file"
    return Font(path.resolve(), sha256, font.name or path.stem, licence)


def rendering_of(
    sides: tuple[Side, ...],
    soundfont: Path | None,
    *,
    renderer: str,
    window: int | None,
    overlap: float,
    max_seconds: float,
    max_notes: int,
    **form: Any,
) -> Rendering:
    """Check the words of a rendering and return it; ``form`` are its other fields.

    Raises
    ------
    UsageError
        For an unknown renderer, a SoundFont that cannot be read, or an overlap of no windows.
    MissingError
        When the renderer or the usual SoundFont is not installed.
    """
    if overlap and window is None:
        raise UsageError("--overlap goes with --window")
    version: str = catalog.load("renderer", renderer).version()
    return Rendering(
        sides, font_of(soundfont), renderer, version,
        windows=None if window is None else Windows(window, overlap),
        limits=MidiLimits(notes=max_notes, seconds=max_seconds), **form,
    )  # fmt: skip


def find_songs(settings: RenderMidiSettings, stdin: Iterable[str]) -> Plan:
    """Return the plan of the MIDI files that there are.

    Raises
    ------
    UsageError, BadInputError
        When there are none, or a list cannot be read.
    """
    if not settings.sources:
        raise UsageError("give one or more SRC: folders, MIDI files, lists, or '-'")
    found: dict[Path, Source] = {}
    refused: list[Refusal] = []
    inside = settings.words.output.resolve()
    for given in dict.fromkeys(settings.sources):
        part = find_sources(given, stdin, wanted=is_midi_name, called="MIDI")
        refused += part.refused
        for source in part.sources:
            real = source.path.resolve()
            if real.is_relative_to(inside):
                continue
            if found.setdefault(real, source) is not source:
                refused.append(Refusal(str(source.path), f"is the same file as {found[real].path}"))
    sources = sorted(found.values(), key=lambda source: os.fsencode(source.path))
    plan = plan_files(sources, None, only=(), group=settings.group)
    # Without a column or folder, songs are grouped by what is played, and not by their files.
    warnings = plan.warnings if settings.group is not None else []
    return replace(plan, refused=[*refused, *plan.refused], warnings=warnings)


def is_midi_name(name: str) -> bool:
    """Tell by its suffix whether a file claims to be MIDI."""
    return name.lower().endswith(MIDI_SUFFIXES)


def recorded(settings: RenderMidiSettings) -> dict[str, object]:
    """Return what makes the data set, for its description: a run with other settings is refused."""
    rendering = settings.rendering
    windows = rendering.windows
    return {
        "command": "render-midi",
        "sides": [_words(side) for side in rendering.sides],
        "soundfont_sha256": rendering.font.sha256,
        "renderer": f"{rendering.renderer} {rendering.version}".strip(),
        "sample_rate": rendering.sample_rate,
        "tempo": rendering.tempo,
        "tail": rendering.tail,
        "match_level": rendering.match_level,
        "peak_db": rendering.peak_db,
        "encoding": rendering.encoding,
        "windows": None if windows is None else [windows.frames, windows.overlap],
        "group": settings.group,
        "split": list(parse_fractions(settings.split)),
        "has_assignment": settings.assign is not None,
    }


def _words(side: Side) -> str:
    """Return a side in words that fit in a line."""
    parts: Sequence[tuple[str, object, object]] = (
        ("velocity", side.velocity, None),
        ("velocity x", side.velocity_scale, 1.0),
        ("pedal", side.pedal, "keep"),
        ("controls", side.controls, "keep"),
        ("controls", "+".join(f"{number}={value}" for number, value in sorted(side.fixed.items())), ""),
        ("transpose", side.transpose, 0),
        ("drums", side.drums, "keep"),
    )
    told = [f"{name} {value}" for name, value, usual in parts if value != usual]
    return " ".join(["keep" if side.program is None else str(side.program), *told])
