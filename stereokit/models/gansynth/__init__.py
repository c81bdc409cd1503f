"""Mid/side GANSynth: pitched one-shots from levels and phase steps of the sum and the difference of both channels."""

from stereokit.models.gansynth.config import FAMILY

__all__ = ["FAMILY"]
