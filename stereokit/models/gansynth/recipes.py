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
from torch.nn.functional import cross_entropy, one_hot

from stereokit.losses.adversarial import gradient_penalty, real_slope, relativistic, wasserstein_critic
from stereokit.losses.distances import matched_energy_distance
from stereokit.models.gansynth.config import GansynthConfig
from stereokit.models.gansynth.growing import Ladder
from stereokit.models.gansynth.nets import Critic, Generator, Judgement
from stereokit.representations._form import Representation
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, Losses, Turn, constant

_SECOND_BETA = 0.99
# Of latents that stand for training pictures, so that those between them are learned, too.
_BLUR = 0.1
# Of the likeness of phase steps, against that of levels; at this level, below 0, nothing is heard.
_STEP_WEIGHT, _SILENCE = 0.3, 0.8
# Side of the squares that are compared, and of those whose means are.
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
        _, real, labels = _real(players, batch, growth)
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
        whole, real, labels = _real(players, batch, growth)
        made, asked = _made(players, labels, draw, growth)
        ours = _judged(players, made, growth)
        if is_wasserstein:
            adversarial = -ours.verdicts.mean()
        else:
            with torch.no_grad():
                theirs = _judged(players, real, growth)
            adversarial = relativistic(ours.verdicts, theirs.verdicts)
        opinion = {"adversarial": adversarial, "label": config.label_weight * cross_entropy(ours.labels, asked)}
        weighted = {name: config.adversarial_weight * value for name, value in opinion.items()}
        return weighted | _alone(players, (whole, real, labels), made, draw)

    def rehearse(batch: Batch, draw: Draw) -> Losses:
        whole, real, labels = _real(players, batch, players.grown)
        made, _ = _made(players, labels, draw, players.grown)
        return _alone(players, (whole, real, labels), made, draw)

    def optimiser(rate: float, momentum: float = 0.0, *, times: int = 1) -> Callable[..., torch.optim.Optimizer]:
        betas = (momentum, _SECOND_BETA)
        if times > 1:
            return lambda own: StaleAdam(own, rate, times, betas=betas, fused=True)
        return lambda own: torch.optim.Adam(own, rate, betas=betas, fused=True)

    stale = config.critic_steps if config.stale else 1
    of_generator = optimiser(config.generator_rate, config.generator_momentum, times=stale)
    judged = (config.judged_from, 1.0)
    own = (players.generator,)
    alone = [Turn("rehearsal", own, rehearse, of_generator, active=(0.0, judged[0]))] if judged[0] > 0.0 else []
    schedule = constant if is_wasserstein else falling
    return [
        *alone,
        Turn("critic", (critic,), criticise, optimiser(config.critic_rate), config.critic_steps, judged),
        Turn("generator", own, generate, of_generator, active=judged, schedule=schedule),
    ]


def falling(progress: float) -> float:
    """Return the factor on a learning rate: 1 until half-way, then a straight line to 5 %."""
    return min(1.0, 1.0 - 0.95 * (2.0 * progress - 1.0))


def _alone(
    players: Players, given: tuple[torch.Tensor, torch.Tensor, torch.Tensor], made: torch.Tensor, draw: Draw
) -> dict[str, torch.Tensor]:
    """Return the losses by which the generator learns without a critic, those with a weight."""
    config, start = players.config, players.generator.start
    whole, real, labels = given
    losses = {}
    if config.picture_weight > 0.0:
        losses["pictures"] = config.picture_weight * _batch_distance(made, real, labels, len(config.labels))
    if config.likeness_weight > 0.0 and start is not None:
        latents = start.latents_of(whole, labels) + _BLUR * draw.normal(config.latent)
        with players.autocast():
            copied = players.generator(latents, labels, players.grown)
        losses["likeness"] = config.likeness_weight * _difference(copied.to(real.dtype), real)
    return losses


def _difference(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return how far pictures are from those that they should be: levels, and phase steps where they are heard."""
    levels, steps = ((one - other).abs() for one, other in zip(made.chunk(2, 1), real.chunk(2, 1), strict=True))
    heard = (real[:, : levels.shape[1]] + _SILENCE).clamp(0.0, 1.0)
    return levels.mean() + _STEP_WEIGHT * (steps * heard).mean()


def _real(players: Players, batch: Batch, growth: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return real pictures, the same as sharp as made ones are, and their labels."""
    if batch.labels is None:
        raise TypeError("gansynth learns from labelled clips")
    with torch.no_grad():
        whole = players.representation.encode(batch.clips)
    return whole, players.ladder.seen_at(whole, growth), batch.labels


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

    Pictures are compared square by square, as averages over time, which show the pitch, and as coarse ones.
    """
    known = one_hot(labels, classes).to(real.dtype)
    total = made.new_zeros(())
    for ours, theirs in zip(_views(made), _views(real), strict=True):
        lengths = theirs.std(-2, correction=0).norm(dim=-1)[..., None, None]
        pair = [torch.cat([vectors, known * lengths], dim=-1) for vectors in (ours, theirs)]
        total = total + matched_energy_distance(*pair) / theirs.shape[-1] ** 0.5
    return total


def _views(pictures: torch.Tensor) -> list[torch.Tensor]:
    """Return pictures as vectors, (places, B, D) each."""
    count, channels, height, width = pictures.shape
    side, across = min(_COARSE, height), min(_COARSE, width)
    squares = pictures.view(count, channels, height // side, side, width // across, across)
    return [
        squares.permute(2, 4, 0, 1, 3, 5).reshape(-1, count, channels * side * across),
        pictures.mean(3).flatten(1)[None],
        squares.mean((3, 5)).flatten(1)[None],
    ]
