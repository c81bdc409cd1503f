"""The words of ``stereokit train``, and what they come to: a plan, made of them or of a run's own record."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stereokit import catalog
from stereokit.data.corpus import LABEL_COLUMN
from stereokit.errors import BadInputError, UsageError
from stereokit.models._family import Family
from stereokit.models._run import read_config
from stereokit.training.checkpoint import CONFIG
from stereokit.workflows.train_watch import DEFAULT_POLICY, POLICIES, Policy

DEFAULT_PRESET, DEFAULT_PRECISION = "default", "32-true"


@dataclass(frozen=True)
class TrainSettings:
    """The words of ``stereokit train``; None leaves a part to the preset, or to the run that is resumed."""

    run: Path
    family: str | None = None
    dataset: Path | None = None
    preset: str | None = None
    assignments: tuple[str, ...] = ()
    steps: int | None = None
    epochs: float | None = None
    minutes: float | None = None
    seed: int | None = None
    devices: int | None = None
    device: str = "auto"
    precision: str | None = None
    is_compiled: bool = False
    patience: int | None = None
    on_collapse: str | None = None
    only: tuple[str, ...] = ()
    condition: str | None = None
    weights: Path | None = None
    freeze: str | None = None
    is_dry_run: bool = False
    resume: bool = False
    force: bool = False


@dataclass(frozen=True)
class Plan:
    """All that decides what a training comes to; recorded in the run.

    Attributes
    ----------
    family, preset, config
        What is trained.
    dataset, only, condition
        On what: the folder as typed, the labels that count, all when empty, and the column that they come from.
    fingerprint
        Of the data set; None until it is opened.
    seed
        Of everything random.
    steps, epochs, minutes
        How long; epochs become steps once the data are known.
    devices, precision
        How.
    patience
        Validations without improvement after which it ends; None for all.
    on_collapse
        What becomes of it when it collapses.
    weights
        File from outside that a new run begins with.
    begun_with
        What the record says of it.
    """

    family: Family
    preset: str
    config: Any
    dataset: Path
    only: tuple[str, ...]
    condition: str
    fingerprint: str | None
    seed: int
    steps: int | None
    epochs: float | None
    minutes: float | None
    devices: int
    precision: str
    patience: int | None
    on_collapse: Policy
    weights: Path | None = None
    begun_with: Mapping[str, str] | None = None


def plan_of(settings: TrainSettings) -> Plan:
    """Return the plan of a new run, or of the one that is resumed.

    Raises
    ------
    UsageError
        For words that do not go together, or that the run's own record contradicts.
    BadInputError
        When the run cannot be read.
    """
    lengths = {"--steps": settings.steps, "--epochs": settings.epochs, "--minutes": settings.minutes}
    given = [word for word, value in lengths.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: give one of them")
    for word, value in lengths.items():
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise UsageError(f"{word} {value:g}: must be more than 0")
    if settings.resume and settings.force:
        raise UsageError("--resume and --force: a run goes on, or starts anew")
    return _recorded_plan(settings) if settings.resume else _new_plan(settings)


def _new_plan(settings: TrainSettings) -> Plan:
    if settings.family is None or settings.dataset is None:
        raise UsageError("give FAMILY and DATASET; only --resume goes without them")
    family: Family = catalog.load("family", settings.family)
    preset = settings.preset or DEFAULT_PRESET
    if settings.freeze is not None and not hasattr(family.presets[DEFAULT_PRESET], "freeze"):
        raise UsageError(f"--freeze {settings.freeze}: {family.name} has no part that can be frozen")
    frozen = () if settings.freeze is None else (f"freeze={settings.freeze}",)
    config = family.preset(preset, (*settings.assignments, *frozen))
    is_open = settings.steps is settings.epochs is settings.minutes is None
    return Plan(
        family=family,
        preset=preset,
        config=config,
        dataset=settings.dataset,
        only=settings.only,
        condition=settings.condition or LABEL_COLUMN,
        fingerprint=None,
        seed=settings.seed or 0,
        steps=config.steps if is_open else settings.steps,
        epochs=settings.epochs,
        minutes=settings.minutes,
        devices=settings.devices or 1,
        precision=settings.precision or DEFAULT_PRECISION,
        patience=settings.patience,
        on_collapse=_policy(settings.on_collapse or DEFAULT_POLICY),
        weights=settings.weights,
    )


def _recorded_plan(settings: TrainSettings) -> Plan:
    run = settings.run
    if not (run / CONFIG).exists():
        raise UsageError(f"--resume: {run} holds no run (no {CONFIG}); without --resume a new one starts")
    record = read_config(run)
    try:
        recorded = Plan(
            family=record.family,
            preset=record.preset,
            config=record.config,
            dataset=Path(record.data["dataset"]),
            only=tuple(map(str, record.data["only"])),
            condition=str(record.data["condition"]),
            fingerprint=str(record.data["fingerprint"]),
            seed=int(record.training["seed"]),
            steps=_optional(record.training["steps"], int),
            epochs=None,
            minutes=_optional(record.training["minutes"], float),
            devices=int(record.training["devices"]),
            precision=str(record.training["precision"]),
            patience=_optional(record.training["patience"], int),
            # Runs of before there was a watch.
            on_collapse=_policy(str(record.training.get("on_collapse", DEFAULT_POLICY))),
            begun_with=record.training.get("begun_with"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"{run / CONFIG}: its data or training is damaged: {error}") from error
    _check_agreement(settings, recorded)
    return _prolonged(settings, recorded)


def _policy(word: str) -> Policy:
    for policy in POLICIES:
        if word == policy:
            return policy
    raise UsageError(f"--on-collapse {word!r}: choose from {', '.join(POLICIES)}")


def _optional(value: object, kind: type[Any]) -> Any:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"{value!r} is no number above 0")
    return kind(value)


def _check_agreement(settings: TrainSettings, recorded: Plan) -> None:
    """Refuse words that would make another training of the run."""
    for word, begun in (("--weights", settings.weights), ("--freeze", settings.freeze)):
        if begun is not None:
            raise UsageError(f"--resume: {word} {begun}: the run has begun already; leave it out")
    preset = settings.preset or recorded.preset
    given = {
        "FAMILY": (settings.family, recorded.family.name),
        "--preset": (settings.preset, recorded.preset),
        "--seed": (settings.seed, recorded.seed),
        "--devices": (settings.devices, recorded.devices),
        "--precision": (settings.precision, recorded.precision),
        "--only": (settings.only or None, recorded.only),
        "--condition": (settings.condition, recorded.condition),
    }
    for word, (value, own) in given.items():
        if value is not None and value != own:
            told, wanted = (", ".join(one) or "none" if isinstance(one, tuple) else one for one in (value, own))
            raise UsageError(f"--resume: {word} {told}: this run has {wanted}; leave it out")
    if settings.assignments:
        config = recorded.family.preset(preset, settings.assignments)
        for assignment in settings.assignments:
            name = assignment.partition("=")[0]
            if getattr(config, name) != getattr(recorded.config, name):
                own = getattr(recorded.config, name)
                raise UsageError(f"--resume: --set {assignment}: this run has {name}={own}; leave it out")


def _prolonged(settings: TrainSettings, recorded: Plan) -> Plan:
    """Return the plan with another length, patience or answer to a collapse, where those are given."""
    plan = replace(recorded, patience=settings.patience or recorded.patience)
    if settings.on_collapse is not None:
        plan = replace(plan, on_collapse=_policy(settings.on_collapse))
    if settings.dataset is not None:
        plan = replace(plan, dataset=settings.dataset)
    if settings.minutes is not None:
        if recorded.minutes is None:
            raise UsageError("--resume: --minutes: this run is counted in steps; --steps prolongs it")
        return replace(plan, minutes=settings.minutes)
    if settings.steps is not None or settings.epochs is not None:
        if recorded.steps is None:
            raise UsageError("--resume: --steps or --epochs: this run is counted in minutes; --minutes prolongs it")
        return replace(plan, steps=settings.steps, epochs=settings.epochs)
    return plan


def recorded(plan: Plan, *, clips: int, labels: tuple[str, ...], versions: Mapping[str, str]) -> dict[str, Any]:
    """Return the run's record, as ``config.json`` holds it."""
    return {
        "family": plan.family.name,
        "preset": plan.preset,
        "config": asdict(plan.config),
        "data": {
            "dataset": str(plan.dataset),
            "fingerprint": plan.fingerprint,
            "split": "train",
            "only": list(plan.only),
            "condition": plan.condition,
            "clips": clips,
            "labels": list(labels),
        },
        "training": {
            "seed": plan.seed,
            "steps": plan.steps,
            "minutes": plan.minutes,
            "devices": plan.devices,
            "precision": plan.precision,
            "patience": plan.patience,
            "on_collapse": plan.on_collapse,
            "begun_with": None if plan.begun_with is None else dict(plan.begun_with),
        },
        "versions": dict(versions),
    }
