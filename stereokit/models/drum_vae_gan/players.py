"""The players of ``drum-vae-gan``: an autoencoder of waves and discriminators."""

import torch
from torch import nn

from stereokit.models._waveform_vae import WaveformVae
from stereokit.models.drum_vae_gan.config import DrumVaeGanConfig
from stereokit.nets.discriminators._form import Discriminator, Opinion
from stereokit.nets.discriminators.multi_period import MultiPeriod
from stereokit.nets.discriminators.multi_scale import MultiScale
from stereokit.nets.discriminators.patch import Patch
from stereokit.nets.discriminators.phase_shuffle import PhaseShuffle

_VIEWS: dict[str, type[Discriminator]] = {
    "multi-scale": MultiScale,
    "multi-period": MultiPeriod,
    "patch": Patch,
    "phase-shuffle": PhaseShuffle,
}


class Critic(nn.Module):
    """The chosen discriminators."""

    def __init__(self, names: tuple[str, ...], width: int) -> None:
        super().__init__()
        self.views = nn.ModuleList(_VIEWS[name](width) for name in names)

    def forward(self, waves: torch.Tensor) -> list[Opinion]:
        """Return all opinions on waves (B, 2, T)."""
        return [opinion for view in self.views for opinion in view(waves)]


class JudgedVae(WaveformVae):
    """Encoder, decoder, prior and discriminators of waves, without the turns in which they learn."""

    is_judging: torch.Tensor

    def __init__(self, config: DrumVaeGanConfig) -> None:
        super().__init__(config)
        self.settings = config
        self.critic = Critic(config.discriminators, config.discriminator_width)
        # as published, whatever the training ends with is kept
        self.is_chosen_by_score = config.prior != "normal"
        self.register_buffer("is_judging", torch.tensor(float(config.judged_from == 0.0), dtype=torch.float32))

    def advance(self, progress: float) -> None:
        """Let the divergence warm up, and the discriminators begin."""
        super().advance(progress)
        self.is_judging.fill_(float(progress >= self.settings.judged_from))

    def opinions(self, waves: torch.Tensor) -> list[Opinion]:
        """Return what the discriminators say of waves (B, 2, T) as the networks see them, in full precision."""
        with self.autocast():
            found: list[Opinion] = self.critic(waves)
        return [
            Opinion(one.verdicts.to(waves.dtype), tuple(feature.to(waves.dtype) for feature in one.features))
            for one in found
        ]

    def verdict(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return how real clips (B, 2, T) are, (B,), all discriminators counting the same; labels do not matter."""
        means = [opinion.verdicts.mean(1) for opinion in self.opinions(self.seen(wave))]
        return torch.stack(means).mean(0)

    def compilable(self) -> dict[str, nn.Module]:
        """Return all networks; none is differentiated twice."""
        return {**super().compilable(), "critic": self.critic}
