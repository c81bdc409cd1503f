"""Run the command line as ``python -m stereokit``."""

from stereokit.cli.start import main

if __name__ == "__main__":
    main()
