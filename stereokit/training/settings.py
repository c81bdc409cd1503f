"""How long and how a model is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how to train.

    Attributes
    ----------
    steps
        In total; a step is every active turn once. None: only ``seconds`` end the training.
    batch
        Items a rank and repeat.
    seed
        Of every draw and of the data's order.
    ema_decay
        Of the averaged weights.
    accumulate
        Parts a batch is cut into; gradients add up over them.
    clip_norm
        Largest gradient norm of a turn; None leaves gradients alone.
    seconds
        On the clock of rank 0, in total; None: only ``steps`` end the training.
    is_double
        Train in float64; what is sampled later is saved as it was before.
    """

    steps: int | None
    batch: int
    seed: int = 0
    ema_decay: float = 0.999
    accumulate: int = 1
    clip_norm: float | None = None
    seconds: float | None = None
    is_double: bool = False

    def progress(self, step: int, elapsed: float) -> float:
        """Return how much of the training is done, 0 to 1, by whichever limit is nearer."""
        by_steps = 0.0 if self.steps is None else step / self.steps
        by_seconds = 0.0 if self.seconds is None else elapsed / self.seconds
        return min(1.0, max(by_steps, by_seconds))
