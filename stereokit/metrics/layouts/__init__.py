"""Maps of clips in two or three dimensions: one a module, declaring ``LAYOUT``."""
