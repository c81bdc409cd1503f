"""How a training hears of itself: a judge gives verdicts on the averaged model; what it can do decides which judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stereokit.training.trainer import Trainer
from stereokit.workflows.events import Json
from stereokit.workflows.train_watch import Mixing

# Fewer validation clips than this tell one model from another by chance.
FEWEST_CLIPS = 8


@dataclass(frozen=True)
class Verdict:
    """What the validation clips say of an averaged model.

    Attributes
    ----------
    score
        By which a model is chosen: the lowest.
    figures
        That the run's record has of the chosen model.
    event
        Name of the log's line.
    line
        What that line says beside when it was.
    told
        The same for a person, in half a line.
    signs
        Of collapse: ``few``, ``alike``, ``mono``.
    mixing
        1-NNA, and how much of it is chance; None where nothing was generated.
    """

    score: float
    figures: Mapping[str, float]
    event: str
    line: Mapping[str, Json]
    told: str
    signs: tuple[str, ...] = ()
    mixing: Mixing | None = None


class Judge(Protocol):
    """Validates a training, on the first rank."""

    def verdict(self, trainer: Trainer, run: Path) -> Verdict | None:
        """Return a verdict on the averaged model, which may be told what the validation clips say before it is saved.

        None where there is too little to judge by.
        """
