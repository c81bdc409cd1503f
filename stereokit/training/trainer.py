"""The training loop: every active turn once a step, on any number of ranks, resumable bit for bit on the CPU."""

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import nn

from stereokit.errors import StereokitError
from stereokit.training.average import Average
from stereokit.training.draw import Draw
from stereokit.training.ranks import any_rank, average_gradients, mean_over_ranks, share_weights
from stereokit.training.turn import Batch, Turn


class Model(nn.Module, ABC):
    """The base of every family's model.

    Attributes
    ----------
    sample_rate
        Hz of the clips that it eats and makes.
    frames
        Samples of one clip.
    block_clips
        Clips that sampling computes at once, always that many: a clip must not depend on how many are asked for.
    autocast
        Opens the training's precision. A family opens it around its nets only: representations, losses and penalties
        stay in float32.
    """

    sample_rate: int
    frames: int
    block_clips: int = 16
    autocast: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext

    @abstractmethod
    def turns(self) -> list[Turn]:
        """Return the players' steps, in order."""

    def forward_statistics(self, batch: Batch, draw: Draw) -> object:
        """Send a batch through every layer whose batch statistics sampling needs; a model without any has none."""

    def adapt(self, clips: Iterator[torch.Tensor], draw: Draw) -> None:
        """Take from the training clips what must be known before the first step; most models need nothing.

        ``clips`` goes once through the training split, in parts of shape (B, 2, T) on the CPU.
        """

    def compilable(self) -> dict[str, nn.Module]:
        """Return the modules that may be compiled: none that a gradient penalty differentiates twice."""
        return {}


# Item numbers of the global batch -> those items, on the device.
Loader = Callable[[int, int], Batch]


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how to train.

    Attributes
    ----------
    steps
        In total; a step is every active turn once.
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
    """

    steps: int
    batch: int
    seed: int = 0
    ema_decay: float = 0.999
    accumulate: int = 1
    clip_norm: float | None = None


class NonFiniteError(StereokitError):
    """A loss or gradient became NaN or infinite: the run stops where the last checkpoint left it."""


@dataclass(frozen=True)
class Step:
    """What a step did.

    Attributes
    ----------
    number
        Steps done so far.
    losses
        ``turn/loss`` -> mean over repeats, parts and ranks.
    """

    number: int
    losses: Mapping[str, float]


class Trainer:
    """Trains a model.

    Parameters
    ----------
    model
        On the CPU or already on the fabric's device.
    load
        (first item number, count) -> items of the endless stream of the data, the same for every rank.
    settings
        See ``TrainingSettings``.
    fabric
        Launched; gives ranks, device and precision.
    """

    def __init__(self, model: Model, load: Loader, settings: TrainingSettings, fabric: Fabric) -> None:
        self.model = model.to(fabric.device)
        self.settings = settings
        self.fabric = fabric
        self._load = load
        share_weights(self.model, fabric)
        self.turns = self.model.turns()
        self.optimisers = {turn.name: turn.optimiser(turn.parameters()) for turn in self.turns}
        self.average = Average(self.model, settings.ema_decay)
        self.step = 0

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> Iterator[Step]:
        """Train to the last step, or until any rank's ``should_stop`` says so; yield each step.

        Raises
        ------
        NonFiniteError
            Naming turn and loss; the live weights are those before the bad step's turn.
        """
        while self.step < self.settings.steps and not any_rank(should_stop(), self.fabric):
            progress = self.step / self.settings.steps
            figures: dict[str, float] = {}
            for turn in self.turns:
                if turn.is_active(progress):
                    figures |= self._take(turn)
            self.average.update(self.model)
            self.step += 1
            means = mean_over_ranks(figures.values(), self.fabric)
            yield Step(self.step, dict(zip(figures, means, strict=True)))

    def _take(self, turn: Turn) -> dict[str, float]:
        totals: dict[str, float] = {}
        parameters = turn.parameters()
        optimiser = self.optimisers[turn.name]
        with _only_requiring_gradients(self.model, parameters):
            for repeat in range(turn.repeats):
                optimiser.zero_grad(set_to_none=True)
                for part in range(self.settings.accumulate):
                    for name, value in self._backward(turn, repeat, part).items():
                        share = value / (turn.repeats * self.settings.accumulate)
                        totals[f"{turn.name}/{name}"] = totals.get(f"{turn.name}/{name}", 0.0) + share
                average_gradients(parameters, self.fabric)
                self._check_and_clip(turn, parameters)
                optimiser.step()
        return totals

    def _backward(self, turn: Turn, repeat: int, part: int) -> dict[str, float]:
        """Run one part of a batch forward and backward."""
        first, count = self._items(turn, repeat, part)
        batch = self._load(first, count)
        key = (self.settings.seed, self.step, turn.name, repeat)
        draw = Draw(key, range(first, first + count), self.fabric.device)
        with self._seeded(*key, part):
            losses = turn.losses(batch, draw)
        figures = {name: float(value.detach()) for name, value in losses.items()}
        for name, value in figures.items():
            if not math.isfinite(value):
                raise NonFiniteError(f"the loss {turn.name}/{name} is {value} in step {self.step + 1}")
        total = torch.stack([value.float() for value in losses.values()]).sum() / self.settings.accumulate
        self.fabric.backward(total)
        return figures

    def _items(self, turn: Turn, repeat: int, part: int) -> tuple[int, int]:
        """Return where in the endless stream this rank's part of the batch lies."""
        settings = self.settings
        repeats_before = sum(one.repeats for one in self.turns[: self.turns.index(turn)]) + repeat
        repeats_a_step = sum(one.repeats for one in self.turns)
        size = settings.batch * settings.accumulate * self.fabric.world_size
        start = (self.step * repeats_a_step + repeats_before) * size
        place = self.fabric.global_rank * settings.accumulate + part
        return start + place * settings.batch, settings.batch

    @contextlib.contextmanager
    def _seeded(self, *key: object) -> Iterator[None]:
        """Seed torch's own stream, which dropout reads, by what it is for."""
        numbers = Draw((*key, "torch", self.fabric.global_rank), [0]).integers(2**62)
        devices = [self.fabric.device] if self.fabric.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(int(numbers[0]))
            yield

    def _check_and_clip(self, turn: Turn, parameters: list[nn.Parameter]) -> None:
        limit = math.inf if self.settings.clip_norm is None else self.settings.clip_norm
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        if not torch.isfinite(norm):
            raise NonFiniteError(f"the gradient of {turn.name} is not finite in step {self.step + 1}")

    def refresh_statistics(self) -> None:
        """Estimate the averaged model's batch statistics anew, before it is sampled or saved."""
        size = self.settings.batch

        def send(number: int) -> None:
            first = number * size
            draw = Draw((self.settings.seed, "statistics"), range(first, first + size), self.fabric.device)
            self.average.model.forward_statistics(self._load(first, size), draw)

        with self._seeded(self.settings.seed, "statistics"):
            self.average.estimate_statistics(send)


@contextlib.contextmanager
def _only_requiring_gradients(model: nn.Module, players: list[nn.Parameter]) -> Iterator[None]:
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
