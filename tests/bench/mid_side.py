"""Mid/side against left/right, and the published recipe against ours: the same seeds, data and steps for each.

    python tests/bench/mid_side.py WORK [--drums DRUMS] [--rows mid-side left-right rotated default published]
        [--preset small] [--seeds 0 1 2] [--steps N | --minutes M] [--clips 1152] [--jobs 2]

Without DRUMS the data are synthesised stabs: 432 sources in 24 variants to learn from, 48 to choose by, and 48 others
in 24 variants to be held against. DRUMS is a folder with ``labels.csv`` (file_name, label, machine); its files with a
side are split by machine, and their classes are the conditions. A row is an encoding of the preset, or ``published``:
their transform and recipe, beside ``default``, the same mended; beside small, both have networks of small's size. WORK
keeps data, runs and clips: what is there is not made again. Each table has the mean and the deviation over the seeds,
and what the training clips get. With --jobs 2 two trainings run at a time, with a thread each. ``--causes`` prints how
mid, side, left and right differ as pictures to learn, and trains nothing.
"""

import argparse
import concurrent.futures
import csv
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from stereokit.audio.clip import Clip
from stereokit.audio.spectrum import mel_filters
from stereokit.representations.mel_phase import MelPhase

PAPER = {"left-right": (0.3455, 0.00142, 0.7622), "mid-side": (0.4531, 0.00105, 0.6866)}
SECONDS = 0.4
PROTOCOLS = {
    "ml2020": ("--protocol", "ml2020", "--drop-silent"),
    "paper": ("--protocol", "paper"),
    "logmel": ("--feature", "logmel"),
}
ROWS = {
    "mid-side": ("channels=mid-side",),
    "left-right": ("channels=left-right",),
    "rotated": ("channels=rotated", "angle_degrees=22.5"),
    "default": None,
    "published": None,
}
# What keeps two recipes comparable on two cores.
SIZES_OF_SMALL = ("mel_bands=256", "widths=96,96,64,32,16", "latent=128", "batch=16")


def stereokit(*words, threads=2):
    """Run a command and return its JSON rows."""
    start = "from stereokit.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words)],
        capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    )  # fmt: skip
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def stabs(work):
    """Return the data set of stabs, and the folder of those that no training sees."""
    dataset, unseen = work / "stabs", work / "stabs-unseen"
    if not (dataset / "dataset.json").exists():
        stereokit("prep", "--synth", "stabs", "--count", 480, "--augment", "stabs24", "--length", SECONDS,
                  "--split", "0.9,0.1,0", "-o", dataset)  # fmt: skip
    if not (unseen / "dataset.json").exists():
        stereokit("prep", "--synth", "stabs", "--count", 48, "--seed", 1, "--augment", "stabs24", "--length", SECONDS,
                  "--split", "1,0,0", "-o", unseen)  # fmt: skip
    return dataset, unseen / "train"


def stereo_drums(drums, work):
    """Return the data set of drums with a side, a third of the machines unseen, and the folder of those."""
    dataset = work / "drums"
    if not (dataset / "dataset.json").exists():
        with (drums / "labels.csv").open() as file:
            counts = Counter(row["machine"] for row in csv.DictReader(file) if row["label"])
        machines = sorted(counts, key=lambda name: (-counts[name], name))
        splits = ("train", "test", "train", "validation", "train", "test")
        given = [f"{machine},{splits[place % len(splits)]}" for place, machine in enumerate(machines)]
        (work / "machines.csv").write_text("\n".join(["group,split", *given]) + "\n")
        labels = [word for name in sorted(labels_of(drums)) for word in ("--only", name)]
        stereokit("prep", drums, "--labels", drums / "labels.csv", "--group", "machine", *labels, "--only-stereo",
                  "--length", SECONDS, "--assign", work / "machines.csv", "-o", dataset)  # fmt: skip
    return dataset, dataset / "test"


def labels_of(drums):
    with (drums / "labels.csv").open() as file:
        return {row["label"] for row in csv.DictReader(file)} - {""}


def rows_of(folder):
    """Return each clip's path and label."""
    place = folder if (folder / "metadata.jsonl").exists() else folder.parent
    rows = [json.loads(line) for line in (place / "metadata.jsonl").read_text().splitlines()]
    found = [(place / row["file_name"], row["label"]) for row in rows]
    return [(path, label) for path, label in found if path.parent == folder]


def read(path):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Clip(samples.T, rate)


def figures(clip):
    """Return what a judge of labels listens to: the pitch classes and the bands over time of the louder of M and S."""
    left, right = clip.samples
    wave = left + right if np.square(left + right).sum() >= np.square(left - right).sum() else left - right
    n_fft = 8192
    spectrum = np.abs(np.fft.rfft(wave[: int(0.3 * clip.sample_rate)] * np.hanning(int(0.3 * clip.sample_rate)), n_fft))
    hertz = np.arange(spectrum.size) * clip.sample_rate / n_fft
    chosen = (hertz > 50) & (hertz < 2000)
    classes = np.round(12 * np.log2(hertz[chosen] / 440.0)).astype(int) % 12
    chroma = np.bincount(classes, spectrum[chosen] ** 0.5, 12)
    windows = np.lib.stride_tricks.sliding_window_view(wave, 1024)[::512] * np.hanning(1024)
    power = (
        np.abs(np.fft.rfft(windows)) ** 2
        @ mel_filters(sample_rate=clip.sample_rate, n_fft=1024, bands=24, low_hz=40.0, high_hz=clip.sample_rate / 2).T
    )
    parts = np.array_split(np.log10(power + 1e-5), 4)
    return np.concatenate([chroma / max(chroma.sum(), 1e-9) * 12, *(part.mean(0) for part in parts)])


