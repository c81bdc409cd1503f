"""One module a distance between the sequences of two clips."""
