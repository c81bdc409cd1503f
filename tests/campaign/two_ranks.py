"""Every family on two ranks: their weights are equal, and how far they are from those of one rank with both batches.

By hand: ``python tests/campaign/two_ranks.py [FAMILY ...]``. Trains ``tiny`` in float64, at the start and towards the
end of a training; prints a row a family and ends with status 1 where two ranks differ from each other. A family that
takes no statistics over a batch is equal to one rank, too, to 1e-6; others say by how much they are not.
"""

import json
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from test_families import LABELLED_FEEDS, NAMES, build, burst, tiny

from stereokit import catalog
from stereokit.training.draw import Draw
from stereokit.training.ranks import end_ranks
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Trainer
from stereokit.training.turn import Batch

STEPS, LONG, ITEMS, BATCH, CLASSES = 3, 1_000, 24, 8, 3
CLOSE = 1e-6


def train(name: str, ranks: int, start: int, folder: Path) -> None:
    """Be all ranks of a training; each leaves its weights."""
    torch.set_num_threads(1)
    fabric = Fabric(accelerator="cpu", devices=ranks, strategy="ddp" if ranks > 1 else "auto")
    fabric.launch()
    family, config, model = catalog.load("family", name), tiny(name), build(name)
    clips = torch.stack([burst(item, model.frames) for item in range(ITEMS)])
    has_labels = family.feed_of(config) in LABELLED_FEEDS
    labels = torch.arange(ITEMS) % CLASSES if has_labels else None

    def load(first: int, count: int) -> Batch:
        items = torch.arange(first, first + count) % ITEMS
        targets = clips[items].flip(1) if family.feed == "pairs" else None
        return Batch(clips[items], None if labels is None else labels[items], targets)

    model.adapt(iter(clips.split(5)), Draw((0, "adapt"), [0]), labels)
    settings = TrainingSettings(LONG, BATCH // ranks, clip_norm=config.clip_norm or None, is_double=True)
    trainer = Trainer(model, load, settings, fabric)
    trainer.step = start
    list(islice(trainer.run(), STEPS))
    tensors = {key: tensor.contiguous().clone() for key, tensor in trainer.model.named_parameters()}
    save_file(tensors, folder / f"{fabric.global_rank}.safetensors")
    end_ranks(fabric, should_wait=True)


def weights(name: str, ranks: int, start: int) -> list[dict[str, torch.Tensor]]:
    """Train in processes of their own; return each rank's weights."""
    with tempfile.TemporaryDirectory() as folder:
        words = [name, str(ranks), str(start), folder]
        done = subprocess.run(
            [sys.executable, __file__, "--train", *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{name}: {done.stderr[-2000:]}")
        return [load_file(Path(folder, f"{rank}.safetensors")) for rank in range(ranks)]


def furthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Return the largest difference of two models' weights."""
    return max(float((one[key] - other[key]).abs().max()) for key in one if one[key].numel())


def main() -> None:
    """Print a row a family."""
    if sys.argv[1:2] == ["--train"]:
        train(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
        return
    is_bad = False
    for name in sys.argv[1:] or NAMES:
        for start in (0, LONG - STEPS):
            (alone,), (first, second) = weights(name, 1, start), weights(name, 2, start)
            apart, off = furthest(first, second), furthest(first, alone)
            is_bad |= apart > 0.0
            told = (
                "equal to one rank"
                if off <= CLOSE
                else "not one rank: statistics over the batch, or gradients of rounding"
            )
            print(json.dumps({"family": name, "from_step": start, "ranks_apart": apart, "from_one_rank": off}), told)
    sys.exit(1 if is_bad else 0)


if __name__ == "__main__":
    main()
