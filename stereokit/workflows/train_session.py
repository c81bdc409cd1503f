"""A training under way: what is logged, judged and saved between its steps."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stereokit.errors import Status
from stereokit.training.journal import append_line
from stereokit.training.ranks import raise_together, sums_over_ranks
from stereokit.training.resume import go_back, restore_training, save_training
from stereokit.training.state import Choice, read_state
from stereokit.training.trainer import NonFiniteError, Trainer
from stereokit.training.turn import Step
from stereokit.workflows.events import Event, Message, Progress
from stereokit.workflows.train_curve import write_curve
from stereokit.workflows.train_judge import Judge, Verdict
from stereokit.workflows.train_signals import StopRequest
from stereokit.workflows.train_watch import MOST_RETURNS, NOT_FINITE, WORDS, Finding, Policy, Watch

# Lines of the log between two validations.
_LINES = 100


class Session:
    """Drives a trainer to its end.

    Parameters
    ----------
    run
        The run's folder; rank 0 writes there.
    trainer
        Fresh, or restored from the run's checkpoint.
    choice
        As the checkpoint has it.
    judge
        None: nothing is validated, and the last averaged model is kept.
    validate_every
        Steps between two previews, validations and checkpoints.
    patience
        Validations without improvement after which the training ends; None for all.
    policy
        What becomes of a training that collapses.
    watch
        As the checkpoint has it.

    Attributes
    ----------
    choice
        Which averaged model the run keeps, on rank 0.
    watch
        What the watch against collapse remembers, on rank 0.
    losses
        Of the last step; empty before the first.
    saved_step
        That the run would go on from; None before the first checkpoint.
    """

    def __init__(
        self,
        run: Path,
        trainer: Trainer,
        *,
        choice: Choice,
        judge: Judge | None,
        validate_every: int,
        patience: int | None,
        is_resumed: bool,
        policy: Policy,
        watch: Watch,
    ) -> None:
        self._run = run
        self._trainer = trainer
        self._judge = judge
        self._validate_every = validate_every
        self._patience = patience
        self._is_first = trainer.fabric.global_rank == 0
        self._log_every = max(1, validate_every // _LINES)
        self._items, self._since_s = 0, time.monotonic()
        self._policy = policy
        self.choice, self.watch = choice, watch
        self.losses: dict[str, float] = {}
        self.saved_step = trainer.step if is_resumed else None

    def events(self, request: StopRequest) -> Iterator[Event]:
        """Train to the end, or until a signal on any rank; what was done by then is saved.

        Raises
        ------
        NonFiniteError, OutputError
            On all ranks; the run stays at its last checkpoint.
        """
        while True:
            try:
                yield from self._steps(request)
            except NonFiniteError as error:
                if not self._any(self._is_first and self._can_return()):
                    state = "nothing was saved yet" if self.saved_step is None else f"saved is step {self.saved_step}"
                    raise NonFiniteError(f"{self._run}: {error}; {state}") from error
                yield from self._return_from(error)
                continue
            if self._trainer.step == self.saved_step:
                return

    def _steps(self, request: StopRequest) -> Iterator[Event]:
        """Train until the trainer ends, or a step or clip is not finite; what was done until an end is saved."""
        trainer = self._trainer
        for step in trainer.run(lambda: request.status or self._is_enough()):
            self.losses = dict(step.losses)
            self.watch = self.watch.after_step(step.gradients)
            self._log(step)
            yield self._progress(step)
            if step.number % self._validate_every == 0:
                yield from self._checkpoint(is_judged=True)
        if trainer.step != self.saved_step:
            # A training that a signal cut short has no validation here, as it would have had none uncut.
            yield from self._checkpoint(is_judged=trainer.ended_by in (None, Status.DONE))

    def _is_enough(self) -> Status | None:
        is_over = self._patience is not None and self.choice.waited >= self._patience
        return Status.DONE if is_over or self.has_collapsed else None

    @property
    def has_collapsed(self) -> bool:
        """Whether an alarm ended the training."""
        return self.watch.is_over and self._policy in {"stop", "back"}

    def _log(self, step: Step) -> None:
        self._items += step.items
        if not self._is_first or step.number % self._log_every:
            return
        now = time.monotonic()
        rate = self._items / max(now - self._since_s, 1e-9)
        self._items, self._since_s = 0, now
        figures = {"losses": step.losses, "gradients": step.gradients}
        self._write_line("step", {"items_per_second": round(rate, 3), **figures})

    def _write_line(self, event: str, fields: Mapping[str, object]) -> None:
        trainer = self._trainer
        when = {"step": trainer.step, "undone": trainer.undone, "seconds": round(trainer.elapsed, 3)}
        append_line(self._run, {"event": event, **when, **fields})

    def _progress(self, step: Step) -> Progress:
        turns: dict[str, float] = {}
        for name, value in step.losses.items():
            turn = name.partition("/")[0]
            turns[turn] = turns.get(turn, 0.0) + value
        text = ", ".join(f"{turn} {value:.4g}" for turn, value in turns.items())
        settings = self._trainer.settings
        if settings.seconds is not None:
            return Progress("training (s)", int(self._trainer.elapsed), math.ceil(settings.seconds), text)
        return Progress("training", step.number, settings.steps or step.number, text)

    def _checkpoint(self, *, is_judged: bool) -> Iterator[Event]:
        """Judge and save, or go back, on rank 0; all ranks learn how that went."""
        told: list[Event] = []
        failure: Exception | None = None
        try:
            if self._is_first:
                self._trainer.refresh_statistics()
                told = self._judge_and_save() if is_judged else self._save()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other ranks must hear of it
            failure = error
        if self._any(isinstance(failure, NonFiniteError)):
            # The ranks go back together, or the first one's words are told by it alone.
            raise failure if isinstance(failure, NonFiniteError) else NonFiniteError("the model's clips are not finite")
        raise_together(failure, self._trainer.fabric)
        self._settle()
        yield from told

    def _settle(self) -> None:
        """Let every rank go on from what rank 0 wrote last: what was saved, or the state that it went back to."""
        if self._any(self._is_first and read_state(self._run).undone != self._trainer.undone):
            self.choice = restore_training(self._trainer, self._run)
            self.watch = Watch.from_json(read_state(self._run).watch)
        self.saved_step = self._trainer.step
        # What was judged and saved is no part of a step's time.
        self._since_s = time.monotonic()

    def _any(self, flag: bool) -> bool:  # noqa: FBT001 - it is what is asked
        return sums_over_ranks([float(flag)], self._trainer.fabric)[0] > 0

    def _save(self, *, is_kept: bool = False) -> list[Event]:
        save_training(self._trainer, self._run, self.choice, watch=self.watch.to_json(), is_kept=is_kept)
        return []

    def _judge_and_save(self) -> list[Event]:
        """Validate, watch, and save or go back; on rank 0."""
        trainer = self._trainer
        verdict = self._verdict()
        gradients = self.watch.gradients()
        finding = self._finding(verdict)
        told: list[Event] = []
        if verdict is not None:
            told += self._record(verdict, finding.signs, gradients)
        self.watch = finding.watch
        if new := self.watch.ringing if self._policy in {"stop", "back"} else finding.alarms:
            told += self._raise_alarm(new)
        if verdict is not None:
            write_curve(self._run)
        if self._is_to_return():
            self._go_back()
            return told
        if self.watch.ringing and self._policy in {"stop", "back"}:
            self.watch = replace(self.watch, is_over=True)
        score = None if verdict is None else verdict.score
        is_kept = self._policy == "back" and finding.is_healthy and self.watch.should_keep(score)
        if is_kept:
            self.watch = replace(self.watch, kept=(trainer.step, score))
        self._save(is_kept=is_kept)
        return told

    def _finding(self, verdict: Verdict | None) -> Finding:
        trainer = self._trainer
        if self._policy == "off":
            return Finding(replace(self.watch, sums={}), (), (), is_healthy=False)
        progress = trainer.settings.progress(trainer.step, trainer.elapsed)
        signs, mixing = ((), None) if verdict is None else (verdict.signs, verdict.mixing)
        return self.watch.after(trainer.step, signs, mixing, progress=progress)

    def _can_return(self) -> bool:
        return self._policy == "back" and self.watch.kept is not None and self.watch.returns < MOST_RETURNS

    def _is_to_return(self) -> bool:
        return bool(self.watch.ringing) and self._can_return()

    def _go_back(self) -> None:
        kept = read_state(self._run).kept
        watch = self.watch.back_to(Watch.from_json(kept["watch"] if kept else {}))
        go_back(self._trainer, self._run, watch=watch.to_json())

    def _return_from(self, error: NonFiniteError) -> Iterator[Event]:
        """Go back after a figure that is not finite; on all ranks."""
        told: list[Event] = []
        failure: Exception | None = None
        try:
            if self._is_first:
                self.watch = replace(self.watch, alarms=(*self.watch.alarms, (self._trainer.step, NOT_FINITE)))
                told = self._raise_alarm([NOT_FINITE], detail=str(error))
                self._go_back()
        except Exception as other:  # noqa: BLE001 - whatever it is, the other ranks must hear of it
            failure = other
        raise_together(failure, self._trainer.fabric)
        self._settle()
        yield from told

    def _raise_alarm(self, signs: Sequence[str], *, detail: str = "") -> list[Event]:
        """Log an alarm and return what to tell of it."""
        target = self.watch.kept[0] if self.watch.kept is not None and self._can_return() else None
        action = "stop" if self._policy == "back" and target is None else self._policy
        self._write_line("alarm", {"signs": list(signs), "action": action, "to": target})
        reasons = detail or ", ".join(WORDS[sign] for sign in signs)
        outcome = {
            "warn": "it may have collapsed",
            "stop": "collapsed, and stopped",
            "back": f"collapsed, and goes on from step {target} with other random numbers",
        }
        return [Message(f"step {self._trainer.step}: {reasons}: {outcome[action]}", is_warning=True)]

    def _verdict(self) -> Verdict | None:
        return None if self._judge is None else self._judge.verdict(self._trainer, self._run)

    def _record(self, verdict: Verdict, signs: Sequence[str], gradients: Mapping[str, float]) -> list[Event]:
        """Choose by a verdict, log it, and return what to tell of it."""
        step, is_best = self._trainer.step, False
        if self._trainer.model.is_chosen_by_score:
            self.choice = self.choice.after(step, verdict.score, verdict.figures)
            is_best = self.choice.step == step
        seen = {"gradients": gradients, "signs": list(signs), "is_chosen": is_best}
        self._write_line(verdict.event, {**verdict.line, **seen})
        return [Message(f"step {step}: {verdict.told}" + " (best so far)" * is_best)]
