"""Drum VAE: one-shots as waves, from a few numbers that can be drawn, found and mixed."""

from stereokit.models.drum_vae.config import FAMILY

__all__ = ["FAMILY"]
