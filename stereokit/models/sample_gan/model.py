"""The model of ``sample-gan``: clips to pictures, pictures learned, pictures to clips."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from stereokit.models.sample_gan.config import SIZE, SampleGanConfig
from stereokit.models.sample_gan.nets import ConvolutionalGenerator, Critic, Generator, LowRankGenerator
from stereokit.models.sample_gan.recipes import RECIPES
from stereokit.nets.augmentation import varied
from stereokit.representations._form import Representation
from stereokit.representations.own_range_pictures import OwnRangePictures
from stereokit.representations.stereo_pictures import StereoPictures
from stereokit.training.draw import Draw
from stereokit.training.reservoir import reservoir
from stereokit.training.trainer import Model as TrainedModel
from stereokit.training.turn import Batch, Turn

# Clips whose pictures are made at once while adapting.
_PART = 32


class Model(TrainedModel):
    """A generator and a critic of stereo pictures, with the representation between pictures and clips.

    Raises
    ------
    UsageError
        By the configuration, for values that do not go together.
    """

    def __init__(self, config: SampleGanConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = config.frames
        # its constants are computed, even where weights are only declared (on torch's meta device)
        with torch.device("cpu"):
            self.representation: Representation = _representation(config)
        channels = self.representation.shape[0]
        self.generator: Generator = (
            LowRankGenerator(config.latent, config.channels, bank=config.bank)
            if config.generator == "low-rank"
            else ConvolutionalGenerator(config.latent, channels, dropout=config.dropout)
        )
        self.critic = Critic(channels, config)
        # as printed, whatever the training ends with is kept
        self.is_chosen_by_score = config.recipe != "published"

    def turns(self) -> list[Turn]:
        """Return the turns of the configuration's recipe."""
        return RECIPES[self.config.recipe](self)

    def forward_statistics(self, batch: Batch, draw: Draw) -> object:
        """Send latents through the generator, whose batch norms sampling needs."""
        return self.generator.make(draw)

    @torch.no_grad()
    def adapt(self, clips: Iterator[torch.Tensor], draw: Draw, labels: torch.Tensor | None = None) -> None:
        """Show the generator the training clips' pictures, varied where the recipe varies them."""
        if self.config.recipe == "published":
            return
        device = next(self.parameters()).device
        kept = reservoir(clips, self.config.bank, draw)
        parts = []
        for first in range(0, self.config.bank, _PART):
            numbers = torch.arange(first, min(first + _PART, self.config.bank))
            items = kept[numbers % len(kept)]
            if self.config.varies_clips:
                changed = varied(items, self.sample_rate, draw.of(numbers.tolist()).uniform)
                # the first time round a clip is shown as it is
                items = torch.where((numbers < len(kept))[:, None, None], items, changed)
            parts.append(self.representation.encode(items.to(device)))
        self.generator.fit(torch.cat(parts))

    def sample(self, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return clips, float32 (B, 2, T), full scale ±1, one for each item of the draw; there are no conditions."""
        return self.decode(self.latents(draw), draw)

    def latents(self, draw: Draw) -> torch.Tensor:
        """Return standard normal numbers, (draw.count, latent)."""
        return draw.normal(self.config.latent)

    def decode(self, latents: torch.Tensor, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the clips (B, 2, T) of latents (B, latent); there are no conditions."""
        return self.representation.decode(self.generator.paint(latents, draw), draw.uniform)

    def verdict(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return how real clips (B, 2, T) are, (B,); a critic with batch norm compares them with each other."""
        with _batch_statistics(self.critic):
            verdicts: torch.Tensor = self.critic(self.representation.encode(wave))
        return verdicts

    def compilable(self) -> dict[str, nn.Module]:
        """Return the generator's networks, which are called one by one; the critic's slope is differentiated twice."""
        parts = self.generator.named_children()
        return {f"generator.{name}": part for name, part in parts if not isinstance(part, nn.ModuleList)}


@contextlib.contextmanager
def _batch_statistics(module: nn.Module) -> Iterator[None]:
    """Let batch norms go by the batch, and not by what they remember, which stays as it is."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    before = [(norm.training, norm.track_running_stats) for norm in norms]
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        yield
    finally:
        for norm, (training, track) in zip(norms, before, strict=True):
            norm.training, norm.track_running_stats = training, track


def _representation(config: SampleGanConfig) -> Representation:
    if config.channels == "own-range":
        return OwnRangePictures(
            samples=config.frames, sample_rate=config.sample_rate, size=SIZE, window=config.window, beta=config.beta
        )
    return StereoPictures(
        samples=config.frames,
        sample_rate=config.sample_rate,
        size=SIZE,
        window=config.window,
        beta=config.beta,
        channels=config.channels,
        frequency=config.frequency,
        floor_db=config.floor_db,
        iterations=config.iterations,
    )
