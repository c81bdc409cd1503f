"""Saving a training and going on from it, bit for bit on the CPU.

No random state is saved: every draw, the order of the data and the seed of dropout follow from the step's number. The
files of a checkpoint carry its step in their names, and ``state.json``, written after them, says which step counts: a
process that dies at any moment leaves the checkpoint before, or this one.
"""

import contextlib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
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
    read_json,
    read_tensors,
    write_json,
    write_tensors,
)
from stereokit.training.trainer import Trainer
from stereokit.writing import remove_file

STATE = "state.json"
STATE_SCHEMA = "stereokit.training/2"
_KINDS = ("live", "average", "optimisers")
_OURS = re.compile(rf"({'|'.join(_KINDS)})-\d{{6,}}\.safetensors|\..+\.[0-9a-f]{{12}}\.tmp")


@dataclass(frozen=True)
class Choice:
    """Which averaged model a run keeps.

    Attributes
    ----------
    step
        After which it was saved; None while none was judged: then the last one is kept.
    score
        What it was judged by, lower is better; None with ``step``.
    waited
        Judgements since then that were no better.
    figures
        All that it was judged by, for the record.
    """

    step: int | None = None
    score: float | None = None
    waited: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)

    def after(self, step: int, score: float, figures: Mapping[str, float]) -> "Choice":
        """Return the choice once another model is judged; of equals the earlier one is kept."""
        if self.score is None or score < self.score:
            return Choice(step, score, 0, figures)
        return replace(self, waited=self.waited + 1)


def part_path(run: Path, kind: str, step: int) -> Path:
    """Return where a part of a checkpoint lies: ``live``, ``average`` or ``optimisers``."""
    return run / TRAINING / f"{kind}-{step:06d}.safetensors"


def has_checkpoint(run: Path) -> bool:
    """Tell whether there is something to go on from."""
    return (run / TRAINING / STATE).exists()


def save_training(trainer: Trainer, run: Path, choice: Choice) -> None:
    """Write all that training needs to go on, and put the chosen averaged model in its place; only rank 0 writes.

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
    state = {
        "step": trainer.step,
        "elapsed_s": trainer.elapsed,
        "updates": trainer.average.updates,
        "chosen": asdict(choice),
        "optimisers": scalars,
    }
    try:
        write_tensors(live, trainer.model.state_dict() | mark)
        write_tensors(average, trainer.average.model.state_dict())
        write_tensors(optimisers, tensors | mark)
        write_json(run / TRAINING / STATE, {"schema": STATE_SCHEMA, **state})
    except OutputError:
        with contextlib.suppress(BadInputError, OutputError):
            tidy_training(run)
        raise
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
    state = _read_state(run)
    step = state.choice.step
    tensors = read_tensors(part_path(run, "average", state.step if step is None else step))
    write_tensors(run / MODEL, {name: tensor.to(trainer.dtypes.get(name)) for name, tensor in tensors.items()})


def tidy_training(run: Path) -> None:
    """Remove what the checkpoint does not name: older ones, and what a process that died left half-done."""
    kept: set[Path] = set()
    if has_checkpoint(run):
        state = _read_state(run)
        kept = {part_path(run, kind, state.step) for kind in _KINDS}
        if state.choice.step is not None:
            kept.add(part_path(run, "average", state.choice.step))
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
    state = _read_state(run)
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
    return state.choice


@dataclass(frozen=True)
class _State:
    step: int
    elapsed_s: float
    updates: int
    choice: Choice
    optimisers: Mapping[str, Any]


def read_progress(run: Path) -> tuple[int, float, Choice]:
    """Return steps done, seconds taken and the choice of a run's checkpoint.

    Raises
    ------
    BadInputError
        When it is missing or damaged.
    """
    state = _read_state(run)
    return state.step, state.elapsed_s, state.choice


def _read_state(run: Path) -> _State:
    path = run / TRAINING / STATE
    state = read_json(path)
    if state.get("schema") != STATE_SCHEMA:
        raise BadInputError(f"{path}: its schema is {state.get('schema')!r}, not {STATE_SCHEMA}")
    try:
        chosen = state["chosen"]
        step, score = chosen["step"], chosen["score"]
        choice = Choice(
            None if step is None else _count(step),
            None if score is None else _finite(score),
            _count(chosen["waited"]),
            {name: _finite(value) for name, value in chosen["figures"].items()},
        )
        return _State(
            _count(state["step"]), _finite(state["elapsed_s"]), _count(state["updates"]), choice, state["optimisers"]
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInputError(f"{path}: is damaged: {error}") from error


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)
