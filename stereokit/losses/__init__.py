"""Losses and penalties, in float32 and outside autocast, that know nothing of training."""
