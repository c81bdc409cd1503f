"""Genres exchanged by U-Nets: each stage of a decoder hears what the encoder had there."""

from stereokit.models.genre_unet.config import FAMILY

__all__ = ["FAMILY"]
