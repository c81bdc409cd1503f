"""Settings of variational autoencoders of waves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from stereokit.errors import UsageError
from stereokit.models._config import LabelledConfig
from stereokit.models._family import Feed, check_ranges

_RANGES: dict[str, tuple[float, float]] = {
    "latent": (2, 65_536),
    "first_deviation": (1e-3, 10.0),
    "window": (16, 2**16),
    "hop": (1, 2**16),
    "kernel": (1, 1_023),
    "bands": (2, 2**12),
    "prior_rate": (1e-9, 10.0),
    "prior_from": (0.0, 0.999),
    "epsilon": (1e-12, 1e6),
    "spectral_weight": (0.0, 1e6),
    "repulsion": (0.0, 1.0),
    "convergence_weight": (0.0, 1e6),
    "wave_weight": (0.0, 1e6),
    "divergence_weight": (0.0, 1e6),
    "warm_up": (0.0, 1.0),
    "free_nats": (0.0, 1e3),
    "rate": (1e-9, 10.0),
}


@dataclass(frozen=True)
class WaveformVaeConfig(LabelledConfig):
    """What a variational autoencoder of waves is and how it learns, beside ``LabelledConfig``.

    Attributes
    ----------
    is_conditional
        Whether classes can be asked for: the data then need labels.
    channels
        That the networks see and make: ``mid-side`` or ``left-right``. Spectra are compared on mid and side.
    latent
        Numbers that a sound is made of.
    first_deviation
        Of each latent number before anything is learned: with 1 a sound is lost among its own random numbers.
    window, hop
        Of the first and the last layer, in samples.
    widths, strides, kernel
        Channels of the frames and after each strided convolution over them, and how long these are, in frames.
    is_normed
        Group norms after convolutions.
    front
        ``learned``: a convolution of the wave. ``spectrum``: of its log magnitudes too.
    ending
        ``transposed``: convolutions, up to the wave. ``spectral``: repeated frames, and an inverse Fourier transform.
    bands, has_noise
        Levels in each frame of a ``spectral`` ending, and whether it adds noise.
    prior
        Where random sounds come from: ``normal``, as the divergence wants it, or where those of real sounds are, by a
        ``linear`` or ``bent`` map that is learned along.
    prior_rate, prior_from
        Learning rate of the map, and the share of the training after which it begins.
    sizes, hops, windows
        Of the transforms that sounds are compared by, in samples.
    form, epsilon
        ``magnitude``: log(magnitude + epsilon). ``power``: log(epsilon + magnitude^2).
    spectral_weight, repulsion
        Of the distance of log spectra; how far two makings of one sound, with different noise, push each other away.
    convergence_weight, wave_weight
        Of the spectral convergence; of the mean absolute difference of samples.
    divergence_weight, warm_up, free_nats
        Of the divergence from the normal distribution, a nat; the share of the training over which it grows from 0; and
        what each latent number may cost free of charge.
    optimiser, rate, schedule
        Of encoder and decoder; the rate is ``constant`` or ``falling`` from half-way on.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = _RANGES
    # without classes to ask for it has none
    FEWEST_LABELS: ClassVar[int] = 0

    is_conditional: bool = False
    channels: Literal["mid-side", "left-right"] = "mid-side"
    latent: int = 64
    first_deviation: float = 0.1
    window: int = 1_024
    hop: int = 256
    widths: tuple[int, ...] = (256, 256, 384)
    strides: tuple[int, ...] = (4, 4)
    kernel: int = 9
    is_normed: bool = True
    front: Literal["learned", "spectrum"] = "spectrum"
    ending: Literal["transposed", "spectral"] = "spectral"
    bands: int = 64
    has_noise: bool = True
    prior: Literal["normal", "linear", "bent"] = "bent"
    prior_rate: float = 1e-3
    prior_from: float = 0.3
    sizes: tuple[int, ...] = (1_024, 2_048, 512)
    hops: tuple[int, ...] = (120, 240, 50)
    windows: tuple[int, ...] = (600, 1_200, 240)
    form: Literal["magnitude", "power"] = "magnitude"
    epsilon: float = 0.02
    spectral_weight: float = 1.0
    repulsion: float = 1.0
    convergence_weight: float = 0.0
    wave_weight: float = 0.0
    divergence_weight: float = 1e-3
    warm_up: float = 0.3
    free_nats: float = 0.05
    optimiser: Literal["adam", "rmsprop"] = "adam"
    rate: float = 5e-4
    schedule: Literal["constant", "falling"] = "falling"
    steps: int = 40_000
    clip_norm: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, {"frames": (2, 2**22)})
        if len(self.widths) != len(self.strides) + 1 or not all(1 <= width <= 2**14 for width in self.widths):
            raise UsageError(
                f"widths are {self.widths}: give {len(self.strides) + 1}, one more than strides, to {2**14}"
            )
        if not all(1 <= stride <= 64 for stride in self.strides):
            raise UsageError(f"strides are {self.strides}: must be from 1 to 64")
        if self.kernel % 2 == 0:
            raise UsageError(f"kernel is {self.kernel}: must be odd")
        if self.window % (2 * self.hop):
            raise UsageError(f"window is {self.window}: must be an even multiple of hop, {self.hop}")
        self._check_transforms()

    def _check_transforms(self) -> None:
        if not len(self.sizes) == len(self.hops) == len(self.windows) >= 1:
            raise UsageError(
                f"sizes are {self.sizes}, hops {self.hops}, windows {self.windows}: give as many of each, one or more"
            )
        for size, hop, window in zip(self.sizes, self.hops, self.windows, strict=True):
            if not (2 <= window <= size <= 2**16 and 1 <= hop <= size):
                raise UsageError(f"sizes, hops, windows have {size}, {hop}, {window}: hop and window must fit the size")
        if not self.spectral_weight + self.wave_weight + self.convergence_weight > 0.0:
            raise UsageError("spectral_weight, convergence_weight and wave_weight are 0: nothing would be learned")

    @property
    def feed(self) -> Feed:
        """The shape of data that this configuration eats."""
        return "labelled" if self.is_conditional else "clips"

    def falling(self, progress: float) -> float:
        """Return the factor on the learning rate at a turn's progress, 0 to 1."""
        if self.schedule == "constant":
            return 1.0
        # half a cosine, from half-way on, to 2 %
        return 0.51 + 0.49 * math.cos(math.pi * max(0.0, 2.0 * progress - 1.0))


