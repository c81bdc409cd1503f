"""Trains ``sample-gan`` on real kicks, split by machine, and prints how near each preset comes to unseen machines.

    python tests/bench/bench_kicks.py DRUMS WORK [--presets default published] [--seeds 0 1 2] [--swap]

DRUMS is a folder with ``labels.csv`` (file_name, label, machine). WORK keeps data sets and runs: an interrupted
bench goes on where it was. Each training gets ``--minutes`` if given; 160 clips are scored by 20 equal draws.
"""

import argparse
import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
import torch

from stereokit.models._run import load_run
from stereokit.training.draw import Draw

CLIPS = 160
VALIDATION_SHARE = 0.2


def stereokit(*words):
    """Run a command and return its JSON rows; its messages are shown."""
    start = "from stereokit.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(map(str, words))}: status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def assign_machines(drums, path, *, is_swapped):
    """Write which machine is in which split: halves of the kicks, then the smallest machines of one for validation."""
    with (drums / "labels.csv").open() as file:
        counts = Counter(row["machine"] for row in csv.DictReader(file) if row["label"] == "kick")
    halves = ([], [])
    for machine in sorted(counts, key=lambda name: (-counts[name], name)):
        smaller = min(halves, key=lambda half: sum(counts[one] for one in half))
        smaller.append(machine)
    test, rest = halves if not is_swapped else halves[::-1]
    lines = ["group,split", *(f"{machine},test" for machine in test)]
    wanted = VALIDATION_SHARE * sum(counts[one] for one in rest)
    held = 0
    for machine in sorted(rest, key=lambda name: (counts[name], name)):
        lines.append(f"{machine},{'validation' if held < wanted else 'train'}")
        held += counts[machine] if held < wanted else 0
    path.write_text("\n".join(lines) + "\n")


def prepare(drums, work, *, is_swapped):
    dataset = work / ("swapped" if is_swapped else "kicks")
    if not (dataset / "dataset.json").exists():
        assignment = work / f"{dataset.name}.csv"
        assign_machines(drums, assignment, is_swapped=is_swapped)
        stereokit("prep", drums, "--labels", drums / "labels.csv", "--group", "machine", "--only", "kick",
                  "--length", "0.6", "--assign", assignment, "-o", dataset)  # fmt: skip
    return dataset


def scores(generated, reference, *words):
    row = stereokit("score", generated, reference, "--json", *words)[-1]
    return row["mmd"], row["cov"], row["nna"]


def with_side(folder):
    """Return the list file of a folder's clips whose channels differ."""
    names = []
    for path in sorted(folder.glob("*.wav")):
        samples, _ = soundfile.read(path)
        if (samples[:, 0] != samples[:, 1]).any():
            names.append(path.name)
    listed = folder / "with_side.txt"
    listed.write_text("\n".join(names) + "\n")
    return listed


def fundamentals_hz(folder):
    """Return the strongest frequency from 30 to 250 Hz of each clip's middle."""
    found = []
    for path in sorted(folder.glob("*.wav")):
        samples, rate = soundfile.read(path)
        spectrum = np.abs(np.fft.rfft(samples.mean(1), 1 << 18))
        hertz = np.arange(len(spectrum)) * rate / (1 << 18)
        low = (hertz >= 30) & (hertz <= 250)
        found.append(hertz[low][spectrum[low].argmax()])
    return np.array(found)


def spread_semitones(hertz):
    return 12 * np.std(np.log2(hertz))


def checkerboard_db(pictures):
    """Return how far the periods 2 and 4 of rows and columns stand out from their neighbours, in dB."""
    power = torch.fft.fft2(pictures - pictures.mean((-2, -1), keepdim=True)).abs().square().mean((0, 1))
    size = power.shape[-1]
    ratios = []
    for row in (size // 4, size // 2):
        for column in (size // 4, size // 2):
            around = power[row - 3 : row + 4, column - 3 : column + 4].clone()
            middle = float(around[3, 3])
            around[3, 3] = 0.0
            ratios.append(middle / (float(around.sum()) / 48))
    return 10 * np.log10(np.mean(ratios))


@torch.inference_mode()
def generated_checkerboard_db(run):
    model = load_run(run).model.eval()
    return checkerboard_db(torch.cat([model.generator.make(Draw((9,), range(n, n + 16))) for n in range(0, 64, 16)]))


@torch.inference_mode()
def real_checkerboard_db(run, folder):
    model = load_run(run).model
    clips = np.stack([soundfile.read(path, dtype="float32")[0].T for path in sorted(folder.glob("*.wav"))[:64]])
    return checkerboard_db(model.representation.encode(torch.from_numpy(clips)))


def bench(dataset, work, preset, seed, words):
    name = f"{dataset.name}-{preset.replace(' ', '-')}-{seed}"
    run, generated = work / f"run-{name}", work / f"gen-{name}"
    if not (work / f"{name}.json").exists():
        base, *assignments = preset.split()
        settings = [word for assignment in assignments for word in ("--set", assignment)]
        resume = ["--resume"] if (run / "training" / "state.json").exists() else []
        fresh = (
            [] if resume else ["sample-gan", dataset, "--preset", base, *settings, "--seed", seed, "--force", *words]
        )
        (row,) = stereokit("train", *fresh, "-o", run, *resume)
        stereokit("generate", run, "-n", CLIPS, "-o", generated, "--force")
        (work / f"{name}.json").write_text(json.dumps(row))
    row = json.loads((work / f"{name}.json").read_text())
    timbre = scores(generated, dataset / "test", "--feature", "logmel")
    width = scores(with_side(generated), with_side(dataset / "test"), "--feature", "stsd")
    return row, generated, timbre, width, generated_checkerboard_db(run), real_checkerboard_db(run, dataset / "test")


def told(values):
    return " / ".join(f"{value:.3f}" for value in values)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("drums", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--presets", nargs="+", default=["default", "low-rank", "published"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--swap", action="store_true")
    parser.add_argument("--minutes", type=float)
    arguments = parser.parse_args()
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    dataset = prepare(arguments.drums, work, is_swapped=arguments.swap)
    train, test = dataset / "train", dataset / "test"
    limit = scores(train, test, "--feature", "logmel")
    print("                              logmel MMD / COV / 1-NNA   stsd MMD / COV / 1-NNA   fundamental")
    print(f"train against test            {told(limit)}      {told(scores(with_side(train), with_side(test)))}")
    print(f"fundamental, semitones        {spread_semitones(fundamentals_hz(test)):.1f} (test)")
    words = [] if arguments.minutes is None else ["--minutes", arguments.minutes]
    for preset in arguments.presets:
        timbres = []
        for seed in arguments.seeds:
            row, generated, timbre, width, made, real = bench(dataset, work, preset, seed, words)
            timbres.append(timbre)
            spread = spread_semitones(fundamentals_hz(generated))
            print(f"{preset:20s} seed {seed}   {told(timbre)}      {told(width)}      {spread:.1f}   "
                  f"checkerboard {made:.1f} dB (real {real:.1f})   {row['seconds']:.0f} s, step {row['chosen_step']} "
                  f"of {row['steps']}", flush=True)  # fmt: skip
        mean, deviation = np.mean(timbres, 0), np.std(timbres, 0)
        print(f"{preset:20s} mean     {told(mean)} (sd {told(deviation)})   "
              f"MMD x {mean[0] / limit[0]:.2f} (aim 1.5), COV x {mean[1] / limit[1]:.2f} (aim 0.7)")  # fmt: skip


if __name__ == "__main__":
    main()
