"""Waveform to tensor and back: the only room where one becomes the other."""
