"""The model of ``enhancer``."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from stereokit.losses.power_spectra import PowerDistance
from stereokit.losses.spectral import SpectralDistance
from stereokit.models.enhancer.config import EnhancerConfig
from stereokit.models.enhancer.nets import Autoencoder, Classifier, Critic, Generator
from stereokit.models.enhancer.recipes import enhancer_turns
from stereokit.representations._mid_side import from_mid_side, to_mid_side
from stereokit.training.draw import Draw
from stereokit.training.trainer import Model as TrainedModel
from stereokit.training.turn import Turn

# What is under this level is not raised to that of other windows: -80 dB.
_FLOOR = 1e-4
# One of so many clips tells the spectrum of all.
_HEARD = 8
# Of the transforms whose logarithms are compared, for a level of 1.
_SIZES, _HOPS, _WINDOWS, _EPSILON = (512, 2_048, 128), (128, 512, 32), (512, 2_048, 128), 1e-3


@dataclass(frozen=True)
class Seen:
    """Sounds as the networks see them.

    Attributes
    ----------
    signals
        (B, channels, T): mid and side, or left and right, or each of a clip's channels for itself.
    scale
        What they were divided by, (B, 1, 1) of the clips.
    """

    signals: torch.Tensor
    scale: torch.Tensor


class Model(TrainedModel):
    """A generator, and what it learns from."""

    def __init__(self, config: EnhancerConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = config.frames
        self.is_chosen_by_score = config.choice == "best"
        channels = 1 if config.channels == "each" else 2
        self.generator = Generator(channels, config)
        self.critic = Critic(channels, config.frames, config) if "adversarial" in config.loss else None
        self.autoencoder = Autoencoder(channels, config) if "autoencoder" in config.loss else None
        self.classifier: Classifier | None = None
        if self.autoencoder is not None and config.classifier_weight > 0.0:
            self.classifier = Classifier(self.autoencoder.bottleneck_channels)
        self.power_distance = PowerDistance()
        self.log_distance = SpectralDistance(
            sizes=_SIZES, hops=_HOPS, windows=_WINDOWS, form="magnitude", epsilon=_EPSILON
        )

    def adapt(self, clips: Iterator[torch.Tensor], draw: Draw, labels: torch.Tensor | None = None) -> None:
        """Let a linear filter know the spectrum of the inputs."""
        if self.generator.filter is not None:
            # a part of them tells as much
            self.generator.filter.adapt(self.seen(part[::_HEARD]).signals for part in clips)

    def turns(self) -> list[Turn]:
        """Return the turns of autoencoder, critic and generator, as far as there are any."""
        return enhancer_turns(self)

    def seen(self, clips: torch.Tensor, scale: torch.Tensor | None = None) -> Seen:
        """Return clips (B, 2, T) as the networks see them, at a level of 1 or divided by the scale that is given."""
        if scale is None:
            scale = torch.ones_like(clips[:, :1, :1])
            if self.config.level == "matched":
                scale = clips.square().mean((1, 2), keepdim=True).sqrt().clamp_min(_FLOOR)
        signals = clips / scale
        if self.config.channels == "mid-side":
            return Seen(to_mid_side(signals), scale)
        return Seen(signals.flatten(0, 1)[:, None] if self.config.channels == "each" else signals, scale)

    def made(self, signals: torch.Tensor) -> torch.Tensor:
        """Return what the generator makes of signals as the networks see them."""
        with self.autocast():
            made = self.generator(signals)
        return torch.as_tensor(made.to(signals.dtype))

    def convert(self, wave: torch.Tensor) -> torch.Tensor:
        """Return other sounds of sounds (B, 2, T), of the same shape; any T. Silence stays silent."""
        seen = self.seen(wave)
        made = self.made(seen.signals)
        if self.config.channels == "mid-side":
            made = from_mid_side(made)
        # under the floor what is made fades with its input
        level = wave.square().mean((1, 2), keepdim=True).sqrt()
        return made.reshape(wave.shape) * seen.scale * (level / _FLOOR).clamp_max(1.0)

    def compilable(self) -> dict[str, nn.Module]:
        """Return the networks that no penalty differentiates twice."""
        modules: dict[str, nn.Module] = {"generator": self.generator}
        if self.autoencoder is not None:
            modules["autoencoder"] = self.autoencoder
        if self.critic is not None and self.config.adversary != "gradient-penalty":
            modules["critic"] = self.critic
        return modules
