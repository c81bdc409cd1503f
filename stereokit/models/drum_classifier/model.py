"""The model of ``drum-classifier``: clips to probabilities of labels, and to vectors."""

import math
from collections.abc import Iterator, Mapping

import torch
from torch import nn

from stereokit.errors import BadInputError, UsageError
from stereokit.models.drum_classifier.config import DrumClassifierConfig
from stereokit.models.drum_classifier.looker import FittedLooker
from stereokit.models.drum_classifier.outside import OutsideNetwork
from stereokit.models.drum_classifier.variation import levelled
from stereokit.models.drum_classifier.views import NETWORKS
from stereokit.training.draw import Draw
from stereokit.training.trainer import Model as TrainedModel
from stereokit.training.turn import Batch, Losses, Turn

_WARM_UP = 0.05


class Model(TrainedModel):
    """A network that tells labels; the level of a clip tells it nothing.

    Attributes
    ----------
    temperature
        By which logits are divided, so that of clips told with probability p a share p is right.
    """

    temperature: torch.Tensor
    label_weights: torch.Tensor

    def __init__(self, config: DrumClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = config.frames
        self.net = NETWORKS[config.network](config)
        self.is_chosen_by_score = config.choice == "best"
        self.register_buffer("temperature", torch.ones(()))
        weights = [count**-config.balance for count in config.label_counts]
        shares = sum(weight * count for weight, count in zip(weights, config.label_counts, strict=True))
        mean = shares / sum(config.label_counts)
        with torch.device("cpu"):
            own = torch.tensor([weight / mean for weight in weights])
        self.register_buffer("label_weights", own, persistent=False)

    def turns(self) -> list[Turn]:
        """Return the one turn."""
        config = self.config

        def tell(batch: Batch, draw: Draw) -> Losses:
            clips = levelled(batch.clips)
            truth = self._truth(_required(batch.labels)).to(clips.dtype)
            views, truth = self.net.lesson(clips, truth, draw, config)
            with self.autocast():
                logits = self.net.learn(*views)
            target = truth * (1.0 - config.smoothing) + truth.sum(1, keepdim=True) * config.smoothing / truth.shape[1]
            return {"cross_entropy": -(target * logits.float().log_softmax(1)).sum(1).mean()}

        def optimiser(own: list[nn.Parameter]) -> torch.optim.Optimizer:
            return torch.optim.AdamW(own, config.rate, weight_decay=config.weight_decay)

        return [Turn("net", self.net.players(config), tell, optimiser, schedule=rising_and_falling)]

    def forward_statistics(self, batch: Batch, draw: Draw) -> object:
        """Send clips as they are through the network, for its batch norms."""
        return self._seen(levelled(batch.clips))

    @torch.no_grad()
    def adapt(self, clips: Iterator[torch.Tensor], draw: Draw, labels: torch.Tensor | None = None) -> None:
        """Fit what has a closed form to the training clips."""
        if not isinstance(self.net, FittedLooker):
            return
        device = self.label_weights.device
        facts = torch.cat([self.net.facts(levelled(part.to(device))) for part in clips])
        self.net.fit(facts, self._truth(_required(labels).to(device)), draw)

    def take(self, tensors: Mapping[str, torch.Tensor], source: str) -> None:
        """Begin with weights from outside, all but those of the last part.

        Raises
        ------
        UsageError
            When the network takes none, or not these.
        BadInputError
            For a tensor of another shape, or that is not finite.
        """
        if not isinstance(self.net, OutsideNetwork):
            raise UsageError(f"--weights {source}: network={self.config.network} takes none from outside")
        self.net.take(tensors, source)

    def label(self, wave: torch.Tensor) -> torch.Tensor:
        """Return each label's probability, float32 (B, labels), of clips (B, 2, T), any T.

        Raises
        ------
        BadInputError
            For clips without a sample.
        """
        logits, _ = self._seen(levelled(self.fitted(wave)))
        return (logits.float() / self.temperature.float()).softmax(1)

    def calibrate(self, temperature: float) -> None:
        """Let logits be divided by this from now on."""
        self.temperature.fill_(temperature)

    def embed(self, wave: torch.Tensor) -> torch.Tensor:
        """Return what the labels are told by, float32 (B, width), of clips (B, 2, T), any T.

        Raises
        ------
        BadInputError
            For clips without a sample.
        """
        _, embedding = self._seen(levelled(self.fitted(wave)))
        return embedding.float()

    def fitted(self, wave: torch.Tensor) -> torch.Tensor:
        """Return clips of the model's length: cut at their end, or followed by silence.

        Clips of any length can go together after it, which tells the same of them.

        Raises
        ------
        BadInputError
            For clips without a sample.
        """
        if wave.shape[-1] == 0:
            raise BadInputError("has no samples")
        cut = wave[..., : self.frames]
        return nn.functional.pad(cut, (0, self.frames - cut.shape[-1]))

    def compilable(self) -> dict[str, nn.Module]:
        """Return the network."""
        return {"net": self.net}

    def _seen(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        views = self.net.views(clips)
        with self.autocast():
            logits, embedding = self.net(*views)
        return logits, embedding

    def _truth(self, labels: torch.Tensor) -> torch.Tensor:
        """Return how much clips count for each label, (B, labels), of the numbers of their labels (B,)."""
        truth: torch.Tensor = nn.functional.one_hot(labels, len(self.config.labels)) * self.label_weights
        return truth


def rising_and_falling(progress: float) -> float:
    """Return the factor on the learning rate: up in the first twentieth, then half a cosine down to 0.

    >>> [round(rising_and_falling(one), 3) for one in (0.0, 0.05, 1.0)]
    [0.05, 1.0, 0.0]
    """
    if progress < _WARM_UP:
        return 0.05 + 0.95 * progress / _WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (progress - _WARM_UP) / (1.0 - _WARM_UP))


def _required(labels: torch.Tensor | None) -> torch.Tensor:
    if labels is None:
        raise TypeError("a classifier learns from labels")
    return labels
