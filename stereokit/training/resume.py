"""Saving a training and going on from it, bit for bit on the CPU.

No random state is saved: every draw, the order of the data and the seed of dropout follow from the step's number.
"""

from pathlib import Path

import torch

from stereokit.errors import BadInputError
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

LIVE, OPTIMISERS, STATE = "live.safetensors", "optimisers.safetensors", "state.json"
STATE_SCHEMA = "stereokit.training/1"


def save_training(trainer: Trainer, run: Path) -> None:
    """Write the averaged model and all that training needs to go on; only rank 0 writes.

    ``state.json`` is written last and names the step that the other files belong to.
    """
    if trainer.fabric.global_rank != 0:
        return
    folder = run / TRAINING
    tensors: Tensors = {}
    scalars = {}
    for name, optimiser in trainer.optimisers.items():
        own, scalars[name] = optimiser_state(optimiser)
        tensors |= {f"{name}/{key}": tensor for key, tensor in own.items()}
    marks = {"step": torch.tensor(trainer.step)}
    write_tensors(run / MODEL, trainer.average.model.state_dict())
    write_tensors(folder / LIVE, trainer.model.state_dict() | marks)
    write_tensors(folder / OPTIMISERS, tensors | marks)
    state = {"step": trainer.step, "updates": trainer.average.updates, "optimisers": scalars}
    write_json(folder / STATE, {"schema": STATE_SCHEMA, **state})


def restore_training(trainer: Trainer, run: Path) -> None:
    """Put a trainer where ``save_training`` left off.

    Raises
    ------
    BadInputError
        When a file is missing, damaged, of another model, or the files are of different steps.
    """
    folder = run / TRAINING
    state = read_json(folder / STATE)
    live, tensors = read_tensors(folder / LIVE), read_tensors(folder / OPTIMISERS)
    steps = [int(part.pop("step", torch.tensor(-1))) for part in (live, tensors)]
    if steps != [state.get("step")] * 2:
        raise BadInputError(f"{folder}: its files are of the steps {steps} and {state.get('step')}, not of one")
    load_weights(trainer.model, live, folder / LIVE)
    load_weights(trainer.average.model, read_tensors(run / MODEL), run / MODEL)
    for name, optimiser in trainer.optimisers.items():
        own = {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}
        try:
            load_optimiser(optimiser, own, state["optimisers"][name], folder / OPTIMISERS)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(f"{folder / STATE}: holds no state for the turn {name}") from error
    trainer.step = int(state["step"])
    trainer.average.updates = int(state["updates"])
