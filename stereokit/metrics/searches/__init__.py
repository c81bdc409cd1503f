"""One module a way to find nearest neighbours; all give the same answer."""
