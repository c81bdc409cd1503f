"""Genres exchanged by SegNets: maps and the places of the loudest cells are all that passes."""

from stereokit.models.genre_segnet.config import FAMILY

__all__ = ["FAMILY"]
