"""Settings and presets of ``sample-gan``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from stereokit.errors import UsageError
from stereokit.models._config import FamilyConfig
from stereokit.models._family import Family, check_ranges

# Rows and columns of a picture; the networks end there.
SIZE = 256

_RANGES: dict[str, tuple[float, float]] = {
    "beta": (0.0, 100.0),
    "floor_db": (-200.0, -1.0),
    "iterations": (0, 10_000),
    "latent": (1, 65_536),
    "dropout": (0.0, 0.99),
    "generator_rate": (1e-9, 10.0),
    "critic_rate": (1e-9, 10.0),
    "weight_decay": (0.0, 10.0),
    "critic_steps": (1, 1_000),
    "penalty_weight": (0.0, 1e6),
    "penalty_share": (1e-6, 1.0),
    "adversarial_weight": (0.0, 1e6),
    "band_weight": (0.0, 1e6),
    "picture_weight": (0.0, 1e6),
    "feature_weight": (0.0, 1e6),
    "bank": (2, 100_000),
}


@dataclass(frozen=True)
class SampleGanConfig(FamilyConfig):
    """What a ``sample-gan`` is and how it learns, beside ``FamilyConfig``.

    Attributes
    ----------
    channels
        ``own-range``: magnitudes of left and right, each scaled by itself, as printed. ``left-right``: on one fixed
        range. ``image``: magnitudes of mid and side and the angle between them.
    frequency
        Rows evenly spaced in Hz, or in pitch.
    window, beta
        Samples and shape of the Kaiser window.
    floor_db
        Silence, under a full-scale sine.
    iterations
        Of Griffin-Lim.
    latent
        Numbers that a sound is made of.
    generator
        ``convolutional``: transposed convolutions, as printed. ``low-rank``: patterns taken from the training pictures.
    dropout
        In the generator and the critic.
    critic_norm
        ``batch`` as printed, or ``group``, which leaves every item's gradient its own.
    attention
        Of the critic: ``all-pairs`` as printed, ``linear``, or ``none``.
    recipe
        Losses and optimisers: ``published`` or ``mended``.
    generator_rate, critic_rate
        Learning rates.
    weight_decay
        Of both.
    critic_steps
        For each of the generator's.
    penalty_weight
        Of the critic's slope.
    penalty_share
        Part of a batch at which the slope is measured.
    adversarial_weight, band_weight, picture_weight, feature_weight
        Of the generator's losses: the critic's verdict; energy distance of mel bands and of coarse pictures;
        the critic's features (published: which then means the pictures themselves).
    varies_clips
        Change pitch, onset, level, decay and sides of the training clips a little.
    bank
        Pictures from which the low-rank generator takes its patterns.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = _RANGES

    seconds: float = 0.6
    channels: Literal["own-range", "left-right", "image"] = "left-right"
    frequency: Literal["linear", "logarithmic"] = "linear"
    window: int = 510
    beta: float = 12.0
    floor_db: float = -90.0
    iterations: int = 10
    latent: int = 128
    generator: Literal["convolutional", "low-rank"] = "convolutional"
    dropout: float = 0.0
    critic_norm: Literal["batch", "group"] = "group"
    attention: Literal["all-pairs", "linear", "none"] = "linear"
    recipe: Literal["published", "mended"] = "mended"
    generator_rate: float = 2e-3
    critic_rate: float = 1e-3
    weight_decay: float = 0.0
    critic_steps: int = 1
    penalty_weight: float = 0.3
    penalty_share: float = 0.25
    adversarial_weight: float = 0.05
    band_weight: float = 1.0
    picture_weight: float = 1.0
    feature_weight: float = 0.35
    varies_clips: bool = True
    bank: int = 600
    batch: int = 32
    steps: int = 400
    ema_decay: float = 0.99
    clip_norm: float = 5.0
    validate_every: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, {"frames": (SIZE, 2**22)})
        if self.frequency == "linear" and self.window != 2 * SIZE - 2:
            raise UsageError(f"window is {self.window}: with linear frequency it must be {2 * SIZE - 2}")
        # frames that do not overlap leave gaps
        check_ranges(self, {"window": (self.frames // (SIZE - 1), 2**16)})
        if (self.channels == "own-range") != (self.recipe == "published"):
            raise UsageError("channels=own-range and recipe=published go together")
        if self.generator == "low-rank" and self.recipe == "published":
            raise UsageError("generator=low-rank needs recipe=mended")


_DEFAULT = SampleGanConfig()
_LOW_RANK = replace(_DEFAULT, generator="low-rank", generator_rate=9e-4, steps=180, ema_decay=0.98, validate_every=30)

PRESETS = {
    "published": replace(
        _DEFAULT,
        channels="own-range",
        dropout=0.2,
        critic_norm="batch",
        attention="all-pairs",
        recipe="published",
        generator_rate=3e-3,
        critic_rate=4e-3,
        weight_decay=0.05,
        critic_steps=5,
        penalty_weight=5.0,
        penalty_share=1.0,
        adversarial_weight=1.0,
        varies_clips=False,
        batch=16,
        clip_norm=0.0,
    ),
    "default": _DEFAULT,
    "low-rank": _LOW_RANK,
    "image": replace(_LOW_RANK, channels="image"),
    "log-frequency": replace(_LOW_RANK, frequency="logarithmic", window=2046),
    "one-shot": replace(_LOW_RANK, seconds=1.5, beta=8.0),
    # pictures of left and right lose half the width of stabs
    "demo": replace(_LOW_RANK, channels="image", seconds=0.4, steps=40, validate_every=20),
    "tiny": replace(_DEFAULT, seconds=0.2, batch=4, steps=3, validate_every=2, iterations=2),
}

FAMILY = Family(
    name="sample-gan",
    summary="one-shots from stereo magnitude pictures (StereoSampleGAN)",
    presets=PRESETS,
    feed="clips",
    capabilities=("sampler", "interpolator", "critic"),
)