# What presets of several families have in common, over the defaults. As printed, where it is printed: the thesis gives
# neither rate nor length nor latent size nor the divergence's weight.
PUBLISHED: dict[str, Any] = {
    "channels": "left-right",
    "widths": (512, 256, 256),
    "first_deviation": 1.0,
    "is_normed": False,
    "front": "learned",
    "ending": "transposed",
    "has_noise": False,
    "prior": "normal",
    "form": "power",
    "epsilon": 1.0,
    "repulsion": 0.0,
    "warm_up": 0.0,
    "free_nats": 0.0,
    "optimiser": "rmsprop",
    "rate": 4e-4,
    "schedule": "constant",
    "ema_decay": 0.0,
    "clip_norm": 0.0,
}
# Two cores, twenty minutes.
SMALL: dict[str, Any] = {
    "latent": 32,
    "hop": 512,
    "widths": (128, 160, 192),
    "kernel": 5,
    "bands": 40,
    # half the spectra tell nearly as much
    "hops": (240, 480, 100),
    "rate": 1e-3,
    "batch": 8,
    "steps": 1_500,
    "ema_decay": 0.99,
    "validate_every": 200,
}
TINY: dict[str, Any] = {
    "seconds": 0.1,
    "latent": 8,
    "window": 256,
    "hop": 64,
    "widths": (8, 8, 16),
    "kernel": 3,
    "bands": 8,
    "sizes": (256, 512, 128),
    "hops": (60, 120, 25),
    "windows": (150, 300, 60),
    "batch": 4,
    "steps": 3,
    "validate_every": 2,
}
