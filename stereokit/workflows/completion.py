"""``stereokit completion``: the completion scripts that came with the package."""

from importlib import metadata
from pathlib import Path

from stereokit.errors import MissingError

# Where the wheel's shared data puts each shell's script, below the environment's prefix.
SCRIPT_PLACES = {
    "bash": "share/bash-completion/completions/stereokit",
    "zsh": "share/zsh/site-functions/_stereokit",
    "fish": "share/fish/vendor_completions.d/stereokit.fish",
}


def completion_script(shell: str) -> str:
    """Return the script installed for ``bash``, ``zsh`` or ``fish``.

    Raises
    ------
    MissingError
        When the installation left it out.
    """
    place = SCRIPT_PLACES[shell]
    for file in metadata.files("stereokit") or ():
        if file.as_posix().endswith(place):
            path = Path(str(file.locate()))
            if path.is_file():
                return path.read_text("utf-8")
    raise MissingError(f"the {shell} completion is not installed ({place}): install stereokit again")
