"""One module an augmentation: what may be done to a training clip that leaves it a plausible clip of its kind."""
