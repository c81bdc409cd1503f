"""What the players of ``gansynth`` learn from.

``published`` follows the recipe as the authors' program ran it, defects included where they change a training here:
nothing grows; every update of the generator is repeated at each of three critic steps though its gradient belongs to
the first; phases are summed over frequency on the way back; where no pitch is asked for it is always the same one.
Three of them cannot occur here: a scale measured anew for each part of the data, constants of the equalised learning
rate that are drawn and not saved, and 16-bit samples that wrap around.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, cross_entropy, one_hot

from stereokit.losses.adversarial import gradient_penalty, real_slope, relativistic, wasserstein_critic
from stereokit.losses.distances import energy_distance
from stereokit.models.gansynth.config import GansynthConfig
from stereokit.models.gansynth.growing import Ladder
from stereokit.models.gansynth.nets import Critic, Generator, Judgement
from stereokit.representations._form import Representation
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, Losses, Turn

_BETAS = (0.0, 0.99)
# What a wrong label adds to the distance of two pictures, as a share of the length of a picture's deviation.
_LABEL_LENGTH = 1.0
# Coarse pictures are means over squares of this side.
_COARSE = 8


class Players(Protocol):
    """What a recipe needs of the model."""

    @property
    def config(self) -> GansynthConfig:
        """The settings."""

    @property
    def representation(self) -> Representation:
        """Clips to pictures."""

    @property
    def ladder(self) -> Ladder:
        """The resolutions."""

    @property
    def grown(self) -> float:
        """How far the networks have grown."""

    @property
    def generator(self) -> Generator:
        """Who makes pictures."""

    @property
    def critic(self) -> Critic:
        """Who judges them."""

    @property
    def autocast(self) -> Callable[[], AbstractContextManager[object]]:
        """Opens the training's precision."""


class StaleAdam(torch.optim.Adam):
    """Adam that takes every gradient several times.

    The published program lets its generator's optimiser step at each batch of the critic's, while the gradient is
    computed at every third.
    """

    def __init__(self, parameters: list[nn.Parameter], rate: float, times: int, **settings: Any) -> None:
        super().__init__(parameters, rate, **settings)
        self.times = times

    def step(self, closure: Any = None) -> Any:
        """Take ``times`` steps."""
        for _ in range(self.times):
            told = super().step(closure)
        return told


def asked_labels(config: GansynthConfig, draw: Draw) -> torch.Tensor:
    """Return a class number for each item of a draw, as ``condition_draw`` has it."""
    places = draw.uniform().double()
    counts = torch.tensor(config.label_counts, dtype=torch.float64, device=places.device)
    if config.condition_draw == "first":
        return torch.zeros_like(places, dtype=torch.int64)
    if config.condition_draw == "even":
        counts = torch.ones_like(counts)
    ends = (counts / counts.sum()).cumsum(0)
    return torch.searchsorted(ends, places, right=True).clamp_max(len(counts) - 1)


def turns(players: Players) -> list[Turn]:
    """Return the critic's turn and the generator's."""
    config = players.config
    critic, is_wasserstein = players.critic, config.objective == "wasserstein"

    def criticise(batch: Batch, draw: Draw) -> Losses:
        growth = players.grown
        real, labels = _real(players, batch, growth)
        made, _ = _made(players, labels, draw, growth)
        made = made.detach()
        theirs, ours = _judged(players, real, growth), _judged(players, made, growth)
        critic.remember(theirs.deviation)
        measured = max(1, round(config.penalty_share * len(real)))
        # each item by itself: its slope is its own
        deviation = theirs.deviation[:measured].detach()

        def judge(items: torch.Tensor) -> torch.Tensor:
            return critic.judge(items, growth, deviation).verdicts

        losses = {"label": config.label_weight * cross_entropy(theirs.labels, labels)}
        if is_wasserstein:
            between = gradient_penalty(judge, real[:measured], made[:measured], draw.uniform()[:measured])
            losses |= {
                "wasserstein": wasserstein_critic(theirs.verdicts, ours.verdicts),
                "penalty": config.penalty_weight * between,
                "drift": config.drift_weight * theirs.verdicts.square().mean(),
            }
        else:
            losses |= {
                "relativistic": relativistic(theirs.verdicts, ours.verdicts),
                "penalty": config.penalty_weight * real_slope(judge, real[:measured]),
            }
        return losses

    def generate(batch: Batch, draw: Draw) -> Losses:
        growth = players.grown
        real, labels = _real(players, batch, growth)
        made, asked = _made(players, labels, draw, growth)
        ours = _judged(players, made, growth)
        if is_wasserstein:
            adversarial = -ours.verdicts.mean()
        else:
            with torch.no_grad():
                theirs = _judged(players, real, growth)
            adversarial = relativistic(ours.verdicts, theirs.verdicts)
        losses = {
            "adversarial": config.adversarial_weight * adversarial,
            "label": config.label_weight * cross_entropy(ours.labels, asked),
        }
        if config.picture_weight > 0.0:
            losses["pictures"] = config.picture_weight * _batch_distance(made, real, labels, len(config.labels))
        return losses

    def optimiser(rate: float, *, times: int = 1) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
        if times > 1:
            return lambda own: StaleAdam(own, rate, times, betas=_BETAS, fused=True)
        return lambda own: torch.optim.Adam(own, rate, betas=_BETAS, fused=True)

    stale = config.critic_steps if config.stale else 1
    return [
        Turn("critic", (critic,), criticise, optimiser(config.critic_rate), config.critic_steps),
        Turn("generator", (players.generator,), generate, optimiser(config.generator_rate, times=stale)),
    ]


def _real(players: Players, batch: Batch, growth: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return real pictures as sharp as made ones, and their labels."""
    if batch.labels is None:
        raise TypeError("gansynth learns from labelled clips")
    with torch.no_grad():
        pictures = players.ladder.seen_at(players.representation.encode(batch.clips), growth)
    return pictures, batch.labels


def _made(players: Players, labels: torch.Tensor, draw: Draw, growth: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return made pictures and the labels that were asked for: those of the batch, or evenly drawn ones."""
    latents = draw.normal(players.generator.latent)
    asked = asked_labels(players.config, draw) if players.config.condition_draw == "even" else labels
    with players.autocast():
        made = players.generator(latents, asked, growth)
    return made.to(latents.dtype), asked


def _judged(players: Players, pictures: torch.Tensor, growth: float) -> Judgement:
    """Return a judgement in the pictures' own precision, which autocast may have shortened."""
    with players.autocast():
        told = players.critic.judge(pictures, growth)
    return Judgement(*(part.to(pictures.dtype) for part in (told.verdicts, told.labels, told.deviation)))


def _batch_distance(made: torch.Tensor, real: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return the energy distance of two batches that have the same labels, each item with its label.

    Pictures are compared as they are, as averages over time, which show the pitch, and as coarse ones.
    """
    known = one_hot(labels, classes).to(real.dtype)
    height, width = made.shape[-2:]
    total = made.new_zeros(())
    for window in ((1, 1), (1, width), (min(_COARSE, height), min(_COARSE, width))):
        ours, theirs = (avg_pool2d(pictures, window).flatten(1) for pictures in (made, real))
        length = theirs.std(0, correction=0).norm() * _LABEL_LENGTH
        pair = [torch.cat([vectors, known * length], dim=1) for vectors in (ours, theirs)]
        total = total + energy_distance(*pair) / theirs.shape[1] ** 0.5
    return total
