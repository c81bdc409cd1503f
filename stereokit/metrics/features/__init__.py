"""One module a feature: a clip becomes a sequence of numbers."""
