"""The rows that ``stereokit train`` yields."""

from collections.abc import Mapping
from pathlib import Path

from stereokit.training.resume import Choice
from stereokit.workflows.events import Json, Row
from stereokit.workflows.train_settings import Plan

TRAIN_SCHEMA = "stereokit.train/1"
PLAYER_SCHEMA = "stereokit.train.player/1"
PHASE_SCHEMA = "stereokit.train.phase/1"


def result_row(
    plan: Plan,
    run: Path,
    *,
    status: str,
    fingerprint: str,
    steps: int,
    seconds: float,
    losses: Mapping[str, float],
    choice: Choice,
) -> Row:
    """Return the one row of a training; ``validation`` is that of the model that the run keeps, null without one."""
    validation: Json = {"step": choice.step, **choice.figures} if choice.step is not None else None
    return Row(
        TRAIN_SCHEMA,
        {
            "status": status,
            "run": str(run),
            "fingerprint": fingerprint,
            "family": plan.family.name,
            "preset": plan.preset,
            "steps": steps,
            "seconds": round(seconds, 3),
            "losses": dict(losses),
            "chosen_step": steps if choice.step is None else choice.step,
            "validation": validation,
            "seed": plan.seed,
            "data_fingerprint": plan.fingerprint,
        },
    )
