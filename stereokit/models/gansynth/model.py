"""The model of ``gansynth``: clips to pictures, pictures learned, pictures to clips."""

from collections.abc import Iterator

import torch
from torch import nn

from stereokit.models.gansynth.config import GansynthConfig
from stereokit.models.gansynth.growing import Ladder
from stereokit.models.gansynth.nets import Critic, Generator
from stereokit.models.gansynth.recipes import asked_labels, turns
from stereokit.models.gansynth.start import Start
from stereokit.representations.mel_phase import MelPhase
from stereokit.training.draw import Draw
from stereokit.training.reservoir import numbered_reservoir
from stereokit.training.trainer import Model as TrainedModel
from stereokit.training.turn import Turn

# Clips that a generator is shown for mean pictures and for patterns, and those whose pictures are made at once.
_FOR_MEANS, _FOR_PATTERNS, _PART = 512, 2_048, 32


class Model(TrainedModel):
    """A generator and a critic that grow together, with the representation between pictures and clips.

    Raises
    ------
    UsageError
        By the configuration, for values that do not go together.
    """

    growth: torch.Tensor

    def __init__(self, config: GansynthConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = config.frames
        # its constants are computed, even where weights are only declared (on torch's meta device)
        with torch.device("cpu"):
            self.representation = MelPhase(
                samples=config.frames,
                sample_rate=config.sample_rate,
                frames=config.spectra,
                window=config.window,
                hop=config.hop_samples,
                bands=config.mel_bands,
                channels=config.channels,
                angle_degrees=config.angle_degrees,
                form=config.form,
                integral=config.integral,
            )
        self.ladder = Ladder(len(config.widths), config.spectra)
        labels, channels = len(config.labels), self.representation.shape[0]
        self.generator = Generator(
            latent=config.latent,
            labels=labels,
            widths=config.widths,
            channels=channels,
            ladder=self.ladder,
            is_growing=config.growing,
            start=self._start(labels),
        )
        self.critic = Critic(
            labels=labels,
            widths=config.widths,
            channels=channels,
            ladder=self.ladder,
            is_growing=config.growing,
            group=config.group,
        )
        first = 0.0 if config.growing else float(self.ladder.last)
        self.register_buffer("growth", torch.tensor(first, dtype=torch.float32))
        # as published, whatever the training ends with is kept
        self.is_chosen_by_score = not config.stale

    def _start(self, labels: int) -> Start | None:
        if self.config.starts_at == "nothing":
            return None
        latent = self.config.latent if self.config.starts_at == "patterns" else 0
        return Start(labels=labels, latent=latent, shape=self.representation.shape)

    @property
    def grown(self) -> float:
        """How far the networks have grown, 0 to the number of the last resolution."""
        return float(self.growth)

    def advance(self, progress: float) -> None:
        """Grow by the training's progress."""
        if self.config.growing:
            self.growth.fill_(self.ladder.growth(progress, until=self.config.grown_at))

    def turns(self) -> list[Turn]:
        """Return the critic's turn and the generator's."""
        return turns(self)

    @torch.no_grad()
    def adapt(self, clips: Iterator[torch.Tensor], draw: Draw, labels: torch.Tensor | None = None) -> None:
        """Let the generator start near the training pictures."""
        if self.generator.start is None:
            return
        means = self.generator.start.means
        shown = _FOR_PATTERNS if self.generator.start.has_patterns else _FOR_MEANS
        kept, numbers = numbered_reservoir(clips, shown, draw)
        parts = [self.representation.encode(part.to(means.device)) for part in torch.split(kept, _PART)]
        classes = torch.zeros(len(kept), dtype=torch.int64) if labels is None else labels[torch.tensor(numbers)]
        silence = self.representation.encode(torch.zeros(1, 2, self.frames, device=means.device))[0]
        self.generator.fit(torch.cat(parts).to(means.dtype), classes.to(means.device), silence.to(means.dtype))

    def latents(self, draw: Draw) -> torch.Tensor:
        """Return standard normal numbers, (draw.count, latent)."""
        return draw.normal(self.config.latent)

    def decode(self, latents: torch.Tensor, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return clips (B, 2, T) of latents (B, latent), with the labels asked for, or drawn where none are."""
        labels = asked_labels(self.config, draw) if condition is None else condition
        with self.autocast():
            made = self.generator(latents, labels, self.grown)
        return self.representation.decode(self.ladder.raised(made.to(latents.dtype)), draw.uniform)

    def sample(self, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return clips, float32 (B, 2, T), full scale ±1, one for each item of the draw."""
        return self.decode(self.latents(draw), draw, condition)

    def verdict(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return how real clips (B, 2, T) are, (B,), and how surely they are what ``condition`` asks for."""
        growth = self.grown
        pictures = self.ladder.seen_at(self.representation.encode(wave), growth)
        judged = self.critic.judge(pictures, growth, self.critic.usual_deviation.expand(len(wave), 1, 1, 1))
        if condition is None:
            return judged.verdicts
        agreement = judged.labels.log_softmax(1).gather(1, condition[:, None])[:, 0]
        return judged.verdicts + self.config.label_weight * agreement

    def compilable(self) -> dict[str, nn.Module]:
        """Return the generator's blocks; the critic's slope is differentiated twice."""
        return {f"generator.blocks.{number}": block for number, block in enumerate(self.generator.blocks)}
