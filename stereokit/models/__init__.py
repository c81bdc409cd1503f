"""One folder a model family: its presets, its nets, its losses by turn."""
