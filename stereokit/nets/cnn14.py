"""CNN14 of PANNs, with one decision a clip or one a frame; parameters have the names of the published files.

Kong et al., PANNs: large-scale pretrained audio neural networks for audio pattern recognition, 2020.
"""

import torch
from torch import nn
from torch.nn.functional import avg_pool1d, avg_pool2d, dropout, max_pool1d, relu

from stereokit.representations._published_log_mel import (
    HOP,
    SAMPLE_RATE,
    PublishedLogMel,
    PublishedSpectrogram,
)

WIDTH = 2_048
FEWEST_FRAMES = 32
_WIDTHS = (64, 128, 256, 512, 1_024, 2_048)
_BLOCK_DROPOUT, _POOLED_DROPOUT = 0.2, 0.5
# A probability's distance from 0 and 1.
_LEAST = 1e-7


class _Block(nn.Module):
    """Two convolutions, and the mean over squares."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inward, outward, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outward, outward, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outward)
        self.bn2 = nn.BatchNorm2d(outward)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.bn2(self.conv2(relu(self.bn1(self.conv1(pictures)))))
        return relu(found)


class _Attention(nn.Module):
    """Probabilities of each frame, and how much each frame counts; ``bn_att`` is in the files and never used."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.att = nn.Conv1d(WIDTH, labels, 1)
        self.cla = nn.Conv1d(WIDTH, labels, 1)
        self.bn_att = nn.BatchNorm1d(labels)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        shares: torch.Tensor = self.att(frames).clamp(-10.0, 10.0).softmax(2)
        told: torch.Tensor = self.cla(frames).sigmoid()
        return (shares * told).sum(2)


class Cnn14(nn.Module):
    """Six blocks of convolutions of a log-mel picture.

    Parameters
    ----------
    labels
        How many can be told; 527 in the published files.
    is_by_frame
        Decide for each frame and weight the decisions (decision-level attention).
    dropout
        Of the embedding, before the labels: 0.5 as published.
    """

    def __init__(self, labels: int, *, is_by_frame: bool = False, dropout: float = 0.5) -> None:
        super().__init__()
        self.spectrogram_extractor = PublishedSpectrogram()
        self.logmel_extractor = PublishedLogMel()
        self.bn0 = nn.BatchNorm2d(64)
        for number, (inward, outward) in enumerate(zip((1, *_WIDTHS), _WIDTHS, strict=False), 1):
            self.add_module(f"conv_block{number}", _Block(inward, outward))
        self.fc1 = nn.Linear(WIDTH, WIDTH)
        self._dropout = dropout
        self.is_by_frame = is_by_frame
        if is_by_frame:
            self.att_block = _Attention(labels)
        else:
            self.fc_audioset = nn.Linear(WIDTH, labels)

    def pictures(self, waves: torch.Tensor) -> torch.Tensor:
        """Return pictures (B, 1, frames, 64) of mono waves (B, T) at 32 kHz.

        Waves of fewer than 32 frames, of which the blocks would leave nothing, are repeated up to one second.
        """
        if waves.shape[1] // HOP + 1 < FEWEST_FRAMES:
            waves = waves.repeat(1, -(-SAMPLE_RATE // waves.shape[1]))[:, :SAMPLE_RATE]
        levels: torch.Tensor = self.logmel_extractor(self.spectrogram_extractor(waves))
        return levels[:, None]

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what comes before the sigmoid, (B, labels), and embeddings, (B, 2048).

        By frame there is a sigmoid in each frame: what is returned is the logit of their weighted mean, and the mean
        of the frames' embeddings.
        """
        found = self.bn0(pictures.transpose(1, 3)).transpose(1, 3)
        for number in range(1, len(_WIDTHS) + 1):
            found = self.get_submodule(f"conv_block{number}")(found)
            if number < len(_WIDTHS):
                found = avg_pool2d(found, 2)
            found = dropout(found, _BLOCK_DROPOUT, self.training)
        frames = found.mean(3)
        return self._by_frame(frames) if self.is_by_frame else self._by_clip(frames)

    def _by_clip(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pooled = dropout(frames.amax(2) + frames.mean(2), _POOLED_DROPOUT, self.training)
        embedding = relu(self.fc1(pooled))
        return self.fc_audioset(dropout(embedding, self._dropout, self.training)), embedding

    def _by_frame(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pooled = max_pool1d(frames, 3, 1, padding=1) + avg_pool1d(frames, 3, 1, padding=1)
        embeddings = relu(self.fc1(dropout(pooled, _POOLED_DROPOUT, self.training).mT)).mT
        told = self.att_block(dropout(embeddings, self._dropout, self.training)).float()
        return told.clamp(_LEAST, 1.0 - _LEAST).logit(), embeddings.mean(2)
