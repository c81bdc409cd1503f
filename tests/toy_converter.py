"""A family of converters small enough for any test: what it makes of a sound is known without asking it."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from stereokit import catalog
from stereokit.models._config import FamilyConfig
from stereokit.models._family import Family
from stereokit.training.checkpoint import CONFIG, CONFIG_SCHEMA, MODEL, write_json, write_tensors
from stereokit.training.draw import Draw
from stereokit.training.trainer import Model as TrainedModel
from stereokit.training.turn import Batch, Losses, Turn


@dataclass(frozen=True)
class EchoConfig(FamilyConfig):
    sample_rate: int = 8_000
    seconds: float = 0.1
    gain: float = 1.0
    # wide: the right channel turned over. broken: nothing finite
    kind: Literal["plain", "wide", "broken"] = "plain"
    batch: int = 2
    steps: int = 3
    validate_every: int = 2


PRESETS = {"published": EchoConfig(), "default": EchoConfig(), "tiny": EchoConfig()}
FAMILY = Family("echo", "gives a sound back", PRESETS, "pairs", ("converter",))


class Model(TrainedModel):
    """One gain, learned."""

    def __init__(self, config: EchoConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate, self.frames = config.sample_rate, round(config.seconds * config.sample_rate)
        self.gain = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.gain.weight, config.gain)

    def turns(self) -> list[Turn]:
        def resemble(batch: Batch, draw: Draw) -> Losses:
            return {"time": (self.convert(batch.clips) - batch.targets).square().mean()}

        return [Turn("gain", (self.gain,), resemble, lambda own: torch.optim.Adam(own, 1e-1))]

    def convert(self, wave: torch.Tensor) -> torch.Tensor:
        made = wave * self.gain.weight[0, 0]
        if self.config.kind == "wide":
            made = made * torch.tensor([[1.0], [-1.0]])
        return made / 0.0 if self.config.kind == "broken" else made


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Put the family into the catalogue."""
    names, modules = catalog.names, ("stereokit.models.echo", "stereokit.models.echo.model")
    sys.modules.update(dict.fromkeys(modules, sys.modules[__name__]))
    catalog.names = lambda kind: sorted([*names(kind), *(["echo"] if kind == "family" else [])])
    try:
        yield
    finally:
        catalog.names = names
        catalog.load.cache_clear()
        for name in modules:
            sys.modules.pop(name, None)


def write_run(folder: Path, **changes: Any) -> Path:
    """Write a run as training leaves it."""
    config = replace(PRESETS["tiny"], **changes)
    folder.mkdir(parents=True)
    write_tensors(folder / MODEL, Model(config).state_dict())
    record = {"family": "echo", "preset": "tiny", "config": asdict(config), "data": {}, "training": {}}
    write_json(folder / CONFIG, {"schema": CONFIG_SCHEMA, **record, "versions": {}})
    return folder
