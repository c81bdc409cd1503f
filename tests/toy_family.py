"""A family small enough for any test: ``toy`` makes, embeds and judges sounds, ``plain`` only makes, ``deaf`` nothing.

``teller`` tells labels and embeds. The sounds of ``toy`` are sines of random pitch; with labels, each is an octave
or so above the last.
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from stereokit import catalog
from stereokit.models._family import Family, check_ranges
from stereokit.training.checkpoint import CONFIG, CONFIG_SCHEMA, MODEL, write_json, write_tensors
from stereokit.training.draw import Draw
from stereokit.training.trainer import Model as TrainedModel
from stereokit.training.turn import Batch, Losses, Turn


@dataclass(frozen=True)
class ToyConfig:
    sample_rate: int = 8_000
    seconds: float = 0.1
    latent: int = 4
    gain: float = 0.5
    is_wide: bool = True
    ending: Literal["faded", "sudden"] = "faded"
    widths: tuple[int, ...] = (8, 8)
    labels: tuple[str, ...] = ()
    label_counts: tuple[int, ...] = ()
    batch: int = 4
    steps: int = 3
    ema_decay: float = 0.9
    clip_norm: float = 0.0
    validate_every: int = 2

    def __post_init__(self) -> None:
        check_ranges(self, {"sample_rate": (1_000, 768_000), "seconds": (0.001, 60.0), "latent": (1, 10**12)})


PRESETS = {"published": ToyConfig(), "default": ToyConfig(), "tiny": ToyConfig()}
FAMILY = Family(
    "toy", "sines of random pitch", PRESETS, "clips", ("sampler", "interpolator", "encoder", "critic", "embedder")
)
PLAIN = replace(FAMILY, name="plain", capabilities=("sampler",))
DEAF = replace(FAMILY, name="deaf", summary="makes nothing", capabilities=())
TELLER = replace(
    FAMILY, name="teller", summary="tells labels by levels", feed="labelled", capabilities=("labeller", "embedder")
)


class Model(TrainedModel):
    block_clips = 4

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = round(config.seconds * config.sample_rate)
        sizes = (config.latent, *config.widths, 3)
        self.layers = nn.Sequential(*[nn.Linear(inward, outward) for inward, outward in zip(sizes, sizes[1:])])  # noqa: B905, RUF007

    def turns(self) -> list[Turn]:
        def resemble(batch: Batch, draw: Draw) -> Losses:
            made = self.sample(draw)
            levels = made.square().mean(2).sqrt() - batch.clips.square().mean(2).sqrt()
            return {"level": levels.square().mean(), "width": (made[:, 0] - made[:, 1]).square().mean()}

        return [Turn("layers", (self.layers,), resemble, lambda own: torch.optim.Adam(own, 1e-2))]

    def sample(self, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        return self.decode(self.latents(draw), draw, condition)

    def latents(self, draw: Draw) -> torch.Tensor:
        return draw.normal(self.config.latent)

    def decode(self, latents: torch.Tensor, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        numbers = self.layers(latents)
        if condition is not None:
            numbers = numbers + condition.float()[:, None]
        # as layers do whose algorithm depends on the size of the batch
        pitch = 200.0 * torch.exp(numbers[:, :1]) * (1.0 + draw.count * 1e-3)
        times = torch.arange(self.frames) / self.sample_rate
        left = torch.sin(2.0 * torch.pi * pitch * times + 1.0)
        right = left * torch.tanh(numbers[:, 1:2]) if self.config.is_wide else left
        clips = self.config.gain * torch.stack([left, right], dim=1)
        return clips * torch.linspace(1.0, 0.0, self.frames) if self.config.ending == "faded" else clips

    def encode(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return what ``embed`` does, as many numbers as there are; a label shifts them."""
        found = torch.zeros(len(wave), self.config.latent)
        found[:, :4] = self.embed(wave)[:, : self.config.latent]
        return found if condition is None else found + condition[:, None]

    def verdict(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the level of the side: the wider, the more real; a label is a bonus."""
        level = (wave[:, 0] - wave[:, 1]).square().mean(1).sqrt()
        return level if condition is None else level + condition

    def embed(self, wave: torch.Tensor) -> torch.Tensor:
        """Return levels of left, right, side and of the change a sample, in the unit that is the model's gain."""
        side, change = wave[:, 0] - wave[:, 1], wave.diff(dim=2)
        levels = [part.square().mean(-1).sqrt() for part in (wave[:, 0], wave[:, 1], side, change.flatten(1))]
        return torch.stack(levels, dim=1) * self.config.gain


class Teller(TrainedModel):
    """Tells labels by the levels of left, right, side and change, in dB."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = round(config.seconds * config.sample_rate)
        self.layer = nn.Linear(4, len(config.labels))
        self.register_buffer("temperature", torch.ones(()))

    def turns(self) -> list[Turn]:
        def tell(batch: Batch, draw: Draw) -> Losses:
            return {"cross_entropy": nn.functional.cross_entropy(self.layer(self.embed(batch.clips)), batch.labels)}

        return [Turn("layer", (self.layer,), tell, lambda own: torch.optim.Adam(own, 3e-2))]

    def label(self, wave: torch.Tensor) -> torch.Tensor:
        return (self.layer(self.embed(wave)) / self.temperature).softmax(1)

    def calibrate(self, temperature: float) -> None:
        self.temperature.fill_(temperature)

    def embed(self, wave: torch.Tensor) -> torch.Tensor:
        side, change = wave[:, 0] - wave[:, 1], wave.diff(dim=2)
        parts = (wave[:, 0], wave[:, 1], side, change.flatten(1))
        levels = torch.stack([part.square().mean(-1) for part in parts], dim=1)
        return 1.0 + 0.5 * levels.clamp(min=1e-8).log10()


# Family -> its model, where that is not ``Model``.
MODELS = {"teller": Teller}


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Put the families into the catalogue."""
    modules = {"stereokit.models.toy": sys.modules[__name__]}
    for family in (DEAF, PLAIN, TELLER):
        modules[f"stereokit.models.{family.name}"] = module = type(sys)(f"stereokit.models.{family.name}")
        module.FAMILY, module.Model = family, MODELS.get(family.name, Model)
    modules |= {f"{name}.model": module for name, module in modules.items()}
    names = catalog.names
    sys.modules.update(modules)
    toys = [FAMILY.name, DEAF.name, PLAIN.name, TELLER.name]
    catalog.names = lambda kind: sorted([*names(kind), *(toys if kind == "family" else [])])
    try:
        yield
    finally:
        catalog.names = names
        catalog.load.cache_clear()
        for name in modules:
            sys.modules.pop(name, None)


def write_run(folder: Path, *, family: str = "toy", seed: int = 0, **changes: Any) -> Path:
    """Write a run as training leaves it."""
    config = replace(PRESETS["tiny"], **changes)
    torch.manual_seed(seed)
    folder.mkdir(parents=True)
    write_tensors(folder / MODEL, MODELS.get(family, Model)(config).state_dict())
    data = {"dataset": "ds", "fingerprint": "abc", "split": "train", "clips": 3, "labels": [], "only": []}
    data["condition"] = "label"
    training = {"seed": 0, "steps": 3, "minutes": None, "devices": 1, "precision": "32-true", "patience": None}
    record = {"family": family, "preset": "tiny", "config": asdict(config), "data": data, "training": training}
    write_json(folder / CONFIG, {"schema": CONFIG_SCHEMA, **record, "versions": {}})
    return folder
