"""``state.json`` of a training: which checkpoint counts, what was chosen, and what is kept to go back to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stereokit.errors import BadInputError
from stereokit.training.checkpoint import TRAINING, read_json, write_json

STATE = "state.json"
STATE_SCHEMA = "stereokit.training/3"


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


@dataclass(frozen=True)
class State:
    """What ``state.json`` says.

    Attributes
    ----------
    step
        Steps done; the files of the checkpoint carry it in their names.
    undone
        Steps given up by going back.
    elapsed_s
        Seconds that the training took.
    updates
        Of the average.
    choice
        Which averaged model the run keeps.
    watch
        What the watch against collapse remembers.
    optimisers
        Their plain values, by turn.
    kept
        The state that ``go_back`` returns to, as JSON with these same fields; None without one.
    """

    step: int
    undone: int
    elapsed_s: float
    updates: int
    choice: Choice
    watch: Mapping[str, Any]
    optimisers: Mapping[str, Any]
    kept: Mapping[str, Any] | None


def has_checkpoint(run: Path) -> bool:
    """Tell whether there is something to go on from."""
    return (run / TRAINING / STATE).exists()


def write_state(
    run: Path, undone: int, elapsed_s: float, point: Mapping[str, Any], kept: Mapping[str, Any] | None
) -> None:
    """Write a point of a training, in the form that ``read_state`` reads, and the one that is kept beside it."""
    state = {"schema": STATE_SCHEMA, "undone": undone, "elapsed_s": elapsed_s, **point, "kept": kept}
    write_json(run / TRAINING / STATE, state)


def read_state(run: Path) -> State:
    """Return what a run's checkpoint says of itself.

    Raises
    ------
    BadInputError
        When it is missing or damaged.
    """
    path = run / TRAINING / STATE
    state = read_json(path)
    if state.get("schema") != STATE_SCHEMA:
        raise BadInputError(f"{path}: its schema is {state.get('schema')!r}, not {STATE_SCHEMA}")
    try:
        kept = state["kept"]
        if kept is not None:
            _point(kept)
        return State(undone=_count(state["undone"]), elapsed_s=_finite(state["elapsed_s"]), kept=kept, **_point(state))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInputError(f"{path}: is damaged: {error}") from error


def _point(state: Mapping[str, Any]) -> dict[str, Any]:
    chosen = state["chosen"]
    step, score = chosen["step"], chosen["score"]
    choice = Choice(
        None if step is None else _count(step),
        None if score is None else _finite(score),
        _count(chosen["waited"]),
        {name: _finite(value) for name, value in chosen["figures"].items()},
    )
    return {
        "step": _count(state["step"]),
        "updates": _count(state["updates"]),
        "choice": choice,
        "watch": dict(state["watch"]),
        "optimisers": dict(state["optimisers"]),
    }


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)
