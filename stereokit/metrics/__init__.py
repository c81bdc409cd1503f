"""What the stereo image is, how far two images are apart, and how far two sets are. No torch."""
