"""Write man pages and completions: ``python -m stereokit.cli.build_pages FOLDER`` (the repository's root)."""

import sys
from pathlib import Path

from stereokit.cli.app import app
from stereokit.cli.manual import manual_pages
from stereokit.cli.shells import COMPLETION_SCRIPTS
from stereokit.writing import make_folder, write_file


def generated_files() -> dict[str, str]:
    """Return the text of every generated file by its path below the root."""
    pages = {f"man/{name}": text for name, text in manual_pages(app).items()}
    return pages | {f"completions/{name}": text for name, text in COMPLETION_SCRIPTS.items()}


def main() -> None:
    """Write them below the folder given as the only argument."""
    root = Path(sys.argv[1])
    for name, text in generated_files().items():
        make_folder((root / name).parent)
        write_file(root / name, text.encode())


if __name__ == "__main__":
    main()
