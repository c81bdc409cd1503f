"""What a model family hands to the trainer: batches come in, named losses go out."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from stereokit.training.draw import Draw


@dataclass(frozen=True)
class Batch:
    """Items of a data set.

    Attributes
    ----------
    clips
        Left and right, float32 of shape (B, 2, T), full scale ±1.
    labels
        Class numbers, int64 of shape (B,); None for a feed without labels.
    targets
        For pairs, the clip that each of ``clips`` should become, shape (B, 2, T); else None.
    """

    clips: torch.Tensor
    labels: torch.Tensor | None = None
    targets: torch.Tensor | None = None


Losses = Mapping[str, torch.Tensor]


def constant(progress: float) -> float:
    """Leave the learning rate as it is."""
    return 1.0


@dataclass(frozen=True)
class Turn:
    """One player's training step.

    Attributes
    ----------
    name
        In logs and checkpoints; unique in its model.
    players
        The modules that learn in this turn. Only they require gradients while it runs.
    losses
        (batch, draw) -> named scalars, already weighted; their sum is minimised.
    optimiser
        Parameters -> their optimiser, with the state of this turn alone.
    repeats
        Times a step; each draws its own batch.
    active
        The turn runs while the training's progress (0 to 1) lies in [first, second); the end belongs to it.
    schedule
        The turn's own progress (0 to 1 inside ``active``) -> factor on its learning rates.
    reads_data
        False for a turn that learns from what the model holds: nothing is loaded, its batches are empty, and an epoch
        does not count it.
    """

    name: str
    players: tuple[nn.Module, ...]
    losses: Callable[[Batch, Draw], Losses]
    optimiser: Callable[[list[nn.Parameter]], torch.optim.Optimizer]
    repeats: int = 1
    active: tuple[float, float] = (0.0, 1.0)
    schedule: Callable[[float], float] = constant
    reads_data: bool = True

    def is_active(self, progress: float) -> bool:
        """Tell whether the turn runs at this progress."""
        first, last = self.active
        return first <= progress < last or progress == last == 1.0

    def rate_factor(self, progress: float) -> float:
        """Return the factor on the learning rates at this progress of the whole training."""
        first, last = self.active
        own = (progress - first) / (last - first) if last > first else 1.0
        return self.schedule(min(max(own, 0.0), 1.0))

    def parameters(self) -> list[nn.Parameter]:
        """Return the players' parameters, each once, in a fixed order."""
        return list(dict.fromkeys(parameter for player in self.players for parameter in player.parameters()))


@dataclass(frozen=True)
class Step:
    """What a step did.

    Attributes
    ----------
    number
        Steps done so far.
    losses
        ``turn/loss`` -> mean over repeats, parts and ranks.
    items
        Of the data, over all ranks and repeats.
    gradients
        Turn -> length of its gradient before clipping, the longest of the repeats.
    """

    number: int
    losses: Mapping[str, float]
    items: int
    gradients: Mapping[str, float] = field(default_factory=dict)


@contextlib.contextmanager
def only_requiring_gradients(model: nn.Module, players: list[nn.Parameter]) -> Iterator[None]:
    """Let only the players learn, so that a critic's weights cost the generator nothing."""
    before = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    wanted = set(players)
    for parameter, _ in before:
        parameter.requires_grad_(parameter in wanted)
    try:
        yield
    finally:
        for parameter, had in before:
            parameter.requires_grad_(had)
