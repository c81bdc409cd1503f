"""Settings and presets of ``enhancer``."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from stereokit.errors import UsageError
from stereokit.models._config import FamilyConfig
from stereokit.models._family import Family

Loss = Literal["time", "frequency", "autoencoder", "adversarial", "log-spectral"]
# Samples of the published window.
_WINDOW = 8_192


@dataclass(frozen=True)
class EnhancerConfig(FamilyConfig):
    """What an ``enhancer`` is and how it learns, beside what all families have.

    Attributes
    ----------
    channels
        How two channels go through the networks: ``mid-side`` or ``left-right`` together, or ``each`` by itself through
        networks of one channel.
    level
        ``matched``: each window is brought to one level for the networks and back afterwards. ``as-is``: it is not.
    filter_taps
        Of a linear filter, the same at all times, that is learned beside the generator and helps it: an even number; 0
        for none.
    filter_rate
        Of its taps, as a share of ``rate``.
    fold
        Samples that are taken as channels of one before the first layer: a power of 2.
    blocks
        That halve the time, and as many that double it again.
    width, doublings
        Filters of the first block; each of so many further blocks has twice those of the last.
    kernels, shares
        Length and share of the filters of each branch of a block.
    reduction
        A branch's bottleneck has so much fewer channels than its filters.
    dropout
        In the generator.
    has_skip
        Whether what the generator makes is added to its input.
    ending
        Of the generator: within full scale by ``tanh``, or ``linear``.
    loss
        What the generator learns from; all of them are added up. ``time``: mean squared difference of samples.
        ``frequency``: of power spectra. ``autoencoder``: of what an autoencoder sees in the sounds. ``adversarial``: a
        critic's verdict. ``log-spectral``: mean difference of log spectra at several resolutions.
    frequency_weight, autoencoder_weight, adversarial_weight, log_spectral_weight
        Of the losses, where they are among them; that of ``time`` is 1.
    adversary
        How the critic is trained: Wasserstein with a ``gradient-penalty`` or with ``weight-clipping``, or by odds: the
        ``plain`` game, or one whose generator is ``non-saturating``.
    critic_steps, penalty_weight, clip
        Steps of the critic for one of the generator; weight of the penalty; largest weight with clipping.
    autoencoder_blocks, autoencoder_reduction
        As ``blocks`` and ``reduction``, of the autoencoder.
    autoencoder_until
        Share of the training after which the autoencoder stays as it is and the generator begins, if there is one.
    classifier_weight
        Of a classifier that tells inputs from targets by the autoencoder's bottleneck and learns along with it; 0 for
        none.
    rate, schedule
        Of Adam; ``stepped`` halves the rate four times, ``falling`` lowers it from half-way on.
    choice
        Which averaged model is kept: the ``best`` on the validation pairs or the ``last``.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "filter_taps": (0, 2**16),
        "filter_rate": (1e-6, 1e3),
        "fold": (1, 64),
        "blocks": (1, 12),
        "width": (1, 4_096),
        "doublings": (0, 12),
        "reduction": (1, 4_096),
        "dropout": (0.0, 0.99),
        "frequency_weight": (0.0, 1e6),
        "autoencoder_weight": (0.0, 1e6),
        "adversarial_weight": (0.0, 1e6),
        "log_spectral_weight": (0.0, 1e6),
        "critic_steps": (1, 1_000),
        "penalty_weight": (0.0, 1e6),
        "clip": (1e-6, 1e3),
        "autoencoder_blocks": (1, 12),
        "autoencoder_reduction": (1, 4_096),
        "autoencoder_until": (0.001, 0.999),
        "classifier_weight": (0.0, 1e6),
        "rate": (1e-9, 10.0),
    }

    seconds: float = _WINDOW / 44_100
    channels: Literal["mid-side", "left-right", "each"] = "mid-side"
    level: Literal["matched", "as-is"] = "matched"
    filter_taps: int = 0
    filter_rate: float = 0.2
    fold: int = 1
    blocks: int = 8
    width: int = 64
    doublings: int = 4
    kernels: tuple[int, ...] = (3, 9, 27, 81)
    shares: tuple[int, ...] = (3, 3, 1, 1)
    reduction: int = 16
    dropout: float = 0.0
    has_skip: bool = False
    ending: Literal["tanh", "linear"] = "linear"
    loss: tuple[Loss, ...] = ("time", "log-spectral")
    frequency_weight: float = 10.0
    autoencoder_weight: float = 0.1
    adversarial_weight: float = 1e-4
    log_spectral_weight: float = 0.2
    adversary: Literal["gradient-penalty", "weight-clipping", "plain", "non-saturating"] = "gradient-penalty"
    critic_steps: int = 1
    penalty_weight: float = 10.0
    clip: float = 0.01
    autoencoder_blocks: int = 4
    autoencoder_reduction: int = 4
    autoencoder_until: float = 0.2
    classifier_weight: float = 0.0
    rate: float = 1e-3
    schedule: Literal["constant", "stepped", "falling"] = "falling"
    choice: Literal["best", "last"] = "best"
    batch: int = 64
    steps: int = 50_000
    clip_norm: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.loss or len(set(self.loss)) != len(self.loss):
            raise UsageError(f"loss is {','.join(self.loss) or 'empty'}: name each loss once, and one at least")
        if len(self.kernels) != len(self.shares) or not self.kernels or min(self.shares, default=0) < 1:
            raise UsageError(f"kernels are {self.kernels}, shares {self.shares}: give each kernel a share of 1 or more")
        if not all(1 <= kernel <= 1_023 and kernel % 2 for kernel in self.kernels):
            raise UsageError(f"kernels are {self.kernels}: must be odd, from 1 to 1023")
        if self.width % (2 * sum(self.shares)) and self.width != sum(self.shares):
            raise UsageError(f"width is {self.width}: must be {sum(self.shares)} (the sum of shares) or even times it")
        if self.width % 2:
            raise UsageError(f"width is {self.width}: must be even, for subpixel layers")
        if self.filter_taps % 2:
            raise UsageError(f"filter_taps is {self.filter_taps}: must be even")
        if self.fold & (self.fold - 1):
            raise UsageError(f"fold is {self.fold}: must be a power of 2")
        if self.classifier_weight and "autoencoder" not in self.loss:
            raise UsageError("classifier_weight is for the autoencoder, which is not in loss")

    @property
    def frames(self) -> int:
        """Samples of a clip."""
        return round(self.seconds * self.sample_rate)

    @property
    def begins(self) -> float:
        """The share of the training after which the generator learns."""
        return self.autoencoder_until if "autoencoder" in self.loss else 0.0

    def rate_factor(self, progress: float) -> float:
        """Return the factor on the learning rate at a turn's progress, 0 to 1."""
        if self.schedule == "constant":
            return 1.0
        if self.schedule == "stepped":
            return float(0.5 ** min(4, math.floor(5.0 * progress)))
        # half a cosine, from half-way on, to 2 %
        return 0.51 + 0.49 * math.cos(math.pi * max(0.0, 2.0 * progress - 1.0))