class Judge:
    """Tells a clip's label: a linear classifier, trained on training clips."""

    def __init__(self, rows):
        self.labels = sorted({label for _, label in rows})
        chosen = [rows[number] for number in np.random.default_rng(0).permutation(len(rows))[:3000]]
        inputs = torch.tensor(np.stack([figures(read(path)) for path, _ in chosen]), dtype=torch.float64)
        wanted = torch.tensor([self.labels.index(label) for _, label in chosen])
        self.mean, self.deviation = inputs.mean(0), inputs.std(0) + 1e-9
        self.layer = torch.nn.Linear(inputs.shape[1], len(self.labels), dtype=torch.float64)
        optimiser = torch.optim.LBFGS(self.layer.parameters(), max_iter=200)

        def loss():
            optimiser.zero_grad()
            told = self.layer((inputs - self.mean) / self.deviation)
            value = torch.nn.functional.cross_entropy(told, wanted) + 1e-3 * self.layer.weight.square().sum()
            value.backward()
            return value

        optimiser.step(loss)

    @torch.no_grad()
    def accuracy(self, rows):
        inputs = torch.tensor(np.stack([figures(read(path)) for path, _ in rows]), dtype=torch.float64)
        told = self.layer((inputs - self.mean) / self.deviation).argmax(1).tolist()
        return float(np.mean([self.labels[one] == label for one, (_, label) in zip(told, rows, strict=True)]))


def scores(generated, reference):
    """Return (COV, MMD, 1-NNA) by protocol, and the image classes' shares."""
    found = {}
    for name, words in PROTOCOLS.items():
        row = stereokit("score", generated, reference, "--json", *words)[-1]
        found[name] = row["cov"], row["mmd"], row["nna"]
        found[f"{name} expected"] = row["expected"]
        classes = row["audit"]["gen"]["image_classes"]
    total = sum(classes.values())
    found["classes"] = {name: count / total for name, count in classes.items()}
    return found


@dataclass(frozen=True)
class Sounds:
    """What is learned from, what it is held against, and who tells the labels."""

    kind: str
    dataset: Path
    unseen: Path
    judge: Judge


