"""What the networks of ``drum-classifier`` look at: a clip's wave, its mel bands, or both."""

from collections.abc import Callable

import torch

from stereokit.models.drum_classifier._best import FromPicturesAndStatistics
from stereokit.models.drum_classifier.config import DrumClassifierConfig
from stereokit.models.drum_classifier.looker import FittedLooker, Looker
from stereokit.models.drum_classifier.outside import Cnn14Classifier, ResNetClassifier
from stereokit.nets.classifier import FeatureClassifier, LabelHead, WaveFeatures
from stereokit.nets.kernel_machine import KernelMachine
from stereokit.nets.placed_features import PlacedFeatures
from stereokit.representations._cepstra import CepstralStatistics
from stereokit.representations._level_pictures import LevelPictures
from stereokit.representations._mid_side import to_mid_side
from stereokit.training.draw import Draw


class FromStatistics(FittedLooker):
    """Statistics of cepstral coefficients, and a kernel machine."""

    def __init__(self, config: DrumClassifierConfig) -> None:
        super().__init__()
        self.statistics = CepstralStatistics(
            sample_rate=config.sample_rate, window=config.window, hop=config.hop, bands=config.bands
        )
        anchors = min(config.anchors, sum(config.label_counts))
        self.machine = KernelMachine(self.statistics.width, labels=len(config.labels), anchors=anchors)

    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the statistics (B, width)."""
        return (self.statistics(to_mid_side(clips)[:, :1]),)

    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, and the standardised statistics as embedding."""
        logits, embedding = self.machine(*views)
        return logits, embedding

    def facts(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the statistics."""
        return self.views(clips)[0]

    def fit(self, facts: torch.Tensor, truth: torch.Tensor, draw: Draw) -> None:
        """Let the machine learn from all training clips."""
        order = draw.of(range(len(truth))).uniform().argsort()
        self.machine.fit(facts, truth, order.to(facts.device))


class FromScratch(Looker):
    """Small convolutional networks of the wave, of mel bands, or of both."""

    def __init__(self, config: DrumClassifierConfig, *, is_wave: bool, is_picture: bool) -> None:
        super().__init__()
        channels = 2 if config.channels == "mid-side" else 1
        branches: list[WaveFeatures | PlacedFeatures] = []
        if is_wave:
            branches.append(WaveFeatures(channels, config.width))
        if is_picture:
            size = (config.bands, config.frames // config.hop + 1)
            branches.append(PlacedFeatures(channels, config.width, size=size))

        def head(features: int) -> LabelHead:
            return LabelHead(features, hidden=config.hidden, labels=len(config.labels), dropout=config.dropout)

        self.classifier = FeatureClassifier(branches, head)
        self._channels, self._is_wave = channels, is_wave
        self.pictures = (
            LevelPictures(sample_rate=config.sample_rate, window=config.window, hop=config.hop, bands=config.bands)
            if is_picture
            else None
        )

    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the wave (B, C, T), the picture (B, C, F, frames), or both."""
        waves = to_mid_side(clips)[:, : self._channels]
        views = [waves] if self._is_wave else []
        if self.pictures is not None:
            views.append(self.pictures(waves))
        return tuple(views)

    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and embeddings of the views."""
        logits, embedding = self.classifier(*views)
        return logits, embedding


def _raw(config: DrumClassifierConfig) -> Looker:
    return FromScratch(config, is_wave=True, is_picture=False)


def _spec(config: DrumClassifierConfig) -> Looker:
    return FromScratch(config, is_wave=False, is_picture=True)


def _raw_spec(config: DrumClassifierConfig) -> Looker:
    return FromScratch(config, is_wave=True, is_picture=True)


NETWORKS: dict[str, Callable[[DrumClassifierConfig], Looker]] = {
    "raw": _raw,
    "spec": _spec,
    "raw-spec": _raw_spec,
    "mfcc": FromStatistics,
    "pictures-statistics": FromPicturesAndStatistics,
    "resnet50": ResNetClassifier,
    "resnest50": ResNetClassifier,
    "cnn14": Cnn14Classifier,
    "cnn14-dla": Cnn14Classifier,
}
