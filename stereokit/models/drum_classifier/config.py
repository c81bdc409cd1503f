"""Settings and presets of ``drum-classifier``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from stereokit.errors import UsageError
from stereokit.models._config import LabelledConfig
from stereokit.models._family import Family

Network = Literal[
    "raw", "spec", "raw-spec", "mfcc", "pictures-statistics", "resnet50", "resnest50", "cnn14", "cnn14-dla"
]
CNN14_RATE = 32_000
# What the synthesised drums and the longest window need.
_LEAST_SECONDS, _LEAST_RATE = 0.1, 8_000

# Networks that may begin with weights from outside.
OUTSIDE = ("resnet50", "resnest50", "cnn14", "cnn14-dla")


@dataclass(frozen=True)
class DrumClassifierConfig(LabelledConfig):
    """What a ``drum-classifier`` is and how it learns; longer clips are cut at their end, shorter ones end in silence.

    Attributes
    ----------
    network
        ``raw`` reads the wave, ``spec`` mel bands over time, ``raw-spec`` both. ``mfcc`` is no network, but a kernel
        machine on statistics of cepstral coefficients, fitted before the first step. ``pictures-statistics`` averages
        what a network of pictures over logarithmic pitch and time and a kernel machine on many statistics tell; both
        hear mid, or side where it is louder. The others are published networks
        that may begin with weights from outside: ResNets on pictures of three planes, and CNN14 of PANNs, with one
        decision a clip or one a frame, on the mean of left and right at 32 kHz.
    freeze
        ``base``: a published network learns nothing but its last part, and its batch norms stay as they are.
    channels
        ``mid-side``, or their ``mono`` mean alone.
    window, hop
        Of the mel bands, in samples.
    bands
        Mel bands, from 40 Hz to 16 kHz or half the rate.
    width
        Channels of the first layer; later ones have up to eight times as many.
    hidden
        Numbers of the embedding.
    anchors
        Known sounds that the kernel machine keeps, at most.
    synthetic
        Synthesised drums that ``pictures-statistics`` knows besides those of the data, where the labels are theirs.
    dropout
        Before the embedding and before the labels.
    rate, weight_decay
        Of AdamW.
    smoothing
        Share of the truth that is spread over all labels.
    mixing
        Share of a batch whose clips are mixed with another one, labels too.
    variation
        How far training clips are varied: pitch, onset, decay, tone colour, sides and noise; 0 leaves them as they are.
    balance
        Exponent of the labels' weights: 0 lets each clip count the same, 1 each label.
    choice
        Which averaged model is kept: the ``best`` on the validation clips or the ``last``.
    """

    FEWEST_LABELS: ClassVar[int] = 2
    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "window": (64, 2**16),
        "hop": (1, 2**16),
        "bands": (8, 1_024),
        "width": (4, 1_024),
        "hidden": (2, 65_536),
        "anchors": (2, 16_384),
        "synthetic": (0, 16_384),
        "dropout": (0.0, 0.99),
        "rate": (1e-9, 10.0),
        "weight_decay": (0.0, 10.0),
        "smoothing": (0.0, 0.9),
        "mixing": (0.0, 1.0),
        "variation": (0.0, 4.0),
        "balance": (0.0, 1.0),
    }

    # the thesis's; train puts in those of the data
    labels: tuple[str, ...] = ("clap", "crash", "hat", "kick", "ride", "shaker", "snare", "tom")
    label_counts: tuple[int, ...] = (1, 1, 1, 1, 1, 1, 1, 1)
    network: Network = "raw-spec"
    freeze: Literal["none", "base"] = "none"
    channels: Literal["mid-side", "mono"] = "mid-side"
    window: int = 2_048
    hop: int = 441
    bands: int = 64
    width: int = 32
    hidden: int = 128
    anchors: int = 4_096
    synthetic: int = 0
    dropout: float = 0.3
    rate: float = 2e-3
    weight_decay: float = 0.02
    smoothing: float = 0.05
    mixing: float = 0.5
    variation: float = 1.0
    balance: float = 0.5
    choice: Literal["best", "last"] = "best"
    batch: int = 32
    steps: int = 1_500
    ema_decay: float = 0.99
    clip_norm: float = 5.0
    validate_every: int = 150

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.freeze == "base" and self.network not in OUTSIDE:
            raise UsageError(f"freeze=base goes with network={', '.join(OUTSIDE)}, not with {self.network}")
        if self.network == "pictures-statistics" and (self.seconds < _LEAST_SECONDS or self.sample_rate < _LEAST_RATE):
            raise UsageError(
                f"network=pictures-statistics needs {_LEAST_SECONDS:g} s at {_LEAST_RATE} Hz or more, "
                f"not {self.seconds:g} s at {self.sample_rate}"
            )
        if self.network.startswith("cnn14") and self.sample_rate != CNN14_RATE:
            raise UsageError(f"sample_rate is {self.sample_rate}: network={self.network} is for {CNN14_RATE}")


_DEFAULT = DrumClassifierConfig()
_CNN14 = replace(
    _DEFAULT, network="cnn14", sample_rate=CNN14_RATE, dropout=0.2, rate=3e-4, batch=16, steps=1_000, validate_every=125
)
_RESNET = replace(
    _DEFAULT, network="resnet50", hop=256, bands=128, dropout=0.2, rate=3e-4, batch=16, steps=1_000, validate_every=125
)

PRESETS = {
    # the thesis's network of wave and spectrogram; it prints no sizes
    "published": replace(
        _DEFAULT, channels="mono", smoothing=0.0, mixing=0.0, variation=0.0, balance=0.0, weight_decay=0.0, rate=1e-3,
        ema_decay=0.0, clip_norm=0.0, choice="last",
    ),
    "default": _DEFAULT,
    # fitted at once; the few steps only let it be judged
    "mfcc": replace(
        _DEFAULT, network="mfcc", bands=40, rate=1e-4, weight_decay=0.0, smoothing=0.0, mixing=0.0, variation=0.0,
        steps=10, validate_every=10,
    ),
    "raw": replace(_DEFAULT, network="raw"),
    "spec": replace(_DEFAULT, network="spec"),
    "raw-spec": _DEFAULT,
    "best": replace(
        _DEFAULT, network="pictures-statistics", width=24, synthetic=600, mixing=0.35, rate=3e-3, batch=48, steps=1_500,
        validate_every=500,
    ),
    "resnet50": _RESNET,
    "resnest50": replace(_RESNET, network="resnest50"),
    "cnn14": _CNN14,
    "cnn14-dla": replace(_CNN14, network="cnn14-dla"),
    "tiny": replace(_DEFAULT, seconds=0.2, bands=32, width=8, hidden=16, batch=4, steps=3, validate_every=2),
}  # fmt: skip

FAMILY = Family(
    name="drum-classifier",
    summary="what one-shots are: kick, snare, hat ... or any labels of the data, with calibrated probabilities",
    presets=PRESETS,
    feed="labelled",
    capabilities=("labeller", "embedder"),
)
