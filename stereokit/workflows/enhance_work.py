"""A trained model at work on sounds: what a command does with them, how far it is, and what it says of each."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from stereokit.audio.blocks import Blocks, open_blocks
from stereokit.metrics.paired.measure import pair_widths
from stereokit.metrics.paired.pair import Pair
from stereokit.models._conversion import Change
from stereokit.models._family import Capability
from stereokit.models._run import Run
from stereokit.workflows.enhance_settings import EnhanceSettings
from stereokit.workflows.enhance_sound import Enhanced, Figures, Machine, Words, spooled
from stereokit.workflows.events import Json, Progress
from stereokit.writing import write_parts


@dataclass(frozen=True)
class Task:
    """What a command does with sounds.

    Attributes
    ----------
    command, doing
        Its name, and how its progress is told.
    capability
        That a run's family needs.
    schema, file_schema
        Of its rows.
    change
        The run -> what its model makes of sounds.
    """

    command: str
    doing: str
    capability: Capability
    schema: str
    file_schema: str
    change: Callable[[Run], Change]


@dataclass
class Work:
    """A run at work.

    Attributes
    ----------
    task, settings, run, machine, device
        What converts, and how.
    done_s, total_s
        Of sound: how much is converted, and all there is.
    """

    task: Task
    settings: EnhanceSettings
    run: Run
    machine: Machine
    device: str
    done_s: float = 0.0
    total_s: float = 0.0
    _begun: float = field(default_factory=time.monotonic)

    def identity(self) -> dict[str, Json]:
        """Return what all results have in common."""
        run = self.run
        return {"run": run.fingerprint, "family": run.family.name, "preset": run.preset, **self.settings.recorded()}

    def convert(self, sound: Blocks, target: Path, name: str) -> Generator[Progress, None, Figures]:
        """Convert a sound into a file, whole or not at all.

        Raises
        ------
        BadInputError, OutputError
            When it cannot be read or written.
        """
        settings = self.settings
        key = f"{self.run.fingerprint}/{name}"
        words = Words(settings.wet, settings.is_loudness_kept, settings.encoding, key)
        with spooled(target.parent) as spool:
            enhanced = Enhanced(sound, spool, words)
            for frames in enhanced.convert(self.machine):
                done = self.done_s + frames / sound.sample_rate
                yield Progress(f"{self.task.doing} (s of sound)", int(done), max(1, int(self.total_s)), name)
            figures = enhanced.figures()
            write_parts(target, enhanced.file_parts())
        self.done_s += sound.frames / sound.sample_rate
        return figures

    def speed(self) -> dict[str, Json]:
        """Return how long all of it took, and how many times as long the sounds are."""
        elapsed = time.monotonic() - self._begun
        return {"elapsed_s": round(elapsed, 3), "times_real_time": round(self.done_s / max(elapsed, 1e-9), 3)}


def figures_of(sound: Blocks, target: Path, figures: Figures) -> dict[str, Json]:
    """Return what a row says of a sound that was converted."""
    drift = pair_widths(Pair(open_blocks(target), sound)).drift()
    return {
        "sample_rate_hz": sound.sample_rate,
        "frames": sound.frames,
        "channels_in": sound.channels,
        "loudness_lufs": _finite(figures.input_lufs),
        "converted_lufs": _finite(figures.converted_lufs),
        "gain_db": figures.gain_db,
        "turned_down_db": figures.turned_down_db,
        "stsd_in": drift.target,
        "stsd_out": drift.estimate,
        "stsd_drift": drift.mean,
        "stsd_drift_l1": drift.l1,
    }


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
