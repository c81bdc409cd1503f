"""``stereokit train``: a data set to a run, and a run further on."""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from stereokit.data.corpus import Corpus
from stereokit.errors import Status, StereokitError, UsageError
from stereokit.models._run import load_run
from stereokit.training.checkpoint import start_run
from stereokit.training.device import choose_device, compile_modules, make_fabric
from stereokit.training.draw import Draw
from stereokit.training.feed import Feed
from stereokit.training.journal import cut_after
from stereokit.training.ranks import launched
from stereokit.training.resume import put_chosen_in_place, restore_training
from stereokit.training.settings import TrainingSettings
from stereokit.training.state import Choice, has_checkpoint, read_state
from stereokit.training.trainer import Model, Trainer
from stereokit.workflows.events import Event, Events, Json, Message
from stereokit.workflows.train_data import Prepared, open_held_out, prepare
from stereokit.workflows.train_dry_run import dry_run
from stereokit.workflows.train_folder import check_target, clear, holding, sweep, versions
from stereokit.workflows.train_judge import FEWEST_CLIPS, Judge
from stereokit.workflows.train_labels import LabellerJudge, write_report
from stereokit.workflows.train_pairs import ConverterJudge
from stereokit.workflows.train_rows import result_row
from stereokit.workflows.train_session import Session
from stereokit.workflows.train_settings import Plan, TrainSettings, plan_of, recorded
from stereokit.workflows.train_signals import StopRequest
from stereokit.workflows.train_translations import TranslatorJudge
from stereokit.workflows.train_validation import SamplerJudge
from stereokit.workflows.train_watch import Watch

# What follows where there are too few validation clips, by what a family can do.
_JUDGED = {
    "sampler": "the last averaged model is kept",
    "converter": "the last averaged model is kept",
    "translator": "the training is not judged",
    "labeller": "the last averaged model is kept, and its probabilities are not calibrated",
}
_JUDGES: dict[str, Callable[[Corpus, Any], Judge]] = {
    "converter": lambda corpus, _: ConverterJudge(corpus),
    "translator": lambda corpus, config: TranslatorJudge(corpus, config.labels),
    "labeller": lambda corpus, config: LabellerJudge(corpus, config.labels),
}
_WORDS = {Status.INTERRUPTED: "interrupted", Status.TERMINATED: "terminated", Status.DONE: "stopped early"}


class StoppedError(StereokitError):
    """A signal ended the training; what was done is saved."""

    def __init__(self, message: str, status: Status) -> None:
        super().__init__(message)
        self.status = status


def train(settings: TrainSettings) -> Events:
    """Train a model, and yield one row about the run.

    Raises
    ------
    UsageError, BadInputError, MissingError, LockedError
        Before anything is written.
    NonFiniteError, OutputError, StoppedError
        While it trains: the run stays at its last checkpoint, and ``--resume`` goes on from there.
    """
    plan = plan_of(settings)
    fabric = make_fabric(
        choose_device(settings.device),
        devices=1 if settings.is_dry_run else plan.devices,
        precision=plan.precision,
    )
    # One process checks and writes; the ones that it starts find the folder in use.
    is_first = fabric.local_rank == 0
    if is_first:
        check_target(settings.run, force=settings.force, resume=settings.resume)
    prepared = prepare(plan)
    yield from _warnings(settings, prepared)
    if settings.is_dry_run:
        yield from dry_run(prepared.plan, prepared.model, prepared.corpus, fabric, settings.run)
        return Status.DONE
    with contextlib.ExitStack() as stack:
        if is_first:
            stack.enter_context(holding(settings.run))
            # Once more under the lock: another process may have been here since the first look.
            check_target(settings.run, force=settings.force, resume=settings.resume)
            _write_record(settings, prepared)
        request = stack.enter_context(StopRequest())
        stack.enter_context(launched(fabric))
        return (yield from _train(settings, prepared, fabric, request))


def _has_judge(prepared: Prepared) -> bool:
    clips = 0 if prepared.validation is None else len(prepared.validation)
    return clips >= FEWEST_CLIPS and any(one in prepared.plan.family.capabilities for one in _JUDGED)


def _warnings(settings: TrainSettings, prepared: Prepared) -> Generator[Event, None, None]:
    plan, clips = prepared.plan, 0 if prepared.validation is None else len(prepared.validation)
    if plan.epochs is not None:
        yield Message(f"{plan.epochs:g} epochs are {plan.steps} steps of {prepared.items_a_step} clips")
    yield from (Message(note, is_warning=True) for note in prepared.notes)
    for capability, consequence in _JUDGED.items():
        if capability in plan.family.capabilities and not _has_judge(prepared):
            few = f"{plan.dataset} has {clips} validation clips, fewer than {FEWEST_CLIPS}"
            yield Message(f"{few}: {consequence}", is_warning=True)
    can_wait = _has_judge(prepared) and prepared.model.is_chosen_by_score
    if plan.patience is not None and not can_wait:
        raise UsageError(f"--patience {plan.patience}: this training is not judged by validation clips")


