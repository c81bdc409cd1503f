"""The training loop: every active turn once a step, on any number of ranks, resumable bit for bit on the CPU."""

import contextlib
import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping

import torch
from lightning_fabric import Fabric
from torch import nn

from stereokit.errors import Status, StereokitError, UsageError, worst
from stereokit.training.average import Average
from stereokit.training.draw import Draw
from stereokit.training.ranks import (
    average_gradients,
    mean_over_ranks,
    raise_together,
    share_weights,
    sums_over_ranks,
)
from stereokit.training.settings import TrainingSettings
from stereokit.training.turn import Batch, Step, Turn, only_requiring_gradients


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
    is_chosen_by_score
        Whether the run keeps the averaged model that scored best, and not the last one.
    """

    sample_rate: int
    frames: int
    block_clips: int = 16
    autocast: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    is_chosen_by_score: bool = True

    @abstractmethod
    def turns(self) -> list[Turn]:
        """Return the players' steps, in order."""

    def forward_statistics(self, batch: Batch, draw: Draw) -> object:
        """Send a batch through every layer whose batch statistics sampling needs; a model without any has none."""

    def adapt(self, clips: Iterator[torch.Tensor], draw: Draw, labels: torch.Tensor | None = None) -> None:
        """Take from the training clips what must be known before the first step; most models need nothing.

        ``clips`` goes once through the training split, in parts of shape (B, 2, T) on the CPU; ``labels`` are the class
        numbers of all of them, int64 (N,), where the feed has any.
        """

    def take(self, tensors: Mapping[str, torch.Tensor], source: str) -> None:
        """Begin with weights from outside, named ``source``; most models take none, which is a ``UsageError``."""
        raise UsageError(f"--weights {source}: this family takes none from outside")

    def advance(self, progress: float) -> None:
        """Hear before each step how much of the training is done, 0 to 1; most models need not know.

        What follows from it and counts for sampling, as how far a network has grown, is kept in buffers: they are
        saved, and the average takes them over.
        """

    def compilable(self) -> dict[str, nn.Module]:
        """Return the modules that may be compiled: none that a gradient penalty differentiates twice."""
        return {}


# Item numbers of the global batch -> those items, on the device.
Loader = Callable[[int, int], Batch]


class NonFiniteError(StereokitError):
    """A loss or gradient became NaN or infinite: the run stops where the last checkpoint left it."""

    status = Status.NOTHING_DONE


