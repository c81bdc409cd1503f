"""What the players of ``enhancer`` learn from."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from stereokit.losses.adversarial import gradient_penalty, wasserstein_critic
from stereokit.losses.classic_adversarial import non_saturating, odds_critic, saturating
from stereokit.losses.power_spectra import PowerDistance
from stereokit.losses.spectral import SpectralDistance
from stereokit.models.enhancer.config import EnhancerConfig
from stereokit.models.enhancer.nets import Autoencoder, Classifier, Critic, Generator
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, Losses, Turn

Adversary = Callable[[torch.Tensor], torch.Tensor]


class Seen(Protocol):
    """Sounds as the networks see them."""

    @property
    def signals(self) -> torch.Tensor:
        """(B, channels, T)."""

    @property
    def scale(self) -> torch.Tensor:
        """What they were divided by."""


class Players(Protocol):
    """What the turns need of the model."""

    @property
    def config(self) -> EnhancerConfig:
        """The settings."""

    @property
    def generator(self) -> Generator:
        """Who makes sounds of sounds."""

    @property
    def critic(self) -> Critic | None:
        """Who judges them."""

    @property
    def autoencoder(self) -> Autoencoder | None:
        """Whose bottleneck is compared."""

    @property
    def classifier(self) -> Classifier | None:
        """Who reads it."""

    @property
    def power_distance(self) -> PowerDistance:
        """Of spectra."""

    @property
    def log_distance(self) -> SpectralDistance:
        """Of their logarithms."""

    @property
    def autocast(self) -> Callable[[], AbstractContextManager[object]]:
        """Opens the training's precision."""

    def seen(self, clips: torch.Tensor, scale: torch.Tensor | None = None) -> Seen:
        """Return clips as the networks see them."""

    def made(self, signals: torch.Tensor) -> torch.Tensor:
        """Return what the generator makes of them."""


class ClippedAdam(torch.optim.Adam):
    """Adam that keeps every weight within ±clip after each step (Arjovsky et al. 2017, Wasserstein GAN)."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float, clip: float) -> None:
        super().__init__(parameters, rate)
        self._clip = clip

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step, and cut what passes the limit."""
        loss: float | None = super().step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.clamp_(-self._clip, self._clip)
        return loss


def enhancer_turns(players: Players) -> list[Turn]:
    """Return the turns of a configuration, in order."""
    turns: list[Turn] = []
    if players.autoencoder is not None:
        turns += _autoencoder_turns(players, players.autoencoder)
    if players.critic is not None:
        turns.append(_critic_turn(players, players.critic))
    return [*turns, _generator_turn(players)]


def _adam(config: EnhancerConfig) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
    return lambda parameters: torch.optim.Adam(parameters, config.rate)


