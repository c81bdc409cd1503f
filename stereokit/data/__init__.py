"""From sound files to data sets: sources, labels, splits, preparation, procedural sounds. No torch at import."""
