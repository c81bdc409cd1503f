"""What models that exchange genres learn from: each genre's own sounds given back, and maps that do not tell genres."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from stereokit.losses.adversarial import real_slope
from stereokit.losses.classic_adversarial import non_saturating, odds_critic
from stereokit.losses.domains import apartness, domain_penalty
from stereokit.losses.reversal import gradient_reversed
from stereokit.models._genre_exchange import GenreExchange
from stereokit.nets.map_critics import PictureCritic
from stereokit.nets.picture_coder import Coded, RecurrentDecoder, disagreement
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, Losses, Turn

_BETAS = (0.5, 0.9)
# Of the slope of the pictures' critic at real ones.
_SLOPE_WEIGHT = 1.0


def exchange_turns(model: GenreExchange) -> list[Turn]:
    """Return the turns of a configuration's game."""
    config = model.config
    everyone = (model.coders, *(critic for critic in (model.critic,) if critic is not None and _is_reversed(model)))
    turns = [Turn("exchange", everyone, _exchange(model), _adam(config.rate))]
    critics = [critic for critic in (model.look, None if _is_reversed(model) else model.critic) if critic is not None]
    if critics:
        turns.insert(
            0, Turn("critics", tuple(critics), _judge(model), _adam(config.critic_rate), repeats=config.critic_steps)
        )
    return turns


def _is_reversed(model: GenreExchange) -> bool:
    return model.config.game == "reversed"


def _adam(rate: float) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
    return lambda parameters: torch.optim.Adam(parameters, rate, betas=_BETAS)


def _by_genre(model: GenreExchange, batch: Batch) -> list[tuple[int, torch.Tensor]]:
    """Return the genres that are there, with the pictures of each."""
    labels = _labels(batch)
    pictures = model.representation.encode(batch.clips)
    return [(genre, pictures[labels == genre]) for genre in range(len(model.coders)) if (labels == genre).any()]


def _labels(batch: Batch) -> torch.Tensor:
    if batch.labels is None:
        raise TypeError("genres are exchanged between labelled clips")
    return batch.labels


def _maps(groups: list[tuple[int, Coded]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the maps of all groups, and the genre of each."""
    labels = [coded.map.new_full((len(coded.map),), genre, dtype=torch.long) for genre, coded in groups]
    # the penalty takes slopes of slopes: in full
    return torch.cat([coded.map for _, coded in groups]).float(), torch.cat(labels)


def _next(model: GenreExchange, genre: int) -> int:
    return (genre + 1) % len(model.coders)


def _exchange(model: GenreExchange) -> Callable[[Batch, Draw], Losses]:
    config = model.config

    def exchange(batch: Batch, draw: Draw) -> Losses:
        passes = [_passed(model, genre, pictures) for genre, pictures in _by_genre(model, batch)]
        losses = {"reconstruction": torch.cat([_errors(model, one.made - one.pictures) for one in passes]).mean()}
        if model.critic is not None and _is_reversed(model):
            maps, labels = _maps([(one.genre, one.coded) for one in passes])
            losses["critic"] = -config.critic_weight * apartness(model.critic(gradient_reversed(maps)), labels)
            penalty = domain_penalty(model.critic, maps.detach(), labels, draw.uniform())
            losses["penalty"] = config.penalty_weight * penalty
        elif model.critic is not None:
            maps, labels = _maps([(one.genre, one.coded) for one in passes])
            losses["apartness"] = config.critic_weight * apartness(model.critic(maps), labels)
        for name, weight, term in (
            ("look", config.look_weight, _looks),
            ("cycle", config.cycle_weight, _returns),
            ("agreement", config.agreement_weight, _agrees),
        ):
            if weight > 0.0:
                losses[name] = weight * torch.stack([term(model, one) for one in passes]).mean()
        return losses

    return exchange


@dataclass(frozen=True)
class _Pass:
    """A genre's pictures on their way.

    Attributes
    ----------
    genre, pictures
        Its number, and what came.
    coded, made
        What its encoder made of them, and its decoder of that.
    target, translated
        Another genre, and what that one's decoder made of it; None where nothing learns from it.
    """

    genre: int
    pictures: torch.Tensor
    coded: Coded
    made: torch.Tensor
    target: int
    translated: torch.Tensor | None


def _passed(model: GenreExchange, genre: int, pictures: torch.Tensor) -> _Pass:
    coded, made = model.reconstructed(pictures, genre)
    model.remember(coded, genre)
    is_translated = model.config.look_weight > 0.0 or model.config.cycle_weight > 0.0
    target = _next(model, genre)
    return _Pass(genre, pictures, coded, made, target, model.exchanged(coded, target) if is_translated else None)


def _looks(model: GenreExchange, one: _Pass) -> torch.Tensor:
    """Return how little a translation looks like its genre."""
    assert model.look is not None  # noqa: S101 - its weight is not 0
    assert one.translated is not None  # noqa: S101
    return non_saturating(model.look(one.translated)[:, one.target])


def _returns(model: GenreExchange, one: _Pass) -> torch.Tensor:
    """Return how far the map of a translation lies from that of its source."""
    assert one.translated is not None  # noqa: S101 - the term's weight is not 0
    again = model.coded(one.translated, one.target).map
    return torch.as_tensor((again - one.coded.map.detach()).abs().mean())


def _agrees(model: GenreExchange, one: _Pass) -> torch.Tensor:
    """Return how much the patches of a recurrent decoder differ where they overlap."""
    coder = model.coder(one.genre)
    assert isinstance(coder.decoder, RecurrentDecoder)  # noqa: S101 - the configuration says so
    return disagreement(coder.decoder.patches(coder.mannered(one.coded.map, coder.manner(one.coded))))


def _judge(model: GenreExchange) -> Callable[[Batch, Draw], Losses]:
    config = model.config

    def judge(batch: Batch, draw: Draw) -> Losses:
        groups = _by_genre(model, batch)
        with torch.no_grad():
            maps_of = [(genre, model.coded(pictures, genre)) for genre, pictures in groups]
        losses: dict[str, torch.Tensor] = {}
        if model.look is not None:
            shown = [(genre, pictures, coded) for (genre, pictures), (_, coded) in zip(groups, maps_of, strict=True)]
            odds, slopes = zip(*(_odds(model, model.look, *one) for one in shown), strict=True)
            losses["odds"] = torch.stack(odds).mean()
            losses["slope"] = _SLOPE_WEIGHT * torch.stack(slopes).mean()
        if model.critic is not None and not _is_reversed(model):
            maps, labels = _maps(maps_of)
            losses["apartness"] = -apartness(model.critic(maps), labels)
            losses["penalty"] = config.penalty_weight * domain_penalty(model.critic, maps, labels, draw.uniform())
        return losses

    return judge


def _odds(
    model: GenreExchange, look: PictureCritic, genre: int, pictures: torch.Tensor, coded: Coded
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the critic of pictures minimises: its error about a genre's own and others' pictures, its slope."""
    target = _next(model, genre)
    with torch.no_grad():
        translated = model.exchanged(coded, target)
    odds = odds_critic(look(pictures)[:, genre], look(translated)[:, target])
    return odds, real_slope(lambda shown: look(shown)[:, genre], pictures)


def _errors(model: GenreExchange, difference: torch.Tensor) -> torch.Tensor:
    """Return each item's error, (B,)."""
    size = difference.abs() if model.config.distance == "l1" else difference.square()
    flat = size.flatten(1)
    return torch.as_tensor(flat.sum(1) if model.config.total == "sum" else flat.mean(1))