def bench(row, seed, sounds, arguments):
    """Train, generate and score one row's seed, or take what is there."""
    kind, dataset, unseen, judge = sounds.kind, sounds.dataset, sounds.unseen, sounds.judge
    work, name = arguments.work, f"{kind}-{row}-{arguments.preset}-{seed}"
    result = work / f"{name}.json"
    if result.exists():
        return json.loads(result.read_text())
    run, generated = work / f"run-{name}", work / f"gen-{name}"
    threads = max(1, 2 // arguments.jobs)
    if not (run / "model.safetensors").exists() or not (work / f"{name}.train.json").exists():
        is_recipe = ROWS[row] is None
        changed = ROWS[row] or (SIZES_OF_SMALL if arguments.preset == "small" else ())
        preset = row if is_recipe else arguments.preset
        settings = [word for assignment in changed for word in ("--set", assignment)]
        length = ["--minutes", arguments.minutes] if arguments.minutes else ["--steps", arguments.steps]
        fresh = ["gansynth", dataset, "--preset", preset, *settings, "--seed", seed, *length, "--force"]
        words = ["--resume"] if (run / "training" / "state.json").exists() else fresh
        (trained,) = stereokit("train", *words, "-o", run, "--device", arguments.device, threads=threads)
        (work / f"{name}.train.json").write_text(json.dumps(trained))
    trained = json.loads((work / f"{name}.train.json").read_text())
    if not (generated / "generated.json").exists():
        stereokit("generate", run, "-n", arguments.clips, "-o", generated, "--force", threads=threads)
    found = scores(generated, unseen) | {"seconds": trained["seconds"], "steps": trained["steps"]}
    found["label accuracy"] = judge.accuracy(rows_of(generated))
    result.write_text(json.dumps(found))
    return found


def table(kind, results, ceiling, expected, judge_accuracy):
    """Print mean and deviation of each row over its seeds."""
    print(f"\n{kind}: COV / MMD x 1000 / 1-NNA; expected of a perfect generator: "
          + "; ".join(f"{name} {one['cov']:.2f} / - / {one['nna']:.2f}" for name, one in expected.items()))  # fmt: skip
    print("| row | " + " | ".join(PROTOCOLS) + " | wide classes | label as asked | steps | seconds |")
    print("|---|" + "--:|" * (len(PROTOCOLS) + 4))
    for row, founds in {**results, "training clips": [ceiling]}.items():
        cells = []
        for name in PROTOCOLS:
            values = np.array([found[name] for found in founds]) * [1, 1000 if name != "logmel" else 1, 1]
            cells.append(" / ".join(f"{m:.3f}+-{s:.3f}" for m, s in zip(values.mean(0), values.std(0), strict=True)))
        wide = np.array([1.0 - found["classes"].get("NNN", 0.0) for found in founds])
        cells.append(f"{wide.mean():.2f}+-{wide.std():.2f}")
        cells.append(f"{np.mean([found.get('label accuracy', judge_accuracy) for found in founds]):.2f}")
        cells += [f"{np.mean([found.get(key, 0) for found in founds]):.0f}" for key in ("steps", "seconds")]
        print(f"| {row} | " + " | ".join(cells) + " |")
    both = [results.get(name) for name in ("mid-side", "left-right")]
    if all(both):
        for name in PROTOCOLS:
            pairs = list(zip(*([found[name] for found in founds] for founds in both), strict=False))
            wins = [sum(one[place] * sign > other[place] * sign for one, other in pairs)
                    for place, sign in ((0, 1), (1, -1), (2, -1))]  # fmt: skip
            print(
                f"mid-side ahead of left-right, {name}: COV {wins[0]}, MMD {wins[1]}, 1-NNA {wins[2]} of {len(pairs)}"
            )
    print(f"label accuracy of the judge on unseen clips: {judge_accuracy:.2f}")
    if kind == "stabs":
        for name, (cov, mmd, nna) in PAPER.items():
            print(f"the paper's {name} (their stabs, ml2020): {cov:.3f} / {mmd * 1000:.2f} / {nna:.3f}")


@torch.no_grad()
def causes(folder, *, bands=256):
    """Print how the two pictures of each encoding differ: energy, spread, and how far phases keep their course."""
    clips = torch.from_numpy(np.stack([read(path).samples for path, _ in rows_of(folder)[:512]]))
    print("| encoding | energy of 2nd / 1st (median, dB) | level spread 1st, 2nd (sd) | phase step sd 1st, 2nd, "
          "weighted by level | pictures' correlation |")  # fmt: skip
    print("|---|--:|--:|--:|--:|")
    for name, angle in (("mid-side", 45.0), ("left-right", 0.0), ("rotated 22.5", 22.5), ("rotated 67.5", 67.5)):
        form = MelPhase(samples=clips.shape[-1], sample_rate=44_100, bands=bands, channels="rotated",
                        angle_degrees=angle, hop=None)  # fmt: skip
        pictures = torch.cat([form.encode(part) for part in clips.split(32)])
        levels, steps = pictures[:, :2], pictures[:, 2:]
        power = (form.mixing @ clips).square().mean(-1)
        ratio = 10 * (power[:, 1] / power[:, 0].clamp_min(1e-12)).clamp_min(1e-9).log10().median()
        weights = form.power(pictures)[..., 1:].sqrt()
        moves = steps[..., 1:] - steps[..., 1:].mean(0)
        phase = [(weights[:, c] * moves[:, c].square()).sum() / weights[:, c].sum().clamp_min(1e-12) for c in (0, 1)]
        flat = (levels - levels.mean(0)).flatten(2)
        alike = torch.nn.functional.cosine_similarity(flat[:, 0], flat[:, 1], dim=-1).mean()
        spread = levels.std(0).mean((-2, -1)).tolist()
        print(f"| {name} | {ratio:.1f} | {spread[0]:.3f}, {spread[1]:.3f} | {phase[0].sqrt():.3f}, "
              f"{phase[1].sqrt():.3f} | {alike:.2f} |")  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--drums", type=Path)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--preset", default="small")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--clips", type=int, default=1152)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--causes", action="store_true")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    kind = "drums" if arguments.drums else "stabs"
    dataset, unseen = stereo_drums(arguments.drums, arguments.work) if arguments.drums else stabs(arguments.work)
    if arguments.causes:
        causes(dataset / "train")
        return
    if arguments.steps is None and arguments.minutes is None:
        parser.error("give --steps (equal for all rows) or --minutes")
    arguments.clips = min(arguments.clips, len(rows_of(unseen)))
    torch.manual_seed(0)
    judge = Judge(rows_of(dataset / "train"))
    accuracy = judge.accuracy(rows_of(unseen))
    sounds = Sounds(kind, dataset, unseen, judge)
    ceiling = scores(dataset / "train", unseen)
    results = {row: [] for row in arguments.rows}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        waiting = {
            (seed, row): pool.submit(bench, row, seed, sounds, arguments)
            for seed in arguments.seeds
            for row in arguments.rows
        }
        for (seed, row), future in waiting.items():
            found = future.result()
            results[row].append(found)
            told = "; ".join(f"{name} {' / '.join(f'{v:.4f}' for v in found[name])}" for name in PROTOCOLS)
            print(f"{kind} {row} seed {seed}: {told}; label as asked {found['label accuracy']:.2f}", flush=True)
    expected = {name: ceiling[f"{name} expected"] for name in PROTOCOLS}
    table(kind, results, ceiling, expected, accuracy)


if __name__ == "__main__":
    main()
