"""The best that we know without weights from outside: a network of pictures and a kernel machine of statistics."""

import torch

from stereokit.data.synth._voice import make_sound
from stereokit.data.synth.drums import LABELS, VOICE
from stereokit.models.drum_classifier._picture_variation import mixed_pictures, varied_pictures
from stereokit.models.drum_classifier.config import DrumClassifierConfig
from stereokit.models.drum_classifier.looker import FittedLooker
from stereokit.nets.classifier import LabelHead
from stereokit.nets.kernel_machine import KernelMachine
from stereokit.nets.placed_features import PlacedFeatures
from stereokit.representations._drum_pictures import COLUMNS, FLOOR_DB, ROWS, DrumPictures
from stereokit.representations._drum_statistics import DrumStatistics
from stereokit.training.draw import Draw

# The machine's kernel and ridge, and how much its word counts against the network's.
_WIDENESS, _RIDGE, _MACHINE_SHARE = 1.0, 0.1, 0.5
# A synthesised drum counts as a tenth of a recorded one.
_SYNTHETIC_WEIGHT = 0.1
_AT_ONCE = 32


class FromPicturesAndStatistics(FittedLooker):
    """Averages the probabilities of a network that learns from varied pictures and of a machine that is fitted.

    The machine also knows drums that are synthesised, of those of the data's labels that can be: they teach it what
    machines that it never heard might sound like.
    """

    def __init__(self, config: DrumClassifierConfig) -> None:
        super().__init__()
        self.pictures = DrumPictures(sample_rate=config.sample_rate, frames=config.frames)
        self.statistics = DrumStatistics(self.pictures)
        self.labels = {label: number for number, label in enumerate(config.labels)}
        self._synthetic = [number for number in range(config.synthetic) if self.labels.keys() & set(LABELS)]
        anchors = min(config.anchors, sum(config.label_counts) + len(self._synthetic))
        self.machine = KernelMachine(
            self.statistics.width, labels=len(config.labels), anchors=anchors, wideness=_WIDENESS, ridge=_RIDGE,
            groups=self.statistics.groups, learns=False,
        )  # fmt: skip
        self.features = PlacedFeatures(3, config.width, size=(ROWS, COLUMNS))
        self.head = LabelHead(
            self.features.width, hidden=config.hidden, labels=len(config.labels), dropout=config.dropout
        )

    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return pictures (B, 3, 80, 48) in dB, and the machine's logits (B, labels): distances need float32."""
        pictures, statistics = self._looked_at(clips)
        logits, _ = self.machine(statistics)
        return pictures, logits

    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of both, and the network's embedding."""
        pictures, own = views
        logits, embedding = self._told(pictures)
        shares = logits.float().softmax(1) * (1.0 - _MACHINE_SHARE) + own.float().softmax(1) * _MACHINE_SHARE
        return shares.log(), embedding

    def lesson(
        self, clips: torch.Tensor, truth: torch.Tensor, draw: Draw, config: DrumClassifierConfig
    ) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """Return varied and mixed pictures alone, and the truth about them."""
        with torch.no_grad():
            pictures = self.pictures(self.pictures.powers(self.pictures.aligned(clips)))
            if config.variation > 0.0:
                pictures = varied_pictures(pictures, self.pictures, draw)
            if config.mixing > 0.0:
                pictures, truth = mixed_pictures(pictures, truth, draw, share=config.mixing)
        return (pictures,), truth

    def learn(self, *views: torch.Tensor) -> torch.Tensor:
        """Return the network's logits of pictures."""
        logits, _ = self._told(views[0])
        return logits

    def facts(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the statistics that the machine is fitted to."""
        return torch.cat([self._looked_at(part)[1] for part in torch.split(clips, _AT_ONCE)])

    def fit(self, facts: torch.Tensor, truth: torch.Tensor, draw: Draw) -> None:
        """Let the machine learn from all training clips, and from synthesised drums."""
        order = draw.of(range(len(truth))).uniform().argsort().to(facts.device)
        if self._synthetic:
            seed = int(draw.of([0]).integers(2**31))
            made, known = self._made(seed, facts)
            facts, truth = torch.cat([facts, made]), torch.cat([truth, known.to(truth.dtype)])
            # recorded sounds first, where not all become anchors
            order = torch.cat([order, torch.arange(len(order), len(facts), device=order.device)])
        self.machine.fit(facts, truth, order)

    def _looked_at(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        waves = self.pictures.aligned(clips)
        powers = self.pictures.powers(waves)
        pictures = self.pictures(powers)
        return pictures, self.statistics(waves, powers, pictures)

    def _told(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, embedding = self.head(self.features(1.5 - 3.0 * pictures / FLOOR_DB))
        return logits, embedding

    def _made(self, seed: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return statistics of synthesised drums, and how much they count for each label."""
        rate, frames = self.pictures.sample_rate, self.pictures.frames
        clips, rows = [], []
        for number in self._synthetic:
            sound = make_sound(VOICE, seed=seed, index=number, sample_rate=rate)
            if sound.label not in self.labels:
                continue
            samples = torch.from_numpy(sound.clip.samples)[:, :frames]
            clips.append(torch.nn.functional.pad(samples, (0, frames - samples.shape[1])))
            rows.append(self.labels[sound.label])
        if not clips:
            return like[:0], like.new_zeros(0, len(self.labels))
        parts = [torch.stack(clips[first : first + _AT_ONCE]) for first in range(0, len(clips), _AT_ONCE)]
        facts = torch.cat([self.facts(part.to(like.device)) for part in parts])
        known = torch.nn.functional.one_hot(torch.tensor(rows, device=like.device), len(self.labels))
        return facts, known * _SYNTHETIC_WEIGHT
