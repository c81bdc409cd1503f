"""What the configurations of all families have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from stereokit.errors import UsageError
from stereokit.models._family import check_ranges

_RANGES: dict[str, tuple[float, float]] = {
    "sample_rate": (1_000, 768_000),
    "seconds": (0.001, 3_600.0),
    # losses compare batches, layers take their statistics
    "batch": (2, 65_536),
    "steps": (1, 10**9),
    "ema_decay": (0.0, 0.999_999),
    "clip_norm": (0.0, 1e9),
    "validate_every": (1, 10**9),
}


@dataclass(frozen=True)
class FamilyConfig:
    """The clips that a model is for, and how long it learns from them.

    A subclass gives other defaults by declaring a field once more, and names the ends of its own fields in ``RANGES``.

    Attributes
    ----------
    sample_rate, seconds
        Of a clip, Hz and seconds.
    batch
        Clips of a step and rank.
    steps
        Of a training whose length is not given.
    ema_decay
        Of the averaged weights, a step.
    clip_norm
        Longest gradient; 0 for any.
    validate_every
        Steps from one validation to the next.

    Raises
    ------
    UsageError
        For a field outside its range, naming field, value and range.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {}

    sample_rate: int = 44_100
    seconds: float = 1.0
    batch: int = 16
    steps: int = 1_000
    ema_decay: float = 0.999
    clip_norm: float = 0.0
    validate_every: int = 1_000

    def __post_init__(self) -> None:
        check_ranges(self, {**_RANGES, **self.RANGES})

    @property
    def frames(self) -> int:
        """Samples of a clip."""
        return round(self.seconds * self.sample_rate)


@dataclass(frozen=True)
class LabelledConfig(FamilyConfig):
    """The same for a model that knows labels.

    Attributes
    ----------
    labels, label_counts
        What can be asked for or told, sorted, and how many training clips have it; taken from the data.
    """

    FEWEST_LABELS: ClassVar[int] = 1

    labels: tuple[str, ...] = ()
    label_counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.labels) != len(self.label_counts) or min(self.label_counts, default=1) < 1:
            raise UsageError(
                f"labels are {len(self.labels)}, label_counts {self.label_counts}: give each label a count"
            )
        if len(self.labels) < self.FEWEST_LABELS:
            raise UsageError(f"labels are {self.labels}: give {self.FEWEST_LABELS} or more")
