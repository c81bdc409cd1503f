"""The words of ``stereokit enhance``."""

import math
from dataclasses import dataclass
from pathlib import Path

from stereokit.audio.files import Encoding
from stereokit.errors import UsageError
from stereokit.models._conversion import Channels
from stereokit.workflows.events import Json

STREAM = "-"


@dataclass(frozen=True)
class EnhanceSettings:
    """The words of ``stereokit enhance``.

    Attributes
    ----------
    run
        The run's folder.
    sources
        Folders, files and lists.
    output
        A folder, a file ``*.wav``, or ``-`` for standard output.
    wet
        Share of the converted sound; the rest is the sound as it was.
    channels
        How two channels go through the model, see ``models._conversion``.
    is_loudness_kept
        Whether the converted sound is brought to the loudness of its input, by one gain a file.
    encoding
        Of the WAV files.
    device
        Where the model runs.
    strict, force, is_dry_run
        As everywhere.
    """

    run: Path
    sources: tuple[str, ...]
    output: str
    wet: float = 1.0
    channels: Channels = "stereo"
    is_loudness_kept: bool = True
    encoding: Encoding = "24"
    device: str = "auto"
    strict: bool = False
    force: bool = False
    is_dry_run: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether the result goes to standard output."""
        return self.output == STREAM

    @property
    def is_file(self) -> bool:
        """Whether the result is one file of a given name."""
        return not self.is_stream and self.output.lower().endswith(".wav") and not Path(self.output).is_dir()

    def check(self) -> None:
        """Refuse words that do not go together.

        Raises
        ------
        UsageError
            Naming them.
        """
        if not (math.isfinite(self.wet) and 0.0 <= self.wet <= 1.0):
            raise UsageError(f"--wet {self.wet:g}: must be from 0 to 1")
        if not self.sources:
            raise UsageError("give SRC: sound files, folders or lists")
        if not self.output:
            raise UsageError("-o '': give a folder, a file ending in .wav, or -")
        if (self.is_stream or self.is_file) and len(self.sources) != 1:
            raise UsageError(f"-o {self.output}: takes one sound, and {len(self.sources)} sources are given")
        if self.is_stream and self.is_dry_run:
            raise UsageError("-o - and --dry-run: standard output has one use; choose one")

    def recorded(self) -> dict[str, Json]:
        """Return what decides a sound beside its source and the run."""
        return {
            "wet": self.wet,
            "channels": self.channels,
            "loudness": "keep" if self.is_loudness_kept else "free",
            "encoding": self.encoding,
        }


OPTIONS = {
    "wet": "--wet", "channels": "--channels", "loudness": "--loudness", "encoding": "--bits", "run": "RUN",
    "to": "--to", "from": "--from",
}  # fmt: skip
