"""Settings and presets of ``drum-vae``."""

from dataclasses import dataclass, replace

from stereokit.models._family import Family
from stereokit.models._waveform_vae_config import PUBLISHED, SMALL, TINY, WaveformVaeConfig


@dataclass(frozen=True)
class DrumVaeConfig(WaveformVaeConfig):
    """What a ``drum-vae`` is and how it learns: see ``WaveformVaeConfig``."""


_DEFAULT = DrumVaeConfig()
_PUBLISHED = replace(_DEFAULT, **PUBLISHED)

PRESETS = {
    "published": _PUBLISHED,
    # the ablation that the thesis warns of
    "element-wise": replace(_PUBLISHED, spectral_weight=0.0, wave_weight=10.0),
    "default": _DEFAULT,
    "small": replace(_DEFAULT, **SMALL),
    "tiny": replace(_DEFAULT, **TINY),
}

FAMILY = Family(
    name="drum-vae",
    summary="one-shots as waves, from a few numbers to draw, find and mix (variational autoencoder)",
    presets=PRESETS,
    feed="clips",
    capabilities=("sampler", "interpolator", "encoder"),
)
