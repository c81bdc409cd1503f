"""What a step of each family costs: ``python tests/bench/bench_train.py``.

Steps and clips a second, by phase of the training (the turns that are active in it), and the most memory that the
process held, for the presets tiny and default of every family. The clips are noise of the family's own length. All
figures come from one run on one machine, so ratios hold where seconds do not. ``--families A B`` and ``--presets A B``
choose, ``--steps N`` sets the steps that are timed a phase (default 5). Needs the extra ``train``.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator

import torch
from lightning_fabric import Fabric

from stereokit import catalog
from stereokit.training.draw import Draw
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Model, Trainer
from stereokit.training.turn import Batch
from stereokit.workflows.train_dry_run import peak_bytes, phases

_CLIPS = 64
# Progress is looked at in so many parts.
_STEPS = 1_000_000


def parts(clips: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield clips as a feed does while a model adapts."""
    yield from clips.split(_CLIPS)


def measure(family: str, preset: str, steps: int) -> None:
    """Time the phases of one preset and print them as a line of JSON."""
    config = catalog.load("family", family).preset(preset)
    torch.manual_seed(0)
    model: Model = catalog.load("family", family).load_model()(config)
    noise = torch.Generator().manual_seed(0)
    clips = 0.1 * torch.randn(_CLIPS, 2, model.frames, generator=noise)
    labels = torch.arange(_CLIPS) % 2
    start = time.perf_counter()
    model.adapt(parts(clips), Draw((0, "adapt"), range(config.batch)))
    adapt_s = time.perf_counter() - start

    def load(first: int, count: int) -> Batch:
        numbers = torch.arange(first, first + count) % _CLIPS
        return Batch(clips[numbers], labels[numbers], clips[numbers].flip(1))

    settings = TrainingSettings(steps=_STEPS, batch=config.batch, clip_norm=config.clip_norm or None)
    trainer = Trainer(model, load, settings, Fabric(accelerator="cpu", devices=1))
    for first, last in phases(trainer):
        trainer.step = int((first + last) / 2 * _STEPS)
        running = trainer.run()
        step = next(running)
        start = time.perf_counter()
        for _ in range(steps):
            next(running)
        step_s = (time.perf_counter() - start) / steps
        turns = dict.fromkeys(name.partition("/")[0] for name in step.losses)
        found = {"turns": "+".join(turns), "from": first, "to": last, "step_s": step_s, "items": step.items}
        print(json.dumps({**found, "adapt_s": adapt_s, "peak": peak_bytes(torch.device("cpu"))}), flush=True)


def main() -> None:
    """Measure each preset in a process of its own, so that one's memory is not another's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--families", nargs="+", default=catalog.names("family"))
    parser.add_argument("--presets", nargs="+", default=["tiny", "default"])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        measure(*given.one, given.steps)
        return
    print(f"{platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'family':16} {'preset':10} {'turns':28} {'progress':12} {'steps/s':>8} {'clips/s':>8} {'MiB':>6}")
    for family in given.families:
        for preset in given.presets:
            words = [sys.executable, __file__, "--one", family, preset, "--steps", str(given.steps)]
            result = subprocess.run(words, capture_output=True, text=True, check=True)
            for line in result.stdout.splitlines():
                row = json.loads(line)
                span = f"{row['from']:.2f}-{row['to']:.2f}"
                speed = f"{1 / row['step_s']:8.2f} {row['items'] / row['step_s']:8.1f} {row['peak'] / 2**20:6.0f}"
                print(f"{family:16} {preset:10} {row['turns']:28} {span:12} {speed}")


if __name__ == "__main__":
    main()
