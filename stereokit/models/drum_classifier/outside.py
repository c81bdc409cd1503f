"""Networks that may begin with weights from outside: CNN14 of PANNs, and ResNets made for pictures."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from stereokit.errors import BadInputError, MissingError, UsageError
from stereokit.models.drum_classifier.config import DrumClassifierConfig
from stereokit.models.drum_classifier.looker import Looker
from stereokit.nets.cnn14 import Cnn14
from stereokit.nets.frozen import freeze_norms
from stereokit.representations._level_pictures import LevelPictures
from stereokit.representations._mid_side import to_mid_side

# timm's names.
_RESNETS = {"resnet50": "resnet50", "resnest50": "resnest50d"}
# What a published network can be imported as -> its tensor with a row a label.
PUBLISHED = {
    "cnn14": "fc_audioset.weight",
    "cnn14-dla": "att_block.cla.weight",
    "resnet50": "fc.weight",
    "resnest50": "fc.weight",
}
# How many windows' lengths the short one's goes into.
_SHORTER = 4


class OutsideNetwork(Looker):
    """A published network, whose last part is made anew for the data's labels.

    Attributes
    ----------
    network
        With parameters under the published names.
    head
        Its part that depends on the labels.
    """

    network: nn.Module
    head: str

    def _settle(self, config: DrumClassifierConfig) -> None:
        self.network = published(config.network, len(config.labels), dropout=config.dropout)
        self.head = PUBLISHED[config.network].partition(".")[0]
        if config.freeze == "base":
            freeze_norms(self.network, but=(self.head,))

    def players(self, config: DrumClassifierConfig) -> tuple[nn.Module, ...]:
        """Return the whole network, or only its head while the base is frozen."""
        return (self.network.get_submodule(self.head),) if config.freeze == "base" else (self,)

    def take(self, tensors: Mapping[str, torch.Tensor], source: str) -> None:
        """Take published weights, all but those of the head.

        Raises
        ------
        UsageError
            For tensors of another network.
        BadInputError
            For a tensor of another shape, or that is not finite.
        """
        wanted = {name: tensor for name, tensor in self.network.state_dict().items() if not self._is_of_head(name)}
        given = {name: tensor for name, tensor in tensors.items() if not self._is_of_head(name)}
        if odd := sorted(wanted.keys() ^ given.keys()):
            state = "lacks" if odd[0] in wanted else "holds"
            raise UsageError(f"--weights {source}: {state} {odd[0]}: it is of another network than this preset's")
        for name, tensor in given.items():
            if tensor.shape != wanted[name].shape:
                raise BadInputError(
                    f"{source}: {name} has shape {tuple(tensor.shape)}, not {tuple(wanted[name].shape)}"
                )
            if not tensor.isfinite().all():
                raise BadInputError(f"{source}: {name} holds NaN or infinity")
        self.network.load_state_dict(given, strict=False)

    def _is_of_head(self, name: str) -> bool:
        return name.partition(".")[0] == self.head

    @abstractmethod
    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what the network looks at."""


class Cnn14Classifier(OutsideNetwork):
    """CNN14 on the mean of left and right."""

    def __init__(self, config: DrumClassifierConfig) -> None:
        super().__init__()
        self._settle(config)

    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return pictures (B, 1, frames, 64) of the mean of left and right."""
        network: Any = self.network
        return (network.pictures(clips.mean(1)),)

    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and embeddings of the pictures."""
        logits, embedding = self.network(*views)
        return logits, embedding


class ResNetClassifier(OutsideNetwork):
    """A ResNet on pictures of three planes: mel bands of mid, those of side, and those of mid in a shorter window."""

    def __init__(self, config: DrumClassifierConfig) -> None:
        super().__init__()
        self._settle(config)

        def pictures(window: int) -> LevelPictures:
            return LevelPictures(sample_rate=config.sample_rate, window=window, hop=config.hop, bands=config.bands)

        self.long, self.short = pictures(config.window), pictures(config.window // _SHORTER)

    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return pictures (B, 3, bands, frames) of about the spread that photographs have."""
        waves = to_mid_side(clips)
        planes = torch.cat([self.long(waves), self.short(waves[:, :1])], dim=1)
        return (4.0 * planes - 2.0,)

    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and the pooled features, (B, 2048)."""
        network: Any = self.network
        embedding = network.forward_head(network.forward_features(*views), pre_logits=True)
        return network.fc(embedding), embedding


def published(network: str, labels: int, *, dropout: float = 0.5) -> nn.Module:
    """Return a network as its authors published it, with fresh weights.

    Raises
    ------
    MissingError
        When the package is not there that some come from.
    """
    if network.startswith("cnn14"):
        return Cnn14(labels, is_by_frame=network == "cnn14-dla", dropout=dropout)
    try:
        import timm  # noqa: PLC0415 - optional, and slow to load
    except ImportError as error:
        raise MissingError(f"network={network} needs the package timm: pip install 'stereokit[train]'") from error
    made: nn.Module = timm.create_model(_RESNETS[network], pretrained=False, num_classes=labels, drop_rate=dropout)
    return made
