"""``stereokit train --dry-run``: how large a model is, what it needs, and how long a step takes; nothing is written."""

import resource
import sys
import time
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path

import torch
from lightning_fabric import Fabric

from stereokit.data.corpus import Corpus
from stereokit.training.draw import Draw
from stereokit.training.feed import Feed
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Model, Trainer
from stereokit.workflows.events import Event, Json, Row
from stereokit.workflows.train_rows import PHASE_SCHEMA, PLAYER_SCHEMA, TRAIN_SCHEMA
from stereokit.workflows.train_settings import Plan

# Steps of a training that is limited in minutes, for the look at its phases.
_MANY_STEPS = 1_000_000


def dry_run(plan: Plan, model: Model, corpus: Corpus, fabric: Fabric, run: Path) -> Generator[Event, None, None]:
    """Yield a row a player, a row a phase with a timed step, and a summary."""
    steps = plan.steps or _MANY_STEPS
    config = plan.config
    settings = TrainingSettings(
        steps=steps, batch=config.batch, seed=plan.seed, clip_norm=config.clip_norm or None,
        is_double=plan.precision == "64-true",
    )  # fmt: skip
    with Feed(corpus, plan.family.feed_of(config), seed=plan.seed, device=fabric.device) as feed:
        model.adapt(feed.in_order(), Draw((plan.seed, "adapt"), range(config.batch)), feed.labels)
        trainer = Trainer(model, feed.load, settings, fabric)
        yield from _player_rows(trainer)
        total = 0.0
        for first, last in phases(trainer):
            step_s, names = _timed_step(trainer, int((first + last) / 2 * steps))
            total += step_s * (last - first) * steps
            phase: dict[str, Json] = {"from": first, "to": last, "turns": [*names], "step_s": round(step_s, 4)}
            yield Row(PHASE_SCHEMA, phase)
        yield Row(
            TRAIN_SCHEMA,
            {
                "status": "planned",
                "run": str(run),
                "family": plan.family.name,
                "preset": plan.preset,
                "clips": len(corpus),
                "data_in": feed.place,
                "parameters": sum(one.numel() for one in model.parameters()),
                "training_bytes": _training_bytes(trainer),
                "peak_memory_bytes": peak_bytes(fabric.device),
                "steps": plan.steps,
                "minutes": plan.minutes,
                "estimated_s": round(total, 1) if plan.steps else None,
            },
        )


def _player_rows(trainer: Trainer) -> Generator[Event, None, None]:
    """Yield a row a module that learns: its size, and the turns in which it does."""
    model = trainer.model
    for name, module in model.named_children():
        own = set(module.parameters())
        turns: list[Json] = [turn.name for turn in trainer.turns if own & set(turn.parameters())]
        if turns:
            fields: dict[str, Json] = {"player": name, "parameters": sum(one.numel() for one in own), "turns": turns}
            yield Row(PLAYER_SCHEMA, fields)


def phases(trainer: Trainer) -> list[tuple[float, float]]:
    """Return the spans of progress between which turns begin or end."""
    edges = sorted({0.0, 1.0, *(edge for turn in trainer.turns for edge in turn.active)})
    return list(pairwise(edges))


def _timed_step(trainer: Trainer, step: int) -> tuple[float, list[str]]:
    """Take two steps and return the seconds of the second, which finds everything warm, and its turns."""
    seconds = 0.0
    names: list[str] = []
    for number in range(2):
        # A training of one step has no step after this one.
        trainer.step = min(step + number, (trainer.settings.steps or 1) - 1)
        start = time.perf_counter()
        done = next(trainer.run())
        if trainer.fabric.device.type == "cuda":
            torch.cuda.synchronize(trainer.fabric.device)
        seconds = time.perf_counter() - start
        names = list(dict.fromkeys(name.partition("/")[0] for name in done.losses))
    return seconds, names


def _training_bytes(trainer: Trainer) -> int:
    """Return what weights, their average, gradients and optimisers take."""
    tensors = [*trainer.model.state_dict().values(), *trainer.average.model.state_dict().values()]
    tensors += [one for one in trainer.model.parameters() if one.requires_grad]
    for optimiser in trainer.optimisers.values():
        for state in optimiser.state.values():
            tensors += [value for value in state.values() if isinstance(value, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def peak_bytes(device: torch.device) -> int:
    """Return the most memory held at once: of the device, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak if sys.platform == "darwin" else peak * 1024
