"""How songs are rendered: the sides, the SoundFont, and the form of the files."""

from dataclasses import dataclass, field
from pathlib import Path

from stereokit.audio.files import Encoding
from stereokit.data.midi.performance import Side
from stereokit.data.midi.reader import MidiLimits


@dataclass(frozen=True)
class Windows:
    """How renders are cut: all of the song is in them, the last window is filled up with silence."""

    frames: int
    overlap: float = 0.0

    def starts(self, frames: int) -> range:
        """Return where the windows of so many samples start."""
        hop = max(round(self.frames * (1.0 - self.overlap)), 1)
        return range(0, max(frames - self.frames + hop, 1), hop)


@dataclass(frozen=True)
class Font:
    """The SoundFont of a rendering: its file, SHA-256, name and licence."""

    path: Path
    sha256: str
    name: str
    licence: str


@dataclass(frozen=True)
class Rendering:
    """How songs are rendered.

    Attributes
    ----------
    sides
        One or more; the last is the target of the others.
    font
        The SoundFont.
    renderer
        A name of the catalogue.
    version
        Of that renderer.
    sample_rate
        Hz.
    tempo
        1 is the song's own.
    tail
        Seconds that ring out after the last note.
    match_level
        Bring every side to the loudness of the target.
    peak_db
        dB of full scale that the loudest sample of all sides gets.
    encoding
        Of the WAV files.
    windows
        How renders are cut; None keeps whole tracks.
    limits
        What a file may ask for.
    """

    sides: tuple[Side, ...]
    font: Font
    renderer: str = "builtin"
    version: str = ""
    sample_rate: int = 44_100
    tempo: float = 1.0
    tail: float = 2.0
    match_level: bool = False
    peak_db: float = -1.0
    encoding: Encoding = "16"
    windows: Windows | None = None
    limits: MidiLimits = field(default_factory=MidiLimits)


@dataclass(frozen=True)
class MidiTask:
    """One file to render: its name among the sources, its path, and where its first render goes."""

    key: str
    source: Path
    target: Path
