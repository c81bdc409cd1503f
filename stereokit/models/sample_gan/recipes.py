"""What the players of ``sample-gan`` learn from: the recipe as printed, and the one with its defects mended."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from stereokit.losses.adversarial import gradient_penalty, real_slope, relativistic, wasserstein_critic
from stereokit.losses.distances import energy_distance, moment_difference
from stereokit.models.sample_gan.config import SampleGanConfig
from stereokit.models.sample_gan.nets import Critic, Generator, LowRankGenerator
from stereokit.nets.augmentation import varied
from stereokit.representations._form import Representation
from stereokit.representations.stereo_pictures import StereoPictures
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, Losses, Turn

# As printed: the weight of the spectral terms, and of the learning rates after each of some seven epochs.
_SPECTRAL_WEIGHT, _DECAY, _EPOCHS = 0.15, 0.9, 7.0
# "Features" are the picture itself, three times over.
_FEATURES = 3

# The low-rank generator first learns where real coefficients lie, in many small steps, and only then how it sounds.
_COEFFICIENTS_UNTIL = 0.5
_COEFFICIENT_REPEATS, _COEFFICIENT_ITEMS, _COEFFICIENT_RATE = 33, 8, 1e-3
# Coefficients that carry most, looked at by themselves: of the first plane, and of each other.
_LEADING, _LEADING_OTHER = 8, 4
# Learning rates of what is nearly right by then, as shares of the detail's.
_MAPPING_SHARE, _PATTERN_SHARE = 1.0 / 30.0, 1.0 / 18.0

# Coarse pictures are means over squares of this side.
_COARSE = 4


class Players(Protocol):
    """What a recipe needs of the model."""

    @property
    def config(self) -> SampleGanConfig:
        """The settings."""

    @property
    def representation(self) -> Representation:
        """Clips to pictures."""

    @property
    def generator(self) -> Generator:
        """Who makes pictures."""

    @property
    def critic(self) -> Critic:
        """Who judges them."""

    @property
    def autocast(self) -> Callable[[], AbstractContextManager[object]]:
        """Opens the training's precision."""


def falling(progress: float) -> float:
    """Return the factor on a learning rate: 1 until half-way, then a straight line to 2 %."""
    return min(1.0, 1.0 - 0.98 * (2.0 * progress - 1.0))


def by_epoch(progress: float) -> float:
    """Return the published factor on a learning rate: 0.9 an epoch, over seven epochs."""
    return float(_DECAY ** (_EPOCHS * progress))


def published_turns(players: Players) -> list[Turn]:
    """Return the turns as printed: WGAN-GP, RMSprop, and spectral terms that the critic cannot learn from."""
    config = players.config

    def criticise(batch: Batch, draw: Draw) -> Losses:
        real, made = _real(players, batch), _made(players, draw).detach()
        difference = (real - made).abs().mean()
        convergence = (real - made).norm() / real.norm()
        return {
            "wasserstein": wasserstein_critic(*_verdicts(players, real, made)),
            "penalty": config.penalty_weight * gradient_penalty(players.critic, real, made, draw.uniform()),
            "spectral": _SPECTRAL_WEIGHT * (difference + convergence),
        }

    def generate(batch: Batch, draw: Draw) -> Losses:
        real, made = _real(players, batch), _made(players, draw)
        return {
            "adversarial": -players.critic(made).mean(),
            "features": config.feature_weight * _FEATURES * (real - made).abs().mean(),
        }

    def optimiser(rate: float) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
        return lambda parameters: torch.optim.RMSprop(parameters, rate, weight_decay=config.weight_decay)

    return [
        Turn("critic", (players.critic,), criticise, optimiser(config.critic_rate), config.critic_steps,
             schedule=by_epoch),
        Turn("generator", (players.generator,), generate, optimiser(config.generator_rate), schedule=by_epoch),
    ]  # fmt: skip


