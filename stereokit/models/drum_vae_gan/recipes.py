"""What the players of ``drum-vae-gan`` learn from: spectra and discriminators, together or by turns."""

from dataclasses import dataclass

import torch
from torch import nn

from stereokit.losses.adversarial import least_squares
from stereokit.losses.features import paired_features, unpaired_features
from stereokit.models._waveform_recipe import (
    Reconstruction,
    autoencoder_turn,
    likeness,
    optimiser,
    reconstructed,
    surplus,
)
from stereokit.models.drum_vae_gan.config import DrumVaeGanConfig
from stereokit.models.drum_vae_gan.players import JudgedVae
from stereokit.nets.discriminators._form import Opinion
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, Losses, Turn


@dataclass(frozen=True)
class Shown:
    """What discriminators are shown, cut to the part that is judged.

    Attributes
    ----------
    made, real
        (B, 2, samples) as the networks see them.
    paired
        So many of the made ones, the first, are reconstructions of the real ones with their numbers.
    """

    made: torch.Tensor
    real: torch.Tensor
    paired: int


def judged_turns(model: JudgedVae) -> list[Turn]:
    """Return the turns of autoencoder, decoder and discriminators."""
    settings = model.settings
    if settings.reconstruction == "features":
        return [_critic_turn(model), *_feature_turns(model)]
    if settings.alternation == "apart":
        return [autoencoder_turn(model), _critic_turn(model), _generator_turn(model)]
    return [_critic_turn(model), _joint_turn(model)]


def _critic_turn(model: JudgedVae) -> Turn:
    settings = model.settings

    def criticise(batch: Batch, draw: Draw) -> Losses:
        with torch.no_grad():
            shown = _shown(model, batch, draw)
        ours, theirs = model.opinions(shown.made), model.opinions(shown.real)
        return {
            "real": torch.stack([least_squares(one.verdicts, 1.0) for one in theirs]).mean(),
            "made": torch.stack([least_squares(one.verdicts, 0.0) for one in ours]).mean(),
        }

    def descend(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        if settings.optimiser == "rmsprop":
            return torch.optim.RMSprop(parameters, settings.discriminator_rate)
        return torch.optim.Adam(parameters, settings.discriminator_rate, betas=(0.5, 0.9))

    active = (settings.judged_from, 1.0)
    return Turn("critic", (model.critic,), criticise, descend, active=active, schedule=settings.falling)


def _generator_turn(model: JudgedVae) -> Turn:
    """Return the decoder's turn as a generator."""
    settings = model.settings

    def deceive(batch: Batch, draw: Draw) -> Losses:
        return _deception(model, _shown(model, batch, draw))

    active = (settings.judged_from, 1.0)
    return Turn("generator", (model.decoder,), deceive, optimiser(settings), active=active, schedule=settings.falling)


def _joint_turn(model: JudgedVae) -> Turn:
    """Return the autoencoder's turn, in which discriminators have a say once they judge."""
    settings = model.settings

    def reconstruct(batch: Batch, draw: Draw) -> Losses:
        found = reconstructed(model, batch, draw)
        losses = {**likeness(model, batch, found, draw), "divergence": surplus(model, found)}
        if model.is_judging:
            losses |= _deception(model, _shown(model, batch, draw, found))
        return losses

    players = (model.encoder, model.decoder)
    return Turn("autoencoder", players, reconstruct, optimiser(settings), schedule=settings.falling)


def _feature_turns(model: JudgedVae) -> list[Turn]:
    """Return the turns of encoder and decoder that compare sounds by what discriminators see in them."""
    settings = model.settings

    def describe(batch: Batch, draw: Draw) -> Losses:
        found = reconstructed(model, batch, draw)
        shown = _cut(model.seen(found.clips), model.seen(batch.clips), len(batch.clips), model.settings, draw)
        ours, theirs = model.opinions(shown.made), _unmoved(model, shown.real)
        return {"features": settings.matching_weight * _matched(ours, theirs), "divergence": surplus(model, found)}

    def deceive(batch: Batch, draw: Draw) -> Losses:
        return _deception(model, _shown(model, batch, draw))

    return [
        Turn("encoder", (model.encoder,), describe, optimiser(settings), schedule=settings.falling),
        Turn("generator", (model.decoder,), deceive, optimiser(settings), schedule=settings.falling),
    ]


def _deception(model: JudgedVae, shown: Shown) -> dict[str, torch.Tensor]:
    """Return the weighted losses of a maker before the discriminators."""
    settings = model.settings
    ours = model.opinions(shown.made)
    verdicts = [least_squares(one.verdicts, 1.0) for one in ours]
    losses = {"adversarial": settings.adversarial_weight * torch.stack(verdicts).mean()}
    if settings.matching_weight > 0.0:
        theirs, paired = _unmoved(model, shown.real), shown.paired
        terms = []
        if paired:
            terms.append(_matched(ours, theirs, slice(paired)))
        if paired < len(shown.made):
            terms.append(_resembled(ours, theirs, slice(paired, None)))
        losses["matching"] = settings.matching_weight * torch.stack(terms).mean()
    return losses


def _matched(ours: list[Opinion], theirs: list[Opinion], items: slice = slice(None)) -> torch.Tensor:
    pairs = zip(ours, theirs, strict=True)
    terms = [paired_features(*_of(items, made, real)) for made, real in pairs]
    return torch.stack(terms).mean()


def _resembled(ours: list[Opinion], theirs: list[Opinion], items: slice) -> torch.Tensor:
    terms = [unpaired_features(*_of(items, made, real)) for made, real in zip(ours, theirs, strict=True)]
    return torch.stack(terms).mean()


def _of(items: slice, *opinions: Opinion) -> tuple[list[torch.Tensor], ...]:
    return tuple([feature[items] for feature in opinion.features] for opinion in opinions)


@torch.no_grad()
def _unmoved(model: JudgedVae, waves: torch.Tensor) -> list[Opinion]:
    """Return opinions that nobody learns from."""
    return model.opinions(waves)


def _shown(model: JudgedVae, batch: Batch, draw: Draw, found: Reconstruction | None = None) -> Shown:
    """Return what discriminators are shown of a batch, and of its reconstructions where these are there already."""
    settings, count = model.settings, len(batch.clips)
    paired = {"samples": 0, "reconstructions": count, "both": (count + 1) // 2}[settings.judged]
    parts = []
    if paired:
        ours = reconstructed(model, batch, draw, slice(paired)) if found is None else found
        parts.append(ours.clips[:paired])
    if paired < count:
        others = slice(paired, None)
        known = model.known(batch.labels, batch.clips)[others]
        with torch.no_grad():
            inner = model.inner(model.latents(draw)[others], known)
        parts.append(model.clips(model.numbers(inner, known), draw, others))
    return _cut(model.seen(torch.cat(parts)), model.seen(batch.clips), paired, settings, draw)


def _cut(made: torch.Tensor, real: torch.Tensor, paired: int, settings: DrumVaeGanConfig, draw: Draw) -> Shown:
    """Cut a part of each item at a random place, the same one of made and real items of one number."""
    length = settings.judged_samples
    if length == made.shape[-1]:
        return Shown(made, real, paired)
    starts = draw.integers(made.shape[-1] - length + 1)
    places = (starts[:, None] + torch.arange(length, device=made.device))[:, None].expand(-1, 2, -1)
    return Shown(made.gather(2, places), real.gather(2, places), paired)
