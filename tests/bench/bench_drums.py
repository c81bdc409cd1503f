"""Trains ``drum-vae`` and ``drum-vae-gan`` on real drums, split by machine, and prints what becomes of unseen ones.

    python tests/bench/bench_drums.py DRUMS WORK [--rows "drum-vae default" "drum-vae published" ...] [--seeds 0 1 2]

DRUMS is a folder with ``labels.csv`` (file_name, label, machine). A row is a family, a preset and assignments
(``drum-vae-gan small discriminators=patch``). WORK keeps data sets and runs: an interrupted bench goes on where it was.
Each training gets ``--minutes`` if given; ``--clips`` generated ones are scored by 20 equal draws. Held against: the
nearest training clip, and waves of the mean spectrogram.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
import torch

from stereokit.losses.spectral import SpectralDistance
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.side import short_time_side_distances
from stereokit.models._run import load_run
from stereokit.representations._mid_side import to_mid_side
from stereokit.representations._stft import ShortTimeTransform
from stereokit.training.draw import Draw

CLASSES = ("kick", "snare", "hat", "crash", "ride", "clap", "shaker", "tom")
VALIDATION_SHARE = 0.2
RATE, STRIDE, STEPS = 44_100, 256, 9
# The thesis's transforms.
DISTANCE = SpectralDistance(
    sizes=(1024, 2048, 512), hops=(120, 240, 50), windows=(600, 1200, 240), form="magnitude", epsilon=0.02
)
ROWS = ("drum-vae default", "drum-vae published", "drum-vae element-wise", "drum-vae-gan default")


def stereokit(*words):
    """Run a command and return its JSON rows; its messages are shown."""
    start = "from stereokit.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(map(str, words))}: status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def assign_machines(drums, path):
    """Write which machine is in which split: halves of the clips, then the smallest machines of one for validation."""
    with (drums / "labels.csv").open() as file:
        counts = Counter(row["machine"] for row in csv.DictReader(file) if row["label"] in CLASSES)
    halves = ([], [])
    for machine in sorted(counts, key=lambda name: (-counts[name], name)):
        min(halves, key=lambda half: sum(counts[one] for one in half)).append(machine)
    test, rest = halves
    lines = ["group,split", *(f"{machine},test" for machine in test)]
    wanted, held = VALIDATION_SHARE * sum(counts[one] for one in rest), 0
    for machine in sorted(rest, key=lambda name: (counts[name], name)):
        lines.append(f"{machine},{'validation' if held < wanted else 'train'}")
        held += counts[machine] if held < wanted else 0
    path.write_text("\n".join(lines) + "\n")


def prepare(drums, work):
    dataset, assignment = work / "drums", work / "drums.csv"
    if not (dataset / "dataset.json").exists():
        assign_machines(drums, assignment)
        only = [word for label in CLASSES for word in ("--only", label)]
        stereokit("prep", drums, "--labels", drums / "labels.csv", "--group", "machine", *only, "--length", "1.0",
                  "--assign", assignment, "-o", dataset)  # fmt: skip
    return dataset


def read(folder, most):
    """Return up to ``most`` clips of a folder, evenly picked, (N, 2, T)."""
    paths = sorted(folder.rglob("*.wav"))
    picked = paths[:: max(1, -(-len(paths) // most))]
    return torch.from_numpy(np.stack([soundfile.read(path, dtype="float32")[0].T for path in picked]))


def parts(clips, size):
    """Yield blocks of exactly ``size`` clips, and how many of each count."""
    for block in torch.split(clips, size):
        yield torch.cat([block, block[-1:].expand(size - len(block), -1, -1)]), len(block)


def reconstructed(model, clips):
    made = []
    for number, (block, count) in enumerate(parts(clips, model.block_clips)):
        items = range(number * model.block_clips, (number + 1) * model.block_clips)
        made.append(model.decode(model.encode(block), Draw((0, "bench"), items))[:count])
    return torch.cat(made)


def levels_of(clips):
    """Return the levels of 1024-sample frames in dB, (N, 2 x bins x frames), to find near clips by."""
    transform = ShortTimeTransform(samples=clips.shape[-1], sample_rate=RATE, frames=87, window=1024, beta=None)
    powers = transform(to_mid_side(clips)).abs().square()
    bands = torch.nn.functional.adaptive_avg_pool2d(powers, (40, 40))
    return (bands + 1e-2).log().flatten(1)


def nearest(train, clips):
    return train[torch.cdist(levels_of(clips), levels_of(train)).argmin(1)]


def mean_spectrogram(train, count):
    transform = ShortTimeTransform(
        samples=train.shape[-1], sample_rate=RATE, frames=-(-train.shape[-1] // STRIDE) + 1, window=1024, beta=None,
        hop=STRIDE,
    )  # fmt: skip
    magnitudes = torch.stack([transform(one).abs() for one in train[:64].split(1)]).mean(0)
    phases = transform.phase_of(magnitudes, transform.first_phase(magnitudes), iterations=30, momentum=0.99)
    return transform.finish(transform.inverse(magnitudes * phases, further=STRIDE)).expand(count, -1, -1)


def si_sdr_db(made, real):
    """Return the ratio of what of the made clip is the real one, at any level, to the rest: medians over clips."""
    ours, theirs = made.flatten(1).double(), real.flatten(1).double()
    scale = (ours * theirs).sum(1, keepdim=True) / theirs.square().sum(1, keepdim=True).clamp_min(1e-12)
    wanted = scale * theirs
    ratio = wanted.square().sum(1) / (ours - wanted).square().sum(1).clamp_min(1e-12)
    return 10.0 * float(ratio.clamp_min(1e-10).log10().median())


def stsd_emd(made, real):
    """Return the mean distance of the sorted short-time side distances of clips."""
    ours, theirs = (
        [np.sort(each) for each in short_time_side_distances([Excerpt(*clip.numpy(), RATE, 1.0) for clip in some])]
        for some in (made, real)
    )
    return float(np.mean([np.abs(one - other).mean() for one, other in zip(ours, theirs, strict=True)]))


def distance(made, real):
    pairs = zip(to_mid_side(made).split(8), to_mid_side(real).split(8), strict=True)
    return float(np.mean([float(DISTANCE(ours, theirs)) for ours, theirs in pairs]))


def line_db(clips):
    """Return how far the multiples of the stride's rate stand out from their surroundings, in dB."""
    power = torch.fft.rfft(clips.mean(1) * torch.hann_window(clips.shape[-1])).abs().square().mean(0)
    step = clips.shape[-1] / STRIDE
    places = [round(number * step) for number in range(4, STRIDE // 2)]
    ratios = [power[place - 1 : place + 2].mean() / power[place - 40 : place + 41].median() for place in places]
    return 10.0 * float(torch.stack(ratios).log10().median())


def floor_db(clips):
    """Return the level of the last tenth of a second against the loudest tenth, the median in dB."""
    blocks = clips.mean(1).unfold(1, RATE // 10, RATE // 10).square().mean(2)
    return 10.0 * float((blocks[:, -1].clamp_min(1e-12) / blocks.amax(1).clamp_min(1e-12)).log10().median())


def variety(clips):
    """Return the mean distance of two clips' levels."""
    return float(torch.pdist(levels_of(clips)).mean())


def smoothness(model, clips):
    """Return how uneven the steps from one clip to another are: the largest over their mean; 1 is even."""
    found = []
    ends = model.encode(clips[: model.block_clips])
    draw = Draw((0, "bench"), range(model.block_clips))
    for first, second in zip(ends[::2], ends[1::2], strict=True):
        way = torch.stack([torch.lerp(first, second, share / (STEPS - 1)) for share in range(STEPS)])
        padded = torch.cat([way, way[-1:].expand(model.block_clips - STEPS, -1)])
        made = to_mid_side(model.decode(padded, draw.of([0] * model.block_clips))[:STEPS])
        steps = np.array([float(DISTANCE(made[one : one + 1], made[one + 1 : one + 2])) for one in range(STEPS - 1)])
        found.append(steps.max() / max(steps.mean(), 1e-9))
    return float(np.mean(found))


@torch.inference_mode()
def of_reconstruction(made, real):
    return {"distance": distance(made, real), "si_sdr_db": si_sdr_db(made, real), "stsd_emd": stsd_emd(made, real)}


@torch.inference_mode()
def of_model(run, real):
    model = load_run(run).model
    begun = time.perf_counter()
    made = torch.cat([model.sample(Draw((1, "sample"), range(first, first + 16)), None) for first in range(0, 64, 16)])
    rate = 64 / (time.perf_counter() - begun)
    return of_reconstruction(reconstructed(model, real), real) | {
        "clips_per_second": rate,
        "line_db": line_db(made),
        "floor_db": floor_db(made),
        "variety": variety(made),
        "unevenness": smoothness(model, real),
    }


def scores(generated, reference, feature):
    row = stereokit("score", generated, reference, "--json", "--feature", feature)[-1]
    return {f"{feature}_{name}": row[name] for name in ("mmd", "cov", "nna")}


def bench(dataset, work, name, *, seed, words, count):
    """Train, generate and score; return the figures and what training said."""
    family, preset, *assignments = name.split()
    title = f"{name.replace(' ', '-').replace('=', '-').replace(',', '-')}-{seed}"
    run, generated, kept = work / f"run-{title}", work / f"gen-{title}", work / f"{title}.json"
    if not kept.exists():
        settings = [word for assignment in assignments for word in ("--set", assignment)]
        is_begun = (run / "training" / "state.json").exists()
        fresh = [family, dataset, "--preset", preset, *settings, "--seed", seed, "--force", *words]
        (row,) = stereokit("train", *(["--resume"] if is_begun else fresh), "-o", run)
        stereokit("generate", run, "-n", count, "-o", generated, "--force")
        figures = {"seconds": row["seconds"], "steps": row["steps"], "chosen": row["chosen_step"]}
        for feature in ("logmel", "stsd"):
            figures |= scores(generated, dataset / "test", feature)
        kept.write_text(json.dumps(figures))
    return json.loads(kept.read_text())


def told(name, figures):
    cells = "  ".join(f"{key} {value:.4g}" for key, value in figures.items() if value is not None)
    print(f"{name:44s} {cells}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("drums", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", nargs="+", default=ROWS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--heard", type=int, default=128, help="unseen clips to reconstruct")
    arguments = parser.parse_args()
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    dataset = prepare(arguments.drums, work)
    test, train = read(dataset / "test", arguments.heard), read(dataset / "train", 10**6)
    with torch.inference_mode():
        real = {"line_db": line_db(test), "floor_db": floor_db(test), "variety": variety(test)}
        told("unseen clips", real)
        told("nearest training clip", of_reconstruction(nearest(train, test), test))
        told("waves of the mean spectrogram", of_reconstruction(mean_spectrogram(train, len(test)), test))
    limits = scores(dataset / "train", dataset / "test", "logmel") | scores(dataset / "train", dataset / "test", "stsd")
    told("training clips against unseen ones", limits)
    words = [] if arguments.minutes is None else ["--minutes", arguments.minutes]
    for name in arguments.rows:
        for seed in arguments.seeds:
            figures = bench(dataset, work, name, seed=seed, words=words, count=arguments.clips)
            title = f"{name.replace(' ', '-').replace('=', '-').replace(',', '-')}-{seed}"
            told(f"{name}, seed {seed}", figures | of_model(work / f"run-{title}", test))


if __name__ == "__main__":
    main()
