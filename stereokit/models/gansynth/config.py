"""Settings and presets of ``gansynth``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from stereokit.errors import UsageError
from stereokit.models._config import LabelledConfig
from stereokit.models._family import Family, check_ranges

# Bins and frames of the first resolution.
FIRST_HEIGHT, FIRST_WIDTH = 16, 2

_RANGES: dict[str, tuple[float, float]] = {
    "angle_degrees": (-360.0, 360.0),
    "window": (32, 2**16),
    "hop": (0, 2**16),
    "spectra": (FIRST_WIDTH, 2**12),
    "mel_bands": (0, 2**15),
    "latent": (1, 65_536),
    "grown_at": (0.0, 1.0),
    "group": (2, 65_536),
    "generator_rate": (1e-9, 10.0),
    "critic_rate": (1e-9, 10.0),
    "critic_steps": (1, 1_000),
    "penalty_weight": (0.0, 1e6),
    "penalty_share": (1e-6, 1.0),
    "label_weight": (0.0, 1e6),
    "drift_weight": (0.0, 1e6),
    "adversarial_weight": (0.0, 1e6),
    "picture_weight": (0.0, 1e6),
    "likeness_weight": (0.0, 1e6),
    "judged_from": (0.0, 1.0),
    "generator_momentum": (0.0, 0.999),
}


@dataclass(frozen=True)
class GansynthConfig(LabelledConfig):
    """What a ``gansynth`` is and how it learns, beside ``LabelledConfig``.

    Attributes
    ----------
    condition_draw
        Labels of clips for which none is asked: as often as in the ``data``, ``even``, or always the ``first``.
    channels, angle_degrees
        ``mid-side``, ``left-right``, or ``rotated`` by an angle, of which 45 degrees are mid and side.
    window, hop, spectra
        Of the transform, in samples and frames; a hop of 0 lets the frames cover the clip.
    mel_bands
        Rows of a picture; 0 for the transform's own bins, window / 2.
    form, integral
        ``printed`` is the published way to mel bands and back, whose phases are summed over time or ``frequency``.
    latent
        Numbers that a sound is made of.
    widths
        Filters at each resolution, the first of 16 x 2 places, each with twice the rows of the one before.
    growing
        Start with the first resolution and fade in the others.
    grown_at
        Share of the training after which the last one has been faded in.
    group
        Items whose deviation the critic hears of; where they do not fill the batch, all are one group.
    starts_at
        What the generator's pictures are changes of: ``nothing``, the training clips' ``mean`` picture of the label
        asked for, or that and ``patterns``, one for each number of the latent, in which clips of a label differ most.
    objective
        ``wasserstein`` with a penalty on slopes that are not 1 between real and made pictures, or ``relativistic``
        with a penalty on slopes at real ones.
    generator_rate, critic_rate
        Learning rates.
    generator_momentum
        Of the generator's Adam.
    stale
        Repeat each of the generator's updates at every critic step, as published.
    critic_steps
        For each of the generator's.
    penalty_weight
        Of the critic's slope.
    penalty_share
        Part of a batch at which the slope is measured.
    label_weight
        Of the critic's error about real pictures' labels, and about made ones' in the generator's turn.
    drift_weight
        Of the squares of the critic's verdicts on real pictures, which else may lie anywhere.
    adversarial_weight, picture_weight, likeness_weight
        Of the generator's losses: the critic's opinion; energy distance of batches of pictures with their labels;
        difference between training pictures and those made of the latents that their patterns give.
    judged_from
        Share of the training after which the critic begins. Until then the generator learns from the other losses.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = _RANGES

    seconds: float = 0.4
    # room for eight, as published; train puts in those of the data
    labels: tuple[str, ...] = ("C", "D", "D#", "E", "F", "G", "G#", "A")
    label_counts: tuple[int, ...] = (1, 1, 1, 1, 1, 1, 1, 1)
    condition_draw: Literal["data", "even", "first"] = "data"
    channels: Literal["mid-side", "left-right", "rotated"] = "mid-side"
    angle_degrees: float = 45.0
    window: int = 2048
    hop: int = 0
    spectra: int = 32
    mel_bands: int = 1024
    form: Literal["mended", "printed"] = "mended"
    integral: Literal["time", "frequency"] = "time"
    latent: int = 256
    widths: tuple[int, ...] = (256, 256, 256, 256, 128, 64, 32)
    growing: bool = True
    grown_at: float = 0.6
    group: int = 4
    starts_at: Literal["nothing", "mean", "patterns"] = "mean"
    objective: Literal["wasserstein", "relativistic"] = "wasserstein"
    generator_rate: float = 2e-4
    critic_rate: float = 4e-4
    generator_momentum: float = 0.0
    stale: bool = False
    critic_steps: int = 3
    penalty_weight: float = 10.0
    penalty_share: float = 1.0
    label_weight: float = 10.0
    drift_weight: float = 1e-3
    adversarial_weight: float = 1.0
    picture_weight: float = 0.0
    likeness_weight: float = 0.0
    judged_from: float = 0.0
    batch: int = 8
    steps: int = 60_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, {"frames": (self.window, 2**22)})
        if not self.widths or not all(1 <= width <= 2**14 for width in self.widths):
            raise UsageError(f"widths are {self.widths}: give one or more numbers from 1 to {2**14}")
        if self.window % 2:
            raise UsageError(f"window is {self.window}: must be even")
        rows, made = self.mel_bands or self.window // 2, FIRST_HEIGHT * 2 ** (len(self.widths) - 1)
        if rows != made:
            source = "mel_bands" if self.mel_bands else "window / 2"
            raise UsageError(f"{source} is {rows}: networks of {len(self.widths)} widths make {made} rows")
        most = FIRST_WIDTH * 2 ** (len(self.widths) - 1)
        if self.spectra & (self.spectra - 1) or self.spectra > most:
            raise UsageError(f"spectra is {self.spectra}: must be a power of 2 from {FIRST_WIDTH} to {most}")
        self._check_agreement()

    def _check_agreement(self) -> None:
        """Refuse fields that contradict each other."""
        if self.integral == "frequency" and self.form != "printed":
            raise UsageError("integral=frequency needs form=printed")
        if self.likeness_weight > 0.0 and self.starts_at != "patterns":
            raise UsageError("likeness_weight above 0 needs starts_at=patterns, which gives training pictures latents")
        if self.judged_from > 0.0 and not self.picture_weight + self.likeness_weight > 0.0:
            raise UsageError("judged_from above 0 needs picture_weight or likeness_weight: there is no other teacher")
        if self.condition_draw == "even" and self.picture_weight > 0.0:
            raise UsageError("condition_draw=even needs picture_weight=0: batches are compared with their labels")
        if (self.spectra - 1) * self.hop_samples > self.frames:
            raise UsageError(
                f"hop is {self.hop}: {self.spectra} spectra would reach past the clip's {self.frames} samples"
            )

    @property
    def hop_samples(self) -> int:
        """Samples from one spectrum to the next."""
        return self.hop or self.frames // (self.spectra - 1)


