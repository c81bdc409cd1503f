"""The rows that ``stereokit train`` yields."""

from collections.abc import Mapping
from pathlib import Path

from stereokit.training.state import Choice
from stereokit.workflows.events import Json, Row
from stereokit.workflows.train_settings import Plan
from stereokit.workflows.train_watch import Watch

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
    watch: Watch,
    told: Mapping[str, Json],
) -> Row:
    """Return the one row of a training.

    ``validation`` is that of the model that the run keeps, null without one; ``alarms`` are those of a collapse, and
    ``returns`` is how often the training went back. ``told`` of a labeller says how well it tells the
    clips of each split that it did not learn from.
    """
    alarms: list[Json] = [{"step": step, "sign": sign} for step, sign in watch.alarms]
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
            "alarms": alarms,
            "returns": watch.returns,
            **({"told": dict(told)} if told else {}),
            "seed": plan.seed,
            "data_fingerprint": plan.fingerprint,
        },
    )
