"""Settings and presets of ``genre-unet``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from stereokit.errors import UsageError
from stereokit.models._family import Family
from stereokit.models._genre_config import PUBLISHED, SMALL, TINY, GenreConfig


@dataclass(frozen=True)
class GenreUnetConfig(GenreConfig):
    """What a ``genre-unet`` is and how it learns, beside ``GenreConfig``.

    Attributes
    ----------
    skipped
        Stages whose pictures a decoder hears, the innermost ones. With all of them a picture passes by the map, and
        each decoder learns to give back what it is shown.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {**GenreConfig.RANGES, "skipped": (0, 64)}

    widths: tuple[int, ...] = (64, 128, 256, 512)
    convolutions: tuple[int, ...] = (2, 2, 2, 2)
    skipped: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.skipped > len(self.widths):
            raise UsageError(f"skipped is {self.skipped}: there are {len(self.widths)} stages")


_DEFAULT = GenreUnetConfig()
_SMALL = replace(_DEFAULT, **SMALL)

PRESETS = {
    "published": replace(_DEFAULT, **PUBLISHED, skipped=4),
    "default": _DEFAULT,
    # what the report proposes to try next
    "large-latent": replace(_SMALL, widths=(16, 32, 128), convolutions=(2, 2, 2)),
    "domain-latent": replace(_SMALL, manner=16),
    "small": _SMALL,
    "tiny": replace(_DEFAULT, **TINY),
}

FAMILY = Family(
    name="genre-unet",
    summary="one genre's sounds as another's: encoders and decoders that pass pictures of several sizes (U-Net)",
    presets=PRESETS,
    feed="domains",
    capabilities=("translator",),
)
