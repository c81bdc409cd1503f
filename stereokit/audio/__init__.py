"""Sound as arrays: clips, files, mid and side, levels, frames and spectra. NumPy, soundfile and soxr only."""
