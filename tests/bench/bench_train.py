"""What a step of each family costs: ``python tests/bench/bench_train.py``.

Steps and clips a second, by phase of the training (the turns that are active in it), and the most memory that the
process held, for the presets tiny and default of every family. The clips are noise of the family's own length. All
figures come from one run on one machine, so ratios hold where seconds do not. ``of peak`` is what a step's convolutions
and products compute, as a share of what one large product of matrices reaches in the same run, at the same precision.
``--families A B`` and ``--presets A B`` choose, ``--steps N`` sets the steps that are timed a phase (default 5),
``--device cuda`` and ``--precision bf16-mixed`` where and how. Needs the extra ``train``.
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
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from stereokit import catalog
from stereokit.training.device import PRECISIONS
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


class Operations(TorchDispatchMode):
    """Counts the operations of products and convolutions, of second derivatives too."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run one operator and count it."""
        result = func(*args, **(kwargs or {}))
        count = flop_registry.get(func.overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


def highest_flops(fabric: Fabric) -> float:
    """Return the operations a second of a large product of matrices."""
    side = 8192 if fabric.device.type == "cuda" else 2048
    with fabric.autocast():
        left, right = (torch.randn(side, side, device=fabric.device) for _ in range(2))
        times = []
        for _ in range(4):
            wait(fabric)
            start = time.perf_counter()
            torch.matmul(left, right)
            wait(fabric)
            times.append(time.perf_counter() - start)
    return 2.0 * side**3 / min(times)


def wait(fabric: Fabric) -> None:
    """Return when the device has done what it was given."""
    if fabric.device.type == "cuda":
        torch.cuda.synchronize()


def measure(family: str, preset: str, steps: int, device: str, precision: str) -> None:
    """Time the phases of one preset and print them as a line of JSON."""
    config = catalog.load("family", family).preset(preset)
    torch.manual_seed(0)
    fabric = Fabric(accelerator=device, devices=1, precision=precision)
    fabric.launch()
    model: Model = catalog.load("family", family).load_model()(config).to(fabric.device)
    highest = highest_flops(fabric)
    noise = torch.Generator().manual_seed(0)
    clips = (0.1 * torch.randn(_CLIPS, 2, model.frames, generator=noise)).to(fabric.device)
    labels = torch.arange(_CLIPS, device=fabric.device) % 2
    start = time.perf_counter()
    model.adapt(parts(clips), Draw((0, "adapt"), range(config.batch)))
    adapt_s = time.perf_counter() - start

    def load(first: int, count: int) -> Batch:
        numbers = torch.arange(first, first + count, device=fabric.device) % _CLIPS
        return Batch(clips[numbers], labels[numbers], clips[numbers].flip(1))

    settings = TrainingSettings(steps=_STEPS, batch=config.batch, clip_norm=config.clip_norm or None)
    trainer = Trainer(model, load, settings, fabric)
    for first, last in phases(trainer):
        trainer.step = int((first + last) / 2 * _STEPS)
        running = trainer.run()
        with Operations() as counted:
            step = next(running)
        wait(fabric)
        start = time.perf_counter()
        for _ in range(steps):
            next(running)
        wait(fabric)
        step_s = (time.perf_counter() - start) / steps
        turns = dict.fromkeys(name.partition("/")[0] for name in step.losses)
        share = counted.total / step_s / highest
        found = {"turns": "+".join(turns), "from": first, "to": last, "step_s": step_s, "items": step.items}
        print(json.dumps({**found, "adapt_s": adapt_s, "peak": peak_bytes(fabric.device), "share": share}), flush=True)


def main() -> None:
    """Measure each preset in a process of its own, so that one's memory is not another's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--families", nargs="+", default=catalog.names("family"))
    parser.add_argument("--presets", nargs="+", default=["tiny", "default"])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        measure(*given.one, given.steps, given.device, given.precision)
        return
    print(f"{platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    columns = f"{'steps/s':>8} {'clips/s':>8} {'MiB':>6} {'of peak':>8}"
    print(f"{'family':16} {'preset':10} {'turns':28} {'progress':12} {columns}")
    for family in given.families:
        for preset in given.presets:
            words = [sys.executable, __file__, "--one", family, preset, "--steps", str(given.steps)]
            words += ["--device", given.device, "--precision", given.precision]
            result = subprocess.run(words, capture_output=True, text=True, check=True)
            for line in result.stdout.splitlines():
                row = json.loads(line)
                span = f"{row['from']:.2f}-{row['to']:.2f}"
                speed = f"{1 / row['step_s']:8.2f} {row['items'] / row['step_s']:8.1f}"
                speed += f" {row['peak'] / 2**20:6.0f} {row['share']:8.2f}"
                print(f"{family:16} {preset:10} {row['turns']:28} {span:12} {speed}")


if __name__ == "__main__":
    main()
