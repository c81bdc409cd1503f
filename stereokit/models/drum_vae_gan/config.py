"""Settings and presets of ``drum-vae-gan``."""

from dataclasses import dataclass, replace
from typing import Literal

from stereokit.errors import UsageError
from stereokit.models._family import Family, check_ranges
from stereokit.models._waveform_vae_config import PUBLISHED, SMALL, TINY, WaveformVaeConfig

Discriminators = Literal["multi-scale", "multi-period", "patch", "phase-shuffle"]

_RANGES: dict[str, tuple[float, float]] = {
    "discriminator_width": (1, 1_024),
    "discriminator_rate": (1e-9, 10.0),
    "judged_from": (0.0, 0.999),
    "adversarial_weight": (0.0, 1e6),
    "matching_weight": (0.0, 1e6),
}


@dataclass(frozen=True)
class DrumVaeGanConfig(WaveformVaeConfig):
    """What a ``drum-vae-gan`` is and how it learns; for what is not here see ``WaveformVaeConfig``.

    Attributes
    ----------
    reconstruction
        What a reconstruction is compared by: log ``spectra``, or the ``features`` of the discriminators alone (Larsen
        et al. 2016, Autoencoding beyond pixels).
    alternation
        ``apart``: the decoder learns from the discriminators in a turn and with an optimiser of its own. ``together``:
        in the autoencoder's turn. An optimiser like Adam takes steps of one size whatever the weight of a loss, so the
        weights below count against the spectra only ``together``.
    judged
        What discriminators are shown as made: random ``samples``, ``reconstructions``, or half a batch of each.
    discriminators
        One or more views: ``multi-scale``, ``multi-period``, ``patch``, ``phase-shuffle``.
    discriminator_width
        Channels of their first layers.
    discriminator_rate
        Learning rate.
    judged_seconds
        Of the part of a clip that is judged, at a random place; 0 for all of it.
    judged_from
        Share of the training after which discriminators begin.
    adversarial_weight, matching_weight
        Of their verdicts, and of the difference of their features.
    """

    reconstruction: Literal["spectra", "features"] = "spectra"
    alternation: Literal["together", "apart"] = "together"
    judged: Literal["samples", "reconstructions", "both"] = "both"
    discriminators: tuple[Discriminators, ...] = ("multi-scale", "multi-period")
    discriminator_width: int = 16
    discriminator_rate: float = 2e-4
    judged_seconds: float = 0.0
    judged_from: float = 0.3
    adversarial_weight: float = 0.05
    matching_weight: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, {**_RANGES, "judged_seconds": (0.0, self.seconds)})
        if not self.discriminators or len(set(self.discriminators)) < len(self.discriminators):
            raise UsageError(
                f"discriminators are {','.join(self.discriminators) or '(none)'}: name one or more, each once"
            )
        if self.judged_samples < 1:
            raise UsageError(f"judged_seconds is {self.judged_seconds}: is less than a sample")
        if self.reconstruction == "features":
            if self.judged_from > 0.0:
                raise UsageError("judged_from above 0 needs reconstruction=spectra: there is no other teacher")
            if not self.matching_weight > 0.0 or self.judged == "samples":
                raise UsageError("reconstruction=features needs matching_weight above 0 and judged other than samples")

    @property
    def judged_samples(self) -> int:
        """Samples of what is judged."""
        return round(self.judged_seconds * self.sample_rate) if self.judged_seconds else self.frames


_DEFAULT = DrumVaeGanConfig()
_PUBLISHED = replace(
    _DEFAULT,
    **PUBLISHED,
    alternation="apart",
    judged="samples",
    discriminators=("multi-scale",),
    discriminator_rate=4e-4,
    judged_from=0.0,
    adversarial_weight=1.0,
    matching_weight=0.0,
)

PRESETS = {
    "published": _PUBLISHED,
    # their first attempt, which collapsed
    "features": replace(_PUBLISHED, reconstruction="features", judged="both", matching_weight=1.0),
    "default": _DEFAULT,
    "small": replace(
        _DEFAULT, **{**SMALL, "steps": 1_200}, discriminator_width=8, judged_seconds=0.25, discriminators=("patch",)
    ),
    "tiny": replace(_DEFAULT, **TINY, discriminator_width=4, judged_seconds=0.05),
}

FAMILY = Family(
    name="drum-vae-gan",
    summary="drum-vae whose decoder also learns from discriminators of waves (VAE-GAN)",
    presets=PRESETS,
    feed="clips",
    capabilities=("sampler", "interpolator", "encoder", "critic"),
)
