"""StereoSampleGAN: one-shots from pictures of both channels' magnitudes."""

from stereokit.models.sample_gan.config import FAMILY

__all__ = ["FAMILY"]