def _write_record(settings: TrainSettings, prepared: Prepared) -> None:
    """Put the run's folder into the state that training starts or goes on from."""
    run, plan, corpus = settings.run, prepared.plan, prepared.corpus
    if settings.force:
        clear(run)
    sweep(run)
    if settings.resume:
        state = read_state(run) if has_checkpoint(run) else None
        done = 0 if state is None else state.step
        if plan.steps is not None and plan.steps < done:
            raise UsageError(f"--steps {plan.steps}: the run has done {done} already; give more, or none")
        cut_after(run, 0 if state is None else state.step + state.undone)
    start_run(run, recorded(plan, clips=len(corpus), labels=corpus.labels, versions=versions()))


def _train(settings: TrainSettings, prepared: Prepared, fabric: Fabric, request: StopRequest) -> Events:
    plan, run, config = prepared.plan, settings.run, prepared.plan.config
    is_resumed = settings.resume and has_checkpoint(run)
    begun = time.monotonic()
    with Feed(prepared.corpus, plan.family.feed_of(config), seed=plan.seed, device=fabric.device) as feed:
        model = prepared.model
        if not is_resumed:
            model.adapt(feed.in_order(), Draw((plan.seed, "adapt"), range(config.batch)), feed.labels)
        trainer = Trainer(model, feed.load, _training_settings(plan), fabric)
        trainer.elapsed = time.monotonic() - begun
        choice, watch = Choice(), Watch()
        if is_resumed:
            choice = restore_training(trainer, run)
            watch = Watch.from_json(read_state(run).watch)
            put_chosen_in_place(trainer, run)
        if settings.is_compiled:
            yield from _compile(model)
        session = Session(
            run,
            trainer,
            choice=choice,
            judge=_judge(prepared, fabric),
            validate_every=config.validate_every,
            patience=plan.patience,
            is_resumed=is_resumed,
            policy=plan.on_collapse,
            watch=watch,
        )
        yield Message(_greeting(prepared, trainer))
        yield from session.events(request)
    if fabric.global_rank == 0:
        word = "done" if trainer.ended_by is None else _WORDS[trainer.ended_by]
        if trainer.ended_by is Status.DONE and session.has_collapsed:
            word = "collapsed"
        made = load_run(run)
        yield result_row(
            plan, run, status=word, fingerprint=made.fingerprint, steps=trainer.step, seconds=trainer.elapsed,
            losses=session.losses, choice=session.choice, watch=session.watch, told=_report(prepared, run, made.model),
        )  # fmt: skip
    if trainer.ended_by in (Status.INTERRUPTED, Status.TERMINATED):
        word = _WORDS[trainer.ended_by]
        told = f"{word} and saved after step {trainer.step}: stereokit train --resume -o {run} goes on"
        raise StoppedError(told, trainer.ended_by)
    return Status.DONE


def _training_settings(plan: Plan) -> TrainingSettings:
    config = plan.config
    return TrainingSettings(
        steps=plan.steps,
        batch=config.batch,
        seed=plan.seed,
        ema_decay=config.ema_decay,
        clip_norm=config.clip_norm or None,
        seconds=None if plan.minutes is None else 60.0 * plan.minutes,
        is_double=plan.precision == "64-true",
    )


def _judge(prepared: Prepared, fabric: Fabric) -> Judge | None:
    if fabric.global_rank != 0:
        return None
    capabilities = prepared.plan.family.capabilities
    if "sampler" in capabilities:
        return SamplerJudge(prepared.validation, seed=prepared.plan.seed)
    if prepared.validation is None or not _has_judge(prepared):
        return None
    (judge,) = (judge for capability, judge in _JUDGES.items() if capability in capabilities)
    return judge(prepared.validation, prepared.plan.config)


def _report(prepared: Prepared, run: Path, model: Model) -> Mapping[str, Json]:
    """Write how well a labeller tells the clips that it did not learn from, and return its figures by split."""
    plan = prepared.plan
    if "labeller" not in plan.family.capabilities:
        return {}
    held_out = {"validation": prepared.validation, "test": open_held_out(plan, "test")}
    splits = {split: corpus for split, corpus in held_out.items() if corpus is not None}
    return write_report(run, model, splits, plan.config.labels) if splits else {}


def _compile(model: Model) -> Generator[Event, None, None]:
    modules = model.compilable()
    compile_modules(modules)
    players = {name for name, _ in model.named_children() if any(True for _ in getattr(model, name).parameters())}
    left = sorted(players - {name.partition(".")[0] for name in modules})
    reason = f"; not compiled: {', '.join(left)} (a penalty differentiates twice)" if left else ""
    yield Message(f"compiled: {', '.join(modules) or 'nothing'}{reason}")


def _greeting(prepared: Prepared, trainer: Trainer) -> str:
    plan = prepared.plan
    if trainer.settings.progress(trainer.step, trainer.elapsed) >= 1.0:
        return f"nothing is left to do after step {trainer.step}: a larger --steps or --minutes prolongs the run"
    length = f"{plan.steps} steps" if plan.minutes is None else f"{plan.minutes:g} minutes"
    start = f" from step {trainer.step}" if trainer.step else ""
    ranks = f" on {plan.devices} devices" if plan.devices > 1 else ""
    what = f"{plan.family.name} ({plan.preset}) on {len(prepared.corpus)} clips"
    return f"training {what}: {length}{start}{ranks}; Ctrl-C saves and stops"
