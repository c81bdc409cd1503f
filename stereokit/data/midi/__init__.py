"""MIDI files to stereo sound: read with caps, shaped per side, rendered on one grid of samples, proved aligned."""
