"""Drum classifier: what one-shots are, of any set of labels, with probabilities that can be believed."""

from stereokit.models.drum_classifier.config import FAMILY

__all__ = ["FAMILY"]
