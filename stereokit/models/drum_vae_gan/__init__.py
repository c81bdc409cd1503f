"""Drum VAE-GAN: an autoencoder of waves whose decoder also learns from discriminators."""

from stereokit.models.drum_vae_gan.config import FAMILY

__all__ = ["FAMILY"]