# Why a training may end before its time: it became no better, Ctrl-C, SIGTERM.
_ENDINGS = (Status.DONE, Status.INTERRUPTED, Status.TERMINATED)


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

    Attributes
    ----------
    step
        Steps done.
    undone
        Steps taken and given up by going back: what is drawn and read goes on as if they counted.
    dtypes
        Of the model's tensors as it came, in which it is saved for others.
    ended_by
        The status that some rank asked to end with; None while nobody has.
    """

    def __init__(self, model: Model, load: Loader, settings: TrainingSettings, fabric: Fabric) -> None:
        self.dtypes = {name: tensor.dtype for name, tensor in model.state_dict().items()}
        self.model = model.to(fabric.device, torch.float64 if settings.is_double else None)
        self.settings = settings
        self.fabric = fabric
        self._load = load
        share_weights(self.model, fabric)
        self.turns = self.model.turns()
        self.optimisers = {turn.name: turn.optimiser(turn.parameters()) for turn in self.turns}
        self._rates = {name: [group["lr"] for group in one.param_groups] for name, one in self.optimisers.items()}
        self.average = Average(self.model, settings.ema_decay)
        # After the copy: the average is sampled as it will be once it is saved.
        self.model.autocast = fabric.autocast
        self.step = self.undone = 0
        self.ended_by: Status | None = None
        self._carried_s, self._since_s = 0.0, time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds that the training took so far, on this rank's clock, resumed ones included."""
        return self._carried_s + time.monotonic() - self._since_s

    @elapsed.setter
    def elapsed(self, seconds: float) -> None:
        self._carried_s, self._since_s = seconds, time.monotonic()

    def run(self, asked: Callable[[], Status | None] = lambda: None) -> Iterator[Step]:
        """Train to the end, or until ``asked`` of any rank gives a status to end with; yield each step.

        Raises
        ------
        NonFiniteError
            Naming turn and loss, on all ranks; the live weights are those before the bad step's turn.
        """
        while (progress := self._meet(asked())) < 1.0 and self.ended_by is None:
            figures: dict[str, float] = {}
            gradients: dict[str, float] = {}
            self.model.advance(progress)
            active = [turn for turn in self.turns if turn.is_active(progress)]
            for turn in active:
                self._set_rates(turn, progress)
                losses, gradients[turn.name] = self._take(turn)
                figures |= losses
            self.average.update(self.model)
            self.step += 1
            items = sum(turn.repeats for turn in active if turn.reads_data) * self._batch_size
            yield Step(self.step, figures, items, gradients)

    def _meet(self, asked: Status | None) -> float:
        """Agree with the other ranks on the progress, by the clock of rank 0, and on whether to end."""
        is_first = self.fabric.global_rank == 0
        flags = [float(asked is status) for status in _ENDINGS]
        elapsed, *flags = sums_over_ranks([self.elapsed if is_first else 0.0, *flags], self.fabric)
        wanted = [status for status, flag in zip(_ENDINGS, flags, strict=True) if flag]
        self.ended_by = worst(wanted) if wanted else None
        return self.settings.progress(self.step, elapsed)

    def _set_rates(self, turn: Turn, progress: float) -> None:
        factor = turn.rate_factor(progress)
        for group, rate in zip(self.optimisers[turn.name].param_groups, self._rates[turn.name], strict=True):
            group["lr"] = rate * factor

    def _take(self, turn: Turn) -> tuple[dict[str, float], float]:
        """Train a turn's players; return its losses and the length of its longest gradient."""
        longest = 0.0
        totals: dict[str, float] = {}
        parameters = turn.parameters()
        optimiser = self.optimisers[turn.name]
        with only_requiring_gradients(self.model, parameters):
            for repeat in range(turn.repeats):
                optimiser.zero_grad(set_to_none=True)
                for name, value in self._backward(turn, repeat).items():
                    totals[name] = totals.get(name, 0.0) + value / turn.repeats
                average_gradients(parameters, self.fabric)
                longest = max(longest, self._check_and_clip(turn, parameters))
                optimiser.step()
        return totals, longest

    def _backward(self, turn: Turn, repeat: int) -> dict[str, float]:
        """Run a batch forward and backward and return its losses, averaged over its parts and the ranks."""
        figures: dict[str, float] = {}
        failure: Exception | None = None
        try:
            for part in range(self.settings.accumulate):
                for name, value in self._backward_part(turn, repeat, part).items():
                    figures[f"{turn.name}/{name}"] = figures.get(f"{turn.name}/{name}", 0.0) + value
        except Exception as error:  # noqa: BLE001 - whatever it is, the other ranks must hear of it
            failure = error
        raise_together(failure, self.fabric)
        means = dict(zip(figures, mean_over_ranks(figures.values(), self.fabric), strict=True))
        for name, value in means.items():
            if not math.isfinite(value):
                raise NonFiniteError(f"the loss {name} is {value} in step {self.step + 1}")
        return means

    def _backward_part(self, turn: Turn, repeat: int, part: int) -> dict[str, float]:
        first, count = self._items(turn, repeat, part)
        key = (self.settings.seed, self._taken, turn.name, repeat)
        batch, draw = self._batch(first, count, key, load=self._load if turn.reads_data else self._nothing)
        with self._seeded(*key, part):
            losses = turn.losses(batch, draw)
        total = torch.stack([value.float() for value in losses.values()]).sum() / self.settings.accumulate
        self.fabric.backward(total)
        return {name: float(value.detach()) / self.settings.accumulate for name, value in losses.items()}

    def _nothing(self, _first: int, _count: int) -> Batch:
        return Batch(torch.empty(0, 2, 0, device=self.fabric.device))

    def _batch(self, first: int, count: int, key: tuple[object, ...], *, load: Loader) -> tuple[Batch, Draw]:
        """Return items of the stream and their draw, in the precision of the weights."""
        dtype = next(self.model.parameters()).dtype
        batch = load(first, count)
        clips = batch.clips.to(dtype)
        targets = None if batch.targets is None else batch.targets.to(dtype)
        draw = Draw(key, range(first, first + count), self.fabric.device, dtype)
        return Batch(clips, batch.labels, targets), draw

    @property
    def _taken(self) -> int:
        return self.step + self.undone

    @property
    def _batch_size(self) -> int:
        return self.settings.batch * self.settings.accumulate * self.fabric.world_size

    def _items(self, turn: Turn, repeat: int, part: int) -> tuple[int, int]:
        """Return where in the endless stream this rank's part of the batch lies."""
        settings = self.settings
        repeats_before = sum(one.repeats for one in self.turns[: self.turns.index(turn)]) + repeat
        repeats_a_step = sum(one.repeats for one in self.turns)
        start = (self._taken * repeats_a_step + repeats_before) * self._batch_size
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

    def _check_and_clip(self, turn: Turn, parameters: list[nn.Parameter]) -> float:
        limit = math.inf if self.settings.clip_norm is None else self.settings.clip_norm
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, limit))
        if not math.isfinite(norm):
            raise NonFiniteError(f"the gradient of {turn.name} is not finite in step {self.step + 1}")
        return norm

    def refresh_statistics(self) -> None:
        """Estimate the averaged model's batch statistics anew, before it is sampled or saved."""
        size = self.settings.batch

        def send(number: int) -> None:
            key = (self.settings.seed, "statistics")
            self.average.model.forward_statistics(*self._batch(number * size, size, key, load=self._load))

        with self._seeded(self.settings.seed, "statistics"):
            self.average.estimate_statistics(send)

    def sampled(self) -> Model:
        """Return the averaged model as it will be sampled once it is saved: not in float64."""
        averaged = self.average.model
        return copy.deepcopy(averaged).float() if self.settings.is_double else averaged
