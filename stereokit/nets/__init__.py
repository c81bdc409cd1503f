"""Layers and small networks that know nothing of training."""