def mended_turns(players: Players) -> list[Turn]:
    """Return the mended turns: the critic's slope at real sounds, and batches compared as batches."""
    config = players.config
    turns: list[Turn] = []
    active = (0.0, 1.0)
    if isinstance(players.generator, LowRankGenerator):
        turns = [_coefficient_turn(players.generator)]
        active = (_COEFFICIENTS_UNTIL, 1.0)

    def criticise(batch: Batch, draw: Draw) -> Losses:
        real, made = _real(players, batch, draw), _made(players, draw).detach()
        measured = real[: max(1, round(config.penalty_share * len(real)))]
        return {
            "relativistic": relativistic(*_verdicts(players, real, made)),
            "penalty": config.penalty_weight * real_slope(players.critic, measured),
        }

    def generate(batch: Batch, draw: Draw) -> Losses:
        real, made = _real(players, batch, draw), _made(players, draw)
        with players.autocast():
            theirs, wanted = players.critic.judge(real)
            ours, seen = players.critic.judge(made)
        features = [moment_difference(*_full(players, *pair)) for pair in zip(seen, wanted, strict=True)]
        bands = [_bands(players, pictures) for pictures in (made, real)]
        return {
            "adversarial": config.adversarial_weight * relativistic(*_full(players, ours, theirs)),
            "bands": config.band_weight * energy_distance(*bands),
            "pictures": config.picture_weight * energy_distance(_coarse(made), _coarse(real)),
            "features": config.feature_weight * torch.stack(features).sum(),
        }

    return [
        *turns,
        Turn("critic", (players.critic,), criticise, lambda own: _adam(own, config.critic_rate, config),
             config.critic_steps, active),
        Turn("generator", (players.generator,), generate, lambda own: _generator_optimiser(players, own),
             active=active, schedule=falling),
    ]  # fmt: skip


def _coefficient_turn(generator: LowRankGenerator) -> Turn:
    """Return the turn in which the mapping learns the distribution of the bank's coefficients."""
    starts = [sum(generator.sizes[:plane]) for plane in range(len(generator.sizes))]
    leading = [start + place for start in starts for place in range(_LEADING if start == 0 else _LEADING_OTHER)]

    def resemble(batch: Batch, draw: Draw) -> Losses:
        latents = draw.normal(_COEFFICIENT_ITEMS, generator.latent).flatten(0, 1)
        real = generator.bank[draw.integers(len(generator.bank), _COEFFICIENT_ITEMS).flatten()]
        made, _ = generator.coefficients(latents)
        raised = generator.mapping.deviations.sqrt()
        # as they are, the leading ones, and with the small ones raised
        return {
            "all": energy_distance(made, real),
            "leading": energy_distance(made[:, leading], real[:, leading]),
            "raised": energy_distance(made / raised, real / raised),
        }

    return Turn(
        "coefficients", (generator.mapping,), resemble,
        lambda own: torch.optim.Adam(own, _COEFFICIENT_RATE, betas=(0.5, 0.99)),
        _COEFFICIENT_REPEATS, (0.0, _COEFFICIENTS_UNTIL), falling, reads_data=False,
    )  # fmt: skip


def _generator_optimiser(players: Players, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    rate, generator = players.config.generator_rate, players.generator
    if not isinstance(generator, LowRankGenerator):
        return _adam(parameters, rate, players.config, momentum=0.5)
    groups = [
        {"params": list(generator.mapping.parameters()), "lr": rate * _MAPPING_SHARE},
        {"params": list(generator.planes.parameters()), "lr": rate * _PATTERN_SHARE},
        {"params": list(generator.detail.parameters()), "lr": rate},
    ]
    return torch.optim.Adam(groups, rate, betas=(0.5, 0.99), weight_decay=players.config.weight_decay)


def _adam(
    parameters: list[nn.Parameter], rate: float, config: SampleGanConfig, *, momentum: float = 0.0
) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, rate, betas=(momentum, 0.99), weight_decay=config.weight_decay)


def _real(players: Players, batch: Batch, draw: Draw | None = None) -> torch.Tensor:
    """Return real pictures; with a draw, of clips that are varied a little."""
    clips = batch.clips
    if draw is not None and players.config.varies_clips:
        clips = varied(clips, players.config.sample_rate, draw.uniform)
    return players.representation.encode(clips)


def _made(players: Players, draw: Draw) -> torch.Tensor:
    with players.autocast():
        made = players.generator.make(draw)
    return _full(players, made)[0]


def _verdicts(players: Players, real: torch.Tensor, made: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    with players.autocast():
        verdicts = players.critic(real), players.critic(made)
    first, second = _full(players, *verdicts)
    return first, second


def _full(players: Players, *tensors: torch.Tensor) -> list[torch.Tensor]:
    """Return tensors that autocast may have shortened in the precision of the weights."""
    dtype = next(players.critic.parameters()).dtype
    return [tensor.to(dtype) for tensor in tensors]


def _bands(players: Players, pictures: torch.Tensor) -> torch.Tensor:
    if not isinstance(players.representation, StereoPictures):
        raise TypeError("the mended recipe listens to stereo pictures")
    return players.representation.band_levels(pictures).flatten(1)


def _coarse(pictures: torch.Tensor) -> torch.Tensor:
    return avg_pool2d(pictures, _COARSE).flatten(1)


RECIPES: dict[str, Callable[[Players], list[Turn]]] = {"published": published_turns, "mended": mended_turns}
