"""One module a voice: procedural sounds to train and test on, made from a seed."""
