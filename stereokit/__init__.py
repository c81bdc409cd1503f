"""stereokit: one command line for machine learning on stereo sound."""

__version__ = "0.1.0.dev0"
