"""symusic's synthesiser: a plain one, without velocities, envelopes or controls.

What it plays (0.5.9, measured): every velocity alike; a looped sample goes on at one level until the key is let go, and
ends there within a thousandth of a second; a sample without a loop, as most drums are, is cut after a few hundredths of
a second. Pedal and transposition work, since they are lengths and keys of notes.
"""

from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.data.midi.performance import Performance
from stereokit.data.midi.renderer import Renderer
from stereokit.data.midi.song import DRUM_CHANNEL
from stereokit.errors import BadInputError, MissingError

# It counts seconds in float32, exact to the sample for so long.
_SECTION_S = 16
_TICKS_PER_QUARTER = 480


def _library() -> Any:
    try:
        return import_module("symusic")
    except ImportError as error:
        raise MissingError("symusic is not installed: pip install 'stereokit[midi]'") from error


def _version() -> str:
    _library()
    return f"symusic {metadata.version('symusic')}"


@lru_cache(maxsize=2)
def _synthesizer(font: Path, sample_rate: int) -> Any:
    return _library().Synthesizer(str(font), sample_rate, 0)


def _render(performance: Performance, font: Path) -> NDArray[np.float32]:
    rate = performance.sample_rate
    synthesizer = _synthesizer(font, rate)
    out = np.zeros((2, performance.frames), np.float32)
    section = _SECTION_S * rate
    for first in range(0, performance.frames, section):
        notes = np.flatnonzero((performance.start >= first) & (performance.start < first + section))
        if not len(notes):
            continue
        try:
            sound = synthesizer.render(_score(performance, notes, first), stereo=True)
        except RuntimeError as error:
            raise BadInputError(f"symusic cannot render it: {error}") from error
        length = min(sound.shape[1], performance.frames - first)
        out[:, first : first + length] += sound[:, :length]
    return out


def _score(performance: Performance, notes: NDArray[np.int64], first: int) -> Any:
    """Return notes as symusic takes them, with seconds since ``first``."""
    library, rate = _library(), performance.sample_rate
    score = library.Score(_TICKS_PER_QUARTER, ttype="second")
    played = np.stack([performance.program[notes], performance.channel[notes] == DRUM_CHANNEL], axis=1)
    for program, is_drum in np.unique(played, axis=0).tolist():
        track = library.Track("", program, bool(is_drum), ttype="second")
        for note in notes[(played == (program, is_drum)).all(axis=1)].tolist():
            # Half a sample more, since it cuts what float32 leaves of a place.
            start = (performance.start[note] - first + 0.5) / rate
            length = (performance.stop[note] - performance.start[note] + 0.5) / rate
            track.notes.append(library.Note(start, length, int(performance.pitch[note]), 100, ttype="second"))
        score.tracks.append(track)
    return score


RENDERER = Renderer("symusic's: all velocities alike, no envelopes or controls", _version, _render)
