"""The folder of a demo: whether it may be written, and what of an interrupted one is used again."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stereokit.errors import OutputError, UsageError
from stereokit.writing import locked, make_folder, remove_file, write_file

DEMO_SCHEMA = "stereokit.demo/1"

_LOCK = ".stereokit-lock"


@dataclass(frozen=True)
class DemoFolder:
    """Where everything of a demo lies; each part is what a command of its own makes."""

    path: Path

    @property
    def dataset(self) -> Path:
        """What ``prep`` makes."""
        return self.path / "dataset"

    @property
    def run(self) -> Path:
        """What ``train`` makes."""
        return self.path / "run"

    @property
    def generated(self) -> Path:
        """What ``generate`` makes."""
        return self.path / "generated"

    @property
    def noise(self) -> Path:
        """Clips that nothing was learned for."""
        return self.path / "noise"

    @property
    def report(self) -> Path:
        """Written last: with it a demo is finished."""
        return self.path / "report.html"

    @property
    def description(self) -> Path:
        """Written first: by it we know our own."""
        return self.path / "demo.json"

    def check_target(self, *, force: bool) -> None:
        """Refuse to write where something else is.

        Raises
        ------
        UsageError
            For a finished demo without ``force``, and for a folder that holds anything but a demo.
        """
        try:
            if self.path.exists() and not self.path.is_dir():
                raise UsageError(f"-o {self.path}: is a file; give a folder")
            names = {path.name for path in self.path.iterdir()} if self.path.exists() else set()
        except OSError as error:
            raise OutputError(f"-o {self.path}: {error.strerror}") from error
        if self.description.name in names:
            if not self._is_ours():
                name = self.description.name
                raise UsageError(f"-o {self.path}: its {name} is another program's; give a new or empty folder")
            if self.report.name in names and not force:
                raise UsageError(f"-o {self.path}: holds a finished demo; --force makes it anew")
        elif names - {_LOCK}:
            raise UsageError(f"-o {self.path}: holds other files; give a new or empty folder")

    def _is_ours(self) -> bool:
        try:
            return str(json.loads(self.description.read_bytes())["schema"]) == DEMO_SCHEMA
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            return False

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Make the folder and hold its lock; a new folder to which nothing came is removed again.

        Raises
        ------
        LockedError
            When another process makes a demo in it.
        OutputError
            When it cannot be made.
        """
        is_new = not self.path.exists()
        make_folder(self.path)
        with locked(self.path / _LOCK):
            try:
                yield
            finally:
                if is_new and {path.name for path in self.path.iterdir()} <= {_LOCK, self.description.name}:
                    with contextlib.suppress(OSError):
                        self.description.unlink(missing_ok=True)
                        (self.path / _LOCK).unlink()
                        self.path.rmdir()

    def begin(self, settings: dict[str, object]) -> None:
        """Say what is made here; a demo that was finished is so no more."""
        text = json.dumps({"schema": DEMO_SCHEMA, "settings": settings}, indent=1) + "\n"
        write_file(self.description, text.encode())
        remove_file(self.report)
