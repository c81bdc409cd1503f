"""Saving a training and going on from it, bit for bit on the CPU.

No random state is saved: every draw, the order of the data and the seed of dropout follow from the step's number. The
files of a checkpoint carry its step in their names, and ``state.json``, written after them, says which step counts: a
process that dies at any moment leaves the checkpoint before, or this one.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from stereokit.errors import BadInputError, OutputError
from stereokit.training.checkpoint import (
    MODEL,
    TRAINING,
    Tensors,
    load_optimiser,
    load_weights,
    optimiser_state,
    read_tensors,
    write_tensors,
)
from stereokit.training.state import STATE, Choice, has_checkpoint, read_state, write_state
from stereokit.training.trainer import Trainer
from stereokit.writing import remove_file

_KINDS = ("live", "average", "optimisers")
_OURS = re.compile(rf"({'|'.join(_KINDS)})-\d{{6,}}\.safetensors|\..+\.[0-9a-f]{{12}}\.tmp")


def part_path(run: Path, kind: str, step: int) -> Path:
    """Return where a part of a checkpoint lies: ``live``, ``average`` or ``optimisers``."""
    return run / TRAINING / f"{kind}-{step:06d}.safetensors"


def save_training(
    trainer: Trainer, run: Path, choice: Choice, *, watch: Mapping[str, Any] | None = None, is_kept: bool = False
) -> None:
    """Write all that training needs to go on, and put the chosen averaged model in its place; only rank 0 writes.

    Parameters
    ----------
    trainer, run
        What is saved, and the run's folder.
    choice
        Which averaged model the run keeps.
    watch
        What the watch against collapse must remember; plain JSON.
    is_kept
        Keep this state, in the place of the one kept before, until ``go_back`` is called for.

    Raises
    ------
    OutputError
        When the disk is full or the like; the checkpoint before stays as it was.
    """
    if trainer.fabric.global_rank != 0:
        return
    live, average, optimisers = (part_path(run, kind, trainer.step) for kind in _KINDS)
    tensors: Tensors = {}
    scalars = {}
    for name, optimiser in trainer.optimisers.items():
        own, scalars[name] = optimiser_state(optimiser)
        tensors |= {f"{name}/{key}": tensor for key, tensor in own.items()}
    mark = {"step": torch.tensor(trainer.step)}
    point = {
        "step": trainer.step,
        "updates": trainer.average.updates,
        "chosen": asdict(choice),
        "watch": dict(watch or {}),
        "optimisers": scalars,
    }
    kept = point if is_kept else _kept_point(run)
    try:
        write_tensors(live, trainer.model.state_dict() | mark)
        write_tensors(average, trainer.average.model.state_dict())
        write_tensors(optimisers, tensors | mark)
        write_state(run, trainer.undone, trainer.elapsed, point, kept)
    except OutputError:
        with contextlib.suppress(BadInputError, OutputError):
            tidy_training(run)
        raise
    put_chosen_in_place(trainer, run)
    tidy_training(run)


def go_back(trainer: Trainer, run: Path, *, watch: Mapping[str, Any]) -> None:
    """Let the kept state be the checkpoint that counts; only rank 0 writes.

    All ranks call ``restore_training`` after it, as resuming does: a process that is killed here goes on with the same
    bytes. The steps that are given up, and one that may have failed, count as taken, so that other data and other
    random numbers follow.

    Raises
    ------
    BadInputError
        When no state is kept, or it is damaged.
    OutputError
        When it cannot be written; the training can still be resumed from the last checkpoint.
    """
    if trainer.fabric.global_rank != 0:
        return
    kept = _kept_point(run)
    if kept is None:
        raise BadInputError(f"{run / TRAINING / STATE}: keeps no state to go back to")
    undone = trainer.undone + trainer.step - int(kept["step"]) + 1
    write_state(run, undone, trainer.elapsed, {**kept, "watch": dict(watch)}, kept)
    put_chosen_in_place(trainer, run)
    tidy_training(run)


def put_chosen_in_place(trainer: Trainer, run: Path) -> None:
    """Write ``model.safetensors`` from the averaged model that the checkpoint names; only rank 0 writes.

    Raises
    ------
    BadInputError
        When that is missing or damaged.
    OutputError
        When the model cannot be written.
    """
    if trainer.fabric.global_rank != 0:
        return
    state = read_state(run)
    step = state.choice.step
    tensors = read_tensors(part_path(run, "average", state.step if step is None else step))
    write_tensors(run / MODEL, {name: tensor.to(trainer.dtypes.get(name)) for name, tensor in tensors.items()})


def tidy_training(run: Path) -> None:
    """Remove what the checkpoint does not name: older ones, and what a process that died left half-done."""
    kept: set[Path] = set()
    if has_checkpoint(run):
        state = read_state(run)
        kept = {part_path(run, kind, state.step) for kind in _KINDS}
        if state.choice.step is not None:
            kept.add(part_path(run, "average", state.choice.step))
        if state.kept is not None:
            kept |= {part_path(run, kind, state.kept["step"]) for kind in _KINDS}
    for path in part_files(run):
        if path not in kept and path.name != STATE:
            remove_file(path)


def part_files(run: Path) -> list[Path]:
    """Return all files of ours in a run's folder of checkpoints, the one that names the others first."""
    folder = run / TRAINING
    paths = folder.iterdir() if folder.is_dir() else ()
    return [folder / STATE, *sorted(path for path in paths if _OURS.fullmatch(path.name))]


def restore_training(trainer: Trainer, run: Path) -> Choice:
    """Put a trainer where ``save_training`` left off, and return which model was chosen until then.

    Raises
    ------
    BadInputError
        When a file is missing, damaged, of another model, or the files are of different steps.
    """
    state = read_state(run)
    live_path, average_path, optimisers_path = (part_path(run, kind, state.step) for kind in _KINDS)
    live, tensors = read_tensors(live_path), read_tensors(optimisers_path)
    steps = [int(part.pop("step", torch.tensor(-1))) for part in (live, tensors)]
    if steps != [state.step] * 2:
        raise BadInputError(f"{run / TRAINING}: its files are of the steps {steps} and {state.step}, not of one")
    load_weights(trainer.model, live, live_path)
    load_weights(trainer.average.model, read_tensors(average_path), average_path)
    for name, optimiser in trainer.optimisers.items():
        own = {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}
        try:
            load_optimiser(optimiser, own, state.optimisers[name], optimisers_path)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(f"{run / TRAINING / STATE}: holds no state for the turn {name}") from error
    trainer.step, trainer.elapsed, trainer.average.updates = state.step, state.elapsed_s, state.updates
    trainer.undone = state.undone
    return state.choice


def _kept_point(run: Path) -> Mapping[str, Any] | None:
    return read_state(run).kept if has_checkpoint(run) else None