_DEFAULT = GansynthConfig()

PRESETS = {
    "published": replace(
        _DEFAULT,
        condition_draw="first",
        hop=512,
        form="printed",
        integral="frequency",
        growing=False,
        group=8,
        starts_at="nothing",
        stale=True,
        drift_weight=0.0,
    ),
    "default": _DEFAULT,
    "linear": replace(_DEFAULT, mel_bands=0),
    "small": replace(
        _DEFAULT,
        mel_bands=256,
        widths=(96, 96, 64, 32, 16),
        latent=128,
        # before the first validation: what is blurred must not be chosen
        grown_at=0.1,
        starts_at="patterns",
        objective="relativistic",
        generator_rate=2e-3,
        critic_rate=1e-3,
        generator_momentum=0.5,
        critic_steps=1,
        penalty_weight=5.0,
        penalty_share=0.25,
        label_weight=1.0,
        drift_weight=0.0,
        adversarial_weight=0.2,
        picture_weight=3.0,
        likeness_weight=0.5,
        judged_from=0.15,
        batch=16,
        steps=600,
        ema_decay=0.98,
        validate_every=100,
    ),
    "tiny": replace(
        _DEFAULT,
        seconds=0.1,
        window=512,
        spectra=16,
        mel_bands=128,
        latent=8,
        widths=(8, 8, 8, 8),
        batch=4,
        steps=3,
        validate_every=2,
    ),
}

FAMILY = Family(
    name="gansynth",
    summary="pitched one-shots from levels and phase steps of mid and side (GANSynth)",
    presets=PRESETS,
    feed="labelled",
    capabilities=("sampler", "interpolator", "critic"),
)
