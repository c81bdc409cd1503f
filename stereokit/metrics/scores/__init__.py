"""One module a score between two sets of clips, read from their nearest neighbours."""