def _pair(players: Players, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and targets as the networks see them, both at the level of the inputs."""
    if batch.targets is None:
        raise TypeError("an enhancer is fed with pairs")
    given = players.seen(batch.clips)
    return given.signals, players.seen(batch.targets, given.scale).signals


def _autoencoder_turns(players: Players, autoencoder: Autoencoder) -> list[Turn]:
    """Return the turns in which the autoencoder learns to give sounds back.

    Inputs and targets take turns, as published; a classifier must see both at once, or it follows the last ones.
    """
    config, classifier = players.config, players.classifier

    def give_back(signals: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what is lost of signals on their way, and what is seen of them in the middle."""
        with players.autocast():
            seen = autoencoder.bottleneck(signals)
            restored = autoencoder.restored(seen, signals.shape[-1])
        return (restored.to(signals.dtype) - signals).square().mean(), seen.to(signals.dtype)

    def turn(name: str, losses: Callable[[Batch, Draw], Losses], *players: nn.Module) -> Turn:
        return Turn(name, players, losses, _adam(config), active=(0.0, config.begins), schedule=config.rate_factor)

    def one(number: int) -> Callable[[Batch, Draw], Losses]:
        return lambda batch, _draw: {"time": give_back(_pair(players, batch)[number])[0]}

    if classifier is None:
        return [turn("autoencoder-inputs", one(0), autoencoder), turn("autoencoder-targets", one(1), autoencoder)]

    def both(batch: Batch, _draw: Draw) -> Losses:
        lost, seen = zip(*map(give_back, _pair(players, batch)), strict=True)
        odds = classifier(torch.cat(seen))
        truth = torch.arange(2, device=odds.device, dtype=odds.dtype).repeat_interleave(len(seen[0]))
        told = binary_cross_entropy_with_logits(odds, truth)
        return {"inputs": lost[0], "targets": lost[1], "class": config.classifier_weight * told}

    return [turn("autoencoder", both, autoencoder, classifier)]


def _critic_turn(players: Players, critic: Critic) -> Turn:
    config = players.config

    def criticise(batch: Batch, draw: Draw) -> Losses:
        given, real = _pair(players, batch)
        with torch.no_grad():
            made = players.made(given)
        verdicts = _verdicts(players, critic, real), _verdicts(players, critic, made)
        if config.adversary in {"plain", "non-saturating"}:
            return {"odds": odds_critic(*verdicts)}
        losses = {"wasserstein": wasserstein_critic(*verdicts)}
        if config.adversary == "gradient-penalty":
            share = draw.uniform().repeat_interleave(len(real) // draw.count)
            losses["penalty"] = config.penalty_weight * gradient_penalty(critic, real, made, share)
        return losses

    def optimiser(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        is_clipped = config.adversary == "weight-clipping"
        return ClippedAdam(parameters, config.rate, config.clip) if is_clipped else _adam(config)(parameters)

    return Turn(
        "critic", (critic,), criticise, optimiser, config.critic_steps, (config.begins, 1.0), config.rate_factor
    )


def _generator_turn(players: Players) -> Turn:
    config, critic, autoencoder = players.config, players.critic, players.autoencoder

    def convert(batch: Batch, _draw: Draw) -> Losses:
        given, real = _pair(players, batch)
        made = players.made(given)
        losses: dict[str, torch.Tensor] = {}
        if "time" in config.loss:
            losses["time"] = (made - real).square().mean()
        if "frequency" in config.loss:
            losses["frequency"] = config.frequency_weight * players.power_distance(made, real)
        if "log-spectral" in config.loss:
            losses["log-spectral"] = config.log_spectral_weight * players.log_distance(made, real)
        if autoencoder is not None:
            with players.autocast():
                ours, theirs = autoencoder.bottleneck(made), autoencoder.bottleneck(real)
            distance = (ours.to(made.dtype) - theirs.to(made.dtype)).square().mean()
            losses["autoencoder"] = config.autoencoder_weight * distance
        if critic is not None:
            verdicts = _verdicts(players, critic, made)
            losses["adversarial"] = config.adversarial_weight * _WISHES[config.adversary](verdicts)
        return losses

    def optimiser(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        linear = players.generator.filter
        own = [] if linear is None else [linear.taps]
        others = [parameter for parameter in parameters if all(parameter is not one for one in own)]
        groups: list[dict[str, Any]] = [{"params": others}, {"params": own, "lr": config.rate * config.filter_rate}]
        return torch.optim.Adam([group for group in groups if group["params"]], config.rate)

    return Turn(
        "generator",
        (players.generator,),
        convert,
        optimiser,
        active=(config.begins, 1.0),
        schedule=config.rate_factor,
    )


def _wished(verdicts: torch.Tensor) -> torch.Tensor:
    return -verdicts.mean()


# What the generator minimises of the critic's verdicts.
_WISHES: dict[str, Adversary] = {
    "gradient-penalty": _wished,
    "weight-clipping": _wished,
    "plain": saturating,
    "non-saturating": non_saturating,
}


def _verdicts(players: Players, critic: Critic, signals: torch.Tensor) -> torch.Tensor:
    with players.autocast():
        verdicts = critic(signals)
    return torch.as_tensor(verdicts.to(signals.dtype))
