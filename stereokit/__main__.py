"""Run the command line as ``python -m stereokit``."""

from stereokit.cli.app import main

if __name__ == "__main__":
    main()
