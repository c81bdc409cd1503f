"""What the stream of training clips costs beside the training itself: ``python tests/bench/bench_loader.py``.

All figures come from one run on one machine, so its ratios hold where its seconds do not. The clips are noise, 16 bit,
as long as the family's own. ``--clips N`` sets the size of the set (default 1024), ``--steps N`` the steps of each
training (default 12), ``--preset NAME`` the preset (default tiny). Needs the extra ``train``.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import torch
from lightning_fabric import Fabric

from stereokit import catalog
from stereokit.data.corpus import Corpus, open_corpus
from stereokit.data.dataset import DATASET_SCHEMA, DESCRIPTION
from stereokit.data.tables import METADATA
from stereokit.training.draw import Draw
from stereokit.training.feed import Feed
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Trainer
from stereokit.training.turn import Batch

RATE_HZ, SECONDS, BATCH, CALLS = 44_100, 0.6, 32, 32
LIMITS = {"memory": None, "stream": 0}


@contextmanager
def data_set(count: int, *, sample_rate: int, frames: int) -> Iterator[Corpus]:
    """Write noise as prep leaves it: two labels, and the first half has the second as its targets."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train").mkdir()
        random = np.random.default_rng(0)
        rows = []
        for index in range(count):
            file_name = f"train/{index}.wav"
            soundfile.write(folder / file_name, random.integers(-9000, 9000, (frames, 2), np.int16), sample_rate)
            target = f"train/{index + count // 2}.wav" if index < count // 2 else None
            facts = {"split": "train", "sample_rate_hz": sample_rate, "frames": frames}
            rows.append({"file_name": file_name, "label": "ab"[index % 2], "target": target, **facts})
        (folder / METADATA).write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / DESCRIPTION).write_text(json.dumps({"schema": DATASET_SCHEMA, "fingerprint": ""}))
        os.sync()
        yield open_corpus(folder, "train", sample_rate=sample_rate, frames=frames)


def forget(corpus: Corpus) -> None:
    """Ask the system to drop the files from its cache, so that they come from the disk."""
    for clip in corpus.clips:
        with (corpus.folder / clip.file_name).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Timed:
    """A feed's load with a clock."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.seconds = 0.0
        self.clips = 0

    def __call__(self, first: int, count: int) -> Batch:
        start = time.perf_counter()
        batch = self.feed.load(first, count)
        self.seconds += time.perf_counter() - start
        self.clips += count
        return batch


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def bench_load(count: int) -> None:
    """Print how many clips a second come when nothing else is done."""
    with data_set(count, sample_rate=RATE_HZ, frames=round(SECONDS * RATE_HZ)) as corpus:
        for name, limit in {**LIMITS, "stream, cold files": 0}.items():
            if "cold" in name and hasattr(os, "posix_fadvise"):
                forget(corpus)
            start = time.perf_counter()
            feed = Feed(corpus, "clips", seed=0, memory_limit_bytes=limit)
            opened = time.perf_counter() - start
            load = Timed(feed)
            with feed:
                for call in range(min(CALLS, count // BATCH)):
                    load(call * BATCH, BATCH)
            row(
                name,
                f"{load.clips / load.seconds:.0f}",
                f"{load.seconds / load.clips * BATCH * 1e3:.2f}",
                f"{opened:.2f}",
            )


def bench_family(name: str, preset: str, count: int, steps: int) -> None:
    """Print which part of a family's training is spent waiting for clips."""
    family = catalog.load("family", name)
    config = family.preset(preset)
    torch.manual_seed(0)
    model = family.load_model()(config)
    with data_set(count, sample_rate=model.sample_rate, frames=model.frames) as corpus:
        for place, limit in LIMITS.items():
            with Feed(corpus, family.feed_of(config), seed=0, memory_limit_bytes=limit) as feed:
                model.adapt(feed.in_order(), Draw((0, "adapt"), range(1)))
                load = Timed(feed)
                settings = TrainingSettings(steps=steps + 1, batch=config.batch)
                training = Trainer(model, load, settings, Fabric(accelerator="cpu", devices=1)).run()
                # The first step also allocates.
                next(training)
                load.seconds, load.clips = 0.0, 0
                start = time.perf_counter()
                for _ in training:
                    pass
                seconds = time.perf_counter() - start
            row(
                f"{name} {preset}, batch {config.batch}",
                place,
                f"{seconds / steps * 1e3:.1f}",
                f"{load.seconds / steps * 1e3:.2f}",
                f"{load.seconds / seconds:.4f}",
                f"{load.clips / (seconds - load.seconds):.0f}",
                f"{load.clips / load.seconds:.0f}",
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="What the stream of training clips costs.")
    parser.add_argument("--clips", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--preset", default="tiny")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} CPUs, {platform.machine()}\n"
    )
    print(f"Batches of {BATCH} clips of {SECONDS} s at {RATE_HZ} Hz, nothing else being done:\n")
    row("clips kept in", "clips/s", "ms a batch", "s to open")
    row(*["---"] * 4)
    bench_load(options.clips)
    print("\nWhile training:\n")
    row("family", "clips kept in", "ms a step", "of these loading", "share", "clips/s needed", "clips/s given")
    row(*["---"] * 7)
    for name in catalog.names("family"):
        bench_family(name, options.preset, options.clips, options.steps)


if __name__ == "__main__":
    main()
