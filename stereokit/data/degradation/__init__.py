"""One module a degradation: what happens to a sound between the air and the file, without ever shifting it in time."""
