"""Enhancer: a recording to another, sample by sample: an instrument to another, degraded to clean, dull to bright."""

from stereokit.models.enhancer.config import FAMILY

__all__ = ["FAMILY"]
