"""Settings and presets of ``genre-segnet``."""

from dataclasses import dataclass, replace

from stereokit.models._family import Family
from stereokit.models._genre_config import PUBLISHED, SMALL, TINY, GenreConfig


@dataclass(frozen=True)
class GenreSegnetConfig(GenreConfig):
    """What a ``genre-segnet`` is and how it learns: see ``GenreConfig``."""


_DEFAULT = GenreSegnetConfig()
_SMALL = replace(_DEFAULT, **SMALL)

PRESETS = {
    "published": replace(_DEFAULT, **PUBLISHED),
    "default": _DEFAULT,
    # what the report proposes to try next
    "large-latent": replace(_SMALL, widths=(16, 32, 128), convolutions=(2, 2, 2)),
    "recurrent": replace(_SMALL, decoder="recurrent", agreement_weight=0.5),
    "domain-latent": replace(_SMALL, manner=16),
    "small": _SMALL,
    "tiny": replace(_DEFAULT, **TINY),
}

FAMILY = Family(
    name="genre-segnet",
    summary="one genre's sounds as another's: encoders and decoders that pass a map and its loudest places (SegNet)",
    presets=PRESETS,
    feed="domains",
    capabilities=("translator",),
)
