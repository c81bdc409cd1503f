"""A training under way: what is logged, judged and saved between its steps."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

from stereokit.errors import Status
from stereokit.training.journal import append_line
from stereokit.training.ranks import raise_together
from stereokit.training.resume import Choice, save_training
from stereokit.training.trainer import NonFiniteError, Step, Trainer
from stereokit.workflows.events import Event, Message, Progress
from stereokit.workflows.train_signals import StopRequest
from stereokit.workflows.train_validation import (
    CHOOSING_SCORE,
    Judge,
    preview_count,
    sample_clips,
    write_previews,
)

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
        None: the last averaged model is kept.
    validate_every
        Steps between two previews, validations and checkpoints.
    patience
        Validations without improvement after which the training ends; None for all.
    is_sampler
        Whether the model makes clips.

    Attributes
    ----------
    choice
        Which averaged model the run keeps, on rank 0.
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
        is_sampler: bool,
        is_resumed: bool,
    ) -> None:
        self._run = run
        self._trainer = trainer
        self._judge = judge
        self._validate_every = validate_every
        self._patience = patience
        self._is_sampler = is_sampler
        self._is_first = trainer.fabric.global_rank == 0
        self._log_every = max(1, validate_every // _LINES)
        self._items, self._since_s = 0, time.monotonic()
        self.choice = choice
        self.losses: dict[str, float] = {}
        self.saved_step = trainer.step if is_resumed else None

    def events(self, request: StopRequest) -> Iterator[Event]:
        """Train to the end, or until a signal on any rank; what was done by then is saved.

        Raises
        ------
        NonFiniteError, OutputError
            On all ranks; the run stays at its last checkpoint.
        """
        trainer = self._trainer
        try:
            for step in trainer.run(lambda: request.status or self._patience_is_over()):
                self.losses = dict(step.losses)
                self._log(step)
                yield self._progress(step)
                if step.number % self._validate_every == 0:
                    yield from self._checkpoint(is_judged=True)
            if trainer.step != self.saved_step:
                # A training that a signal cut short has no validation here, as it would have had none uncut.
                yield from self._checkpoint(is_judged=trainer.ended_by in (None, Status.DONE))
        except NonFiniteError as error:
            state = "nothing was saved yet" if self.saved_step is None else f"saved is step {self.saved_step}"
            raise NonFiniteError(f"{self._run}: {error}; {state}") from error

    def _patience_is_over(self) -> Status | None:
        is_over = self._patience is not None and self.choice.waited >= self._patience
        return Status.DONE if is_over else None

    def _log(self, step: Step) -> None:
        self._items += step.items
        if not self._is_first or step.number % self._log_every:
            return
        now = time.monotonic()
        rate = self._items / max(now - self._since_s, 1e-9)
        self._items, self._since_s = 0, now
        seconds = {"seconds": round(self._trainer.elapsed, 3), "items_per_second": round(rate, 3)}
        append_line(self._run, {"event": "step", "step": step.number, **seconds, "losses": step.losses})

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
        """Judge and save on rank 0; all ranks learn how that went."""
        told: list[Event] = []
        failure: Exception | None = None
        try:
            if self._is_first:
                self._trainer.refresh_statistics()
                if is_judged and self._is_sampler:
                    told = self._sample_and_judge()
                save_training(self._trainer, self._run, self.choice)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other ranks must hear of it
            failure = error
        raise_together(failure, self._trainer.fabric)
        self.saved_step = self._trainer.step
        # What was judged and saved is no part of a step's time.
        self._since_s = time.monotonic()
        yield from told

    def _sample_and_judge(self) -> list[Event]:
        trainer, step = self._trainer, self._trainer.step
        model = trainer.sampled()
        count = preview_count(self._judge)
        clips = sample_clips(model, count, seed=trainer.settings.seed, device=trainer.fabric.device)
        write_previews(self._run, step, clips, model.sample_rate)
        if self._judge is None:
            return []
        verdict = self._judge.judge(clips[: self._judge.samples])
        scores = verdict.scores
        figures = {"event": "validation", "step": step, "seconds": round(trainer.elapsed, 3), **scores}
        is_best = False
        if trainer.model.is_chosen_by_score:
            self.choice = self.choice.after(step, scores[CHOOSING_SCORE], scores)
            is_best = self.choice.step == step
        append_line(
            self._run,
            {**figures, "expected": verdict.expected, "clips": verdict.clips, "is_chosen": is_best},
        )
        told = (
            f"step {step}: energy distance {scores['energy']:.3g} dB, MMD {scores['mmd']:.3g} dB, "
            f"COV {scores['cov']:.2f}, 1-NNA {scores['nna']:.2f}"
        )
        return [Message(told + " (best so far)" * is_best)]