_DEFAULT = EnhancerConfig()
# One channel, as it comes; every loss that is printed, with the weights of the text and of the code.
_PUBLISHED = replace(
    _DEFAULT, channels="each", level="as-is", dropout=0.2, ending="tanh", adversary="weight-clipping",
    loss=("time", "frequency", "autoencoder", "adversarial"), schedule="stepped", choice="last", ema_decay=0.0,
    clip_norm=0.0,
)  # fmt: skip
_SMALL = replace(
    _DEFAULT, fold=16, blocks=5, doublings=2, reduction=2, rate=2e-3, batch=16, steps=1_500, ema_decay=0.99,
    validate_every=150,
)  # fmt: skip

PRESETS = {
    "published": _PUBLISHED,
    "default": _DEFAULT,
    # two cores, twenty minutes
    "small": _SMALL,
    # a linear filter first, longer clips for it, and what that leaves
    "best": replace(_SMALL, seconds=4 * _WINDOW / 44_100, filter_taps=4_096, batch=4),
    "tiny": replace(
        _DEFAULT, seconds=256 / 44_100, blocks=3, width=16, doublings=1, kernels=(3, 9), shares=(3, 1), reduction=4,
        fold=2, filter_taps=16, dropout=0.1, loss=("time", "frequency", "autoencoder", "adversarial", "log-spectral"),
        autoencoder_blocks=2, classifier_weight=0.1, critic_steps=2, batch=4, steps=3, validate_every=2,
    ),
}  # fmt: skip

FAMILY = Family(
    name="enhancer",
    summary="a recording to another, sample by sample: other instruments, degraded to clean, dull to bright",
    presets=PRESETS,
    feed="pairs",
    capabilities=("converter",),
)
