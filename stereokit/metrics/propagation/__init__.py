"""Ways from the labels of some clips to those of the others: one a module, declaring ``PROPAGATION``."""
