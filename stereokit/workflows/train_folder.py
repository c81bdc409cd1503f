"""The folder of a run: whether it may be written, and what is in it before the first step."""

import contextlib
import platform
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from stereokit import __version__
from stereokit.errors import BadInputError, OutputError, UsageError
from stereokit.training.checkpoint import CONFIG, CONFIG_SCHEMA, LOG, MODEL, TRAINING, read_json
from stereokit.training.resume import part_files, tidy_training
from stereokit.training.state import has_checkpoint
from stereokit.workflows.train_curve import CURVE
from stereokit.workflows.train_labels import CONFUSION, REPORT
from stereokit.workflows.train_validation import PREVIEWS
from stereokit.writing import locked, make_folder, remove_file

LOCK = ".stereokit-lock"
# Half-written, by a process that was killed.
_LEFT = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")
_VERSIONED = ("numpy", "torch", "lightning-fabric", "soundfile")


def check_target(run: Path, *, force: bool, resume: bool) -> None:
    """Refuse to write where something else is.

    Raises
    ------
    UsageError
        For a run that is there without ``force`` or ``resume``, and for a folder that holds anything but a run.
    """
    try:
        if run.exists() and not run.is_dir():
            raise UsageError(f"-o {run}: is a file; give a folder")
        names = {path.name for path in run.iterdir()} if run.exists() else set()
    except OSError as error:
        raise OutputError(f"-o {run}: {error.strerror}") from error
    if CONFIG in names:
        if not _is_ours(run):
            raise UsageError(f"-o {run}: its {CONFIG} is another program's; give a new or empty folder")
        if not (force or resume):
            state = "a run" if has_checkpoint(run) else "a run that was not saved yet"
            raise UsageError(f"-o {run}: holds {state}; --resume goes on with it, --force starts anew")
    elif {name for name in names if not _LEFT.fullmatch(name)} - {LOCK, TRAINING} or (names and LOCK not in names):
        raise UsageError(f"-o {run}: holds other files; give a new or empty folder")


def _is_ours(run: Path) -> bool:
    try:
        return read_json(run / CONFIG).get("schema") == CONFIG_SCHEMA
    except BadInputError:
        return False


@contextlib.contextmanager
def holding(run: Path) -> Iterator[None]:
    """Make the run's folder and hold its lock; a new folder to which nothing came is removed again.

    Raises
    ------
    LockedError
        When another process trains in it.
    OutputError
        When it cannot be made.
    """
    is_new = not run.exists()
    make_folder(run)
    with locked(run / LOCK):
        try:
            yield
        finally:
            if is_new and {path.name for path in run.iterdir()} == {LOCK}:
                with contextlib.suppress(OSError):
                    (run / LOCK).unlink()
                    run.rmdir()


def sweep(run: Path) -> None:
    """Remove what a process that was killed left half-written, and checkpoints that do not count."""
    for folder in (run, run / PREVIEWS):
        for path in folder.iterdir() if folder.is_dir() else ():
            if _LEFT.fullmatch(path.name):
                remove_file(path)
    tidy_training(run)


def clear(run: Path) -> None:
    """Remove an earlier run's files, and nothing else; what says that it is one goes last."""
    previews = run / PREVIEWS
    pictures = [path for suffix in ("wav", "png") for path in previews.glob(f"step-*.{suffix}")]
    for path in (
        *part_files(run),
        run / MODEL,
        run / LOG,
        run / CURVE,
        run / REPORT,
        run / CONFUSION,
        *pictures,
        run / CONFIG,
    ):
        remove_file(path)


def versions() -> dict[str, str]:
    """Return the versions that a training's numbers depend on."""
    found = {name: metadata.version(name) for name in _VERSIONED}
    return {"stereokit": __version__, "python": platform.python_version(), **found}
