"""Settings of families that exchange genres."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from stereokit.errors import UsageError
from stereokit.models._config import LabelledConfig
from stereokit.models._family import check_ranges

_RANGES: dict[str, tuple[float, float]] = {
    "window": (64, 2**16),
    "hop": (1, 2**16),
    "bands": (2, 2**12),
    "floor_db": (-200.0, -1.0),
    "iterations": (1, 10_000),
    "held_db": (0.0, 100.0),
    "hidden": (1, 2**14),
    "manner": (0, 2**14),
    "rate": (1e-9, 10.0),
    "critic_rate": (1e-9, 10.0),
    "critic_steps": (1, 1_000),
    "critic_width": (1, 2**14),
    "critic_weight": (0.0, 1e9),
    "penalty_weight": (0.0, 1e6),
    "look_width": (1, 2**12),
    "look_weight": (0.0, 1e9),
    "cycle_weight": (0.0, 1e9),
    "agreement_weight": (0.0, 1e9),
}


@dataclass(frozen=True)
class GenreConfig(LabelledConfig):
    """What a model that exchanges genres is and how it learns, beside ``LabelledConfig``; the labels are the genres.

    Attributes
    ----------
    window, hop
        Of the transform, in samples.
    bands, floor_db
        Rows of a picture, evenly spaced in mel, and what counts as silence.
    iterations, held_db
        Of Griffin-Lim; cells that a picture leaves within so many dB keep the source's phase.
    widths, convolutions
        Channels and convolutions of each stage of the encoders.
    norm
        After each convolution: over the ``batch`` or over ``group``s of channels.
    decoder
        ``mirrored``: the encoder's stages the other way round. ``recurrent``: overlapping patches, of the map alone.
    hidden
        Numbers of a recurrent decoder's state, in each direction.
    manner
        Numbers of a second latent that carries the genre; 0 for none.
    distance, total
        Of a reconstruction: ``l1`` or ``l2``, and its ``sum`` over a picture or its ``mean``.
    game
        How the critic of the maps is trained: along with all else, by a ``reversed`` gradient, as published, or in
        turns of its ``own``.
    rate, critic_rate
        Of Adam.
    critic_steps
        For each of the others', in turns of its own.
    critic_width, critic_weight, penalty_weight
        Numbers of its layers; of its say; of its slope's distance from 1.
    look_width, look_weight
        Of a critic that tells a genre's pictures from those that were made of others'; a weight of 0 for none.
    cycle_weight
        Of the difference between the map of a sound and the map of what was made of it.
    agreement_weight
        Of the difference between a recurrent decoder's patches where they overlap.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = _RANGES
    FEWEST_LABELS: ClassVar[int] = 2

    sample_rate: int = 22_050
    # 256 frames
    seconds: float = 5.921
    # room for two, as published; train puts in those of the data
    labels: tuple[str, ...] = ("classical", "jazz")
    label_counts: tuple[int, ...] = (1, 1)
    window: int = 2_048
    hop: int = 512
    bands: int = 256
    floor_db: float = -80.0
    iterations: int = 16
    held_db: float = 3.0
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    convolutions: tuple[int, ...] = (2, 2, 3, 3, 3)
    norm: Literal["batch", "group"] = "group"
    decoder: Literal["mirrored", "recurrent"] = "mirrored"
    hidden: int = 256
    manner: int = 0
    distance: Literal["l1", "l2"] = "l1"
    total: Literal["sum", "mean"] = "mean"
    game: Literal["reversed", "own"] = "own"
    rate: float = 5e-4
    critic_rate: float = 5e-4
    critic_steps: int = 2
    critic_width: int = 512
    critic_weight: float = 0.02
    penalty_weight: float = 10.0
    look_width: int = 32
    look_weight: float = 0.05
    cycle_weight: float = 0.1
    agreement_weight: float = 0.0
    batch: int = 8
    steps: int = 20_000
    clip_norm: float = 5.0
    validate_every: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.widths or len(self.widths) != len(self.convolutions):
            raise UsageError(f"widths are {self.widths}, convolutions {self.convolutions}: give as many of each")
        if not all(1 <= width <= 2**14 for width in self.widths):
            raise UsageError(f"widths are {self.widths}: must be from 1 to {2**14}")
        if not all(1 <= count <= 64 for count in self.convolutions):
            raise UsageError(f"convolutions are {self.convolutions}: must be from 1 to 64")
        smallest = 1 << len(self.widths)
        check_ranges(
            self, {"bands": (smallest, 2**12), "spectra": (smallest, 2**20), "batch": (len(self.labels), 65_536)}
        )
        if self.window // 2 < self.bands:
            raise UsageError(f"bands is {self.bands}: a window of {self.window} samples has {self.window // 2} bins")
        if self.hop > self.window // 2:
            raise UsageError(f"hop is {self.hop}: must be at most half of window, {self.window // 2}")
        if self.agreement_weight > 0.0 and self.decoder != "recurrent":
            raise UsageError("agreement_weight above 0 needs decoder=recurrent, whose patches overlap")

    @property
    def spectra(self) -> int:
        """Frames of a picture."""
        return -(-self.frames // self.hop) + 1


# What presets of both families have in common, over the defaults. As printed, where it is printed: the report gives
# neither rates nor sizes nor the critic's weight.
PUBLISHED: dict[str, Any] = {
    "norm": "batch",
    "total": "sum",
    "game": "reversed",
    "rate": 1e-4,
    "critic_weight": 1.0,
    "look_weight": 0.0,
    "cycle_weight": 0.0,
    "ema_decay": 0.0,
    "clip_norm": 0.0,
}
# Two cores, twenty minutes, clips of 2 to 3 s.
SMALL: dict[str, Any] = {
    "seconds": 1.834,
    "widths": (16, 32, 64, 96),
    "convolutions": (2, 2, 2, 2),
    "critic_width": 128,
    "look_width": 16,
    "steps": 1_200,
    "ema_decay": 0.99,
    "validate_every": 200,
}
TINY: dict[str, Any] = {
    "labels": ("classical", "jazz", "pop"),
    "label_counts": (1, 1, 1),
    "sample_rate": 8_000,
    "seconds": 0.25,
    "window": 256,
    "hop": 128,
    "bands": 32,
    "iterations": 2,
    "widths": (8, 8),
    "convolutions": (1, 1),
    "hidden": 8,
    "critic_width": 8,
    "look_width": 8,
    "batch": 4,
    "steps": 3,
    "validate_every": 2,
}
