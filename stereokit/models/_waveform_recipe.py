"""What variational autoencoders of waves learn from: their reconstructions, what their latents say, and a prior."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from stereokit.losses.spectral import difference, spectral_energy
from stereokit.losses.variational import divergence, drawn, freed
from stereokit.models._waveform_vae import WaveformVae
from stereokit.models._waveform_vae_config import WaveformVaeConfig
from stereokit.representations._mid_side import to_mid_side
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, Losses, Turn

# Latents drawn of each clip's posterior for a step of the prior.
_PRIOR_DRAWS = 4


@dataclass(frozen=True)
class Reconstruction:
    """Clips once through encoder and decoder.

    Attributes
    ----------
    mean, log_variance
        Of the posteriors, (B, latent).
    numbers
        What the ending makes waves of.
    clips
        (B, 2, T), left and right.
    """

    mean: torch.Tensor
    log_variance: torch.Tensor
    numbers: torch.Tensor
    clips: torch.Tensor


def reconstructed(model: WaveformVae, batch: Batch, draw: Draw, items: slice = slice(None)) -> Reconstruction:
    """Return the reconstructions of a batch, or of some of its items, from latents drawn of their posteriors."""
    mean, log_variance = model.posterior(batch.clips[items])
    inner = drawn(mean, log_variance, draw.normal(model.config.latent)[items])
    numbers = model.numbers(inner, model.known(batch.labels, batch.clips)[items])
    return Reconstruction(mean, log_variance, numbers, model.clips(numbers, draw, items))


def likeness(model: WaveformVae, batch: Batch, found: Reconstruction, draw: Draw) -> dict[str, torch.Tensor]:
    """Return the weighted losses of reconstructions that need no critic."""
    config, losses = model.config, {}
    real, made = to_mid_side(batch.clips), to_mid_side(found.clips)
    if config.spectral_weight > 0.0:
        wanted, levels = model.distance.levels(real), model.distance.levels(made)
        if config.repulsion > 0.0 and model.decoder.ending.noise_shape:
            # the same sound with other noise
            others = model.distance.levels(to_mid_side(model.clips(found.numbers, draw)))
            distance = spectral_energy((levels, others), wanted, repulsion=config.repulsion)
        else:
            distance = difference(levels, wanted)
        losses["spectra"] = config.spectral_weight * distance
    if config.convergence_weight > 0.0:
        losses["convergence"] = config.convergence_weight * model.distance.convergence(made, real)
    if config.wave_weight > 0.0:
        losses["wave"] = config.wave_weight * (made - real).abs().mean()
    return losses


def surplus(model: WaveformVae, found: Reconstruction) -> torch.Tensor:
    """Return the weighted divergence of a batch's posteriors, as warm as the training has it by now."""
    nats = freed(divergence(found.mean, found.log_variance), model.config.free_nats)
    return model.config.divergence_weight * model.warmth.to(nats) * nats


def autoencoder_turn(model: WaveformVae) -> Turn:
    """Return the turn in which encoder and decoder learn to give sounds back."""

    def reconstruct(batch: Batch, draw: Draw) -> Losses:
        found = reconstructed(model, batch, draw)
        return {**likeness(model, batch, found, draw), "divergence": surplus(model, found)}

    config = model.config
    return Turn("autoencoder", (model.encoder, model.decoder), reconstruct, optimiser(config), schedule=config.falling)


def prior_turns(model: WaveformVae) -> list[Turn]:
    """Return the turn in which the prior learns where the latents of real sounds lie, if there is one."""
    prior, config = model.prior, model.config
    if prior is None:
        return []

    def believe(batch: Batch, draw: Draw) -> Losses:
        with torch.no_grad():
            mean, log_variance = model.posterior(batch.clips)
            known = model.known(batch.labels, mean).repeat_interleave(_PRIOR_DRAWS, dim=0)
            normal = draw.normal(_PRIOR_DRAWS, config.latent)
            latents = drawn(mean[:, None], log_variance[:, None], normal).flatten(0, 1)
        return {"surprise": prior.surprise(latents, known)}

    def adam(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, config.prior_rate)

    return [Turn("prior", (prior,), believe, adam, active=(config.prior_from, 1.0), schedule=config.falling)]


def optimiser(config: WaveformVaeConfig) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
    """Return what makes the optimiser of encoder and decoder."""
    kind = torch.optim.Adam if config.optimiser == "adam" else torch.optim.RMSprop
    return lambda parameters: kind(parameters, config.rate)
