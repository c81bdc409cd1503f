"""Variational autoencoders of waves: what families of them share once their settings are known."""

import math
from collections.abc import Iterator

import torch
from torch import nn

from stereokit.losses.spectral import SpectralDistance
from stereokit.models._waveform_vae_config import WaveformVaeConfig
from stereokit.nets.latent_flow import LatentFlow
from stereokit.nets.wave_coder import CoderForm, FrameDecoder, WaveEncoder
from stereokit.nets.wave_endings import Ending, SpectralEnding, TransposedEnding
from stereokit.representations._mid_side import from_mid_side, to_mid_side
from stereokit.training.draw import Draw
from stereokit.training.reservoir import reservoir
from stereokit.training.trainer import Model as TrainedModel

# Clips whose mean levels decoders start from.
_SHOWN = 256
# Log variances of posteriors.
_LEAST, _MOST = -14.0, 6.0
_FADE_S = 0.010


class Decoder(nn.Module):
    """Latents to waves: hidden frames, then an ending."""

    def __init__(self, form: CoderForm, config: WaveformVaeConfig) -> None:
        super().__init__()
        is_transposed = config.ending == "transposed"
        self.frames = FrameDecoder(form, config.latent + len(config.labels), is_transposed=is_transposed)
        self.ending: Ending = (
            TransposedEnding(form) if is_transposed else SpectralEnding(form, config.bands, has_noise=config.has_noise)
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what ``ending.waves`` takes, of latents and what else is known, (B, inputs)."""
        return torch.as_tensor(self.ending(self.frames(inputs)))


class WaveformVae(TrainedModel):
    """Encoder, decoder and prior, without the turns in which they learn.

    Raises
    ------
    UsageError
        By the configuration, for values that do not go together.
    """

    warmth: torch.Tensor

    def __init__(self, config: WaveformVaeConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = config.frames
        form = CoderForm(
            samples=config.frames,
            window=config.window,
            hop=config.hop,
            widths=config.widths,
            strides=config.strides,
            kernel=config.kernel,
            is_normed=config.is_normed,
        )
        self.encoder = WaveEncoder(form, config.latent, is_spectral=config.front == "spectrum")
        with torch.no_grad():
            self.encoder.last.bias[config.latent :] += 2.0 * math.log(config.first_deviation)
        self.decoder = Decoder(form, config)
        has_prior = config.prior != "normal"
        self.prior = (
            LatentFlow(config.latent, len(config.labels), is_bent=config.prior == "bent") if has_prior else None
        )
        self.distance = SpectralDistance(
            sizes=config.sizes, hops=config.hops, windows=config.windows, form=config.form, epsilon=config.epsilon
        )
        self.register_buffer("warmth", torch.tensor(0.0 if config.warm_up else 1.0, dtype=torch.float32))

    def advance(self, progress: float) -> None:
        """Let the divergence count more, until the warm-up is over."""
        warm_up = self.config.warm_up
        self.warmth.fill_(min(progress / warm_up, 1.0) if warm_up else 1.0)

    @torch.no_grad()
    def adapt(self, clips: Iterator[torch.Tensor], draw: Draw, labels: torch.Tensor | None = None) -> None:
        """Let the ending start from training clips."""
        shown = reservoir(clips, _SHOWN, draw)
        self.decoder.ending.fit(self.seen(shown.to(self.warmth.device)))

    def seen(self, clips: torch.Tensor) -> torch.Tensor:
        """Return clips (B, 2, T) as the networks see them."""
        return to_mid_side(clips) if self.config.channels == "mid-side" else clips

    def posterior(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean and the log variance of each latent number of clips (B, 2, T)."""
        with self.autocast():
            found = self.encoder(self.seen(clips))
        mean, log_variance = found.to(clips.dtype).chunk(2, dim=1)
        return mean, log_variance.clamp(_LEAST, _MOST)

    def numbers(self, inner: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return what the ending makes waves of, from latents in the encoder's terms and what is known, in full."""
        with self.autocast():
            numbers: torch.Tensor = self.decoder(torch.cat([inner, known], dim=1))
        return numbers.to(inner.dtype)

    def clips(self, numbers: torch.Tensor, draw: Draw, items: slice = slice(None)) -> torch.Tensor:
        """Return clips (B, 2, T), left and right; their noise is that of these items of the draw."""
        ending = self.decoder.ending
        noise = draw.uniform(*ending.noise_shape)[items] if ending.noise_shape else None
        waves = ending.waves(numbers, noise)
        return from_mid_side(waves) if self.config.channels == "mid-side" else waves

    def known(self, labels: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
        """Return what is known of each item of ``like``, (B, labels): its label, or how frequent each label is."""
        counts = torch.tensor(self.config.label_counts, dtype=like.dtype, device=like.device)
        if labels is None or not len(counts):
            return (counts / counts.sum()).expand(len(like), -1) if len(counts) else like.new_zeros(len(like), 0)
        return nn.functional.one_hot(labels, len(counts)).to(like.dtype)

    def drawn_labels(self, draw: Draw) -> torch.Tensor | None:
        """Return a class for each item of the draw, as often as training clips have it; None without labels."""
        counts = torch.tensor(self.config.label_counts)
        if not len(counts):
            return None
        ends = counts.double().cumsum(0)
        places = draw.uniform().double().cpu() * ends[-1]
        return torch.searchsorted(ends, places, right=True).clamp_max(len(counts) - 1).to(self.warmth.device)

    def inner(self, latents: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return standard normal latents in the encoder's terms."""
        return latents if self.prior is None else self.prior.inverse(latents, known)

    def latents(self, draw: Draw) -> torch.Tensor:
        """Return standard normal numbers, (draw.count, latent)."""
        return draw.normal(self.config.latent)

    def decode(self, latents: torch.Tensor, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return clips (B, 2, T) of latents (B, latent), with the labels asked for, or drawn where none are."""
        known = self.known(self.drawn_labels(draw) if condition is None else condition, latents)
        return self._faded(self.clips(self.numbers(self.inner(latents, known), known), draw))

    def sample(self, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return clips, float32 (B, 2, T), full scale ±1, one for each item of the draw."""
        return self.decode(self.latents(draw), draw, condition)

    def encode(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the likeliest latents, (B, latent), of clips (B, 2, T)."""
        mean, _ = self.posterior(wave)
        return mean if self.prior is None else torch.as_tensor(self.prior(mean, self.known(condition, mean)))

    def compilable(self) -> dict[str, nn.Module]:
        """Return both networks; none is differentiated twice."""
        return {"encoder": self.encoder, "decoder.frames": self.decoder.frames}

    def _faded(self, clips: torch.Tensor) -> torch.Tensor:
        """Let clips end in silence, over 10 ms."""
        count = min(max(round(_FADE_S * self.sample_rate), 1), self.frames)
        falling = torch.linspace(0.0, torch.pi / 2.0, count, device=clips.device, dtype=clips.dtype).cos()
        # the cosine of a quarter turn is not quite 0
        falling[-1] = 0.0
        return torch.cat([clips[..., :-count], clips[..., -count:] * falling], dim=-1)
