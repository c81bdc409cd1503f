"""Trains presets of ``drum-classifier`` on real drums, in folds of machines that a training never heard.

    python tests/bench/classifiers.py DRUMS WORK [--presets mfcc raw spec raw-spec resnet50 resnest50 cnn14
        cnn14-dla best] [--by machine|file] [--folds 0 1 2 3 4] [--minutes M] [--seed 0]
        [--set FIELD=VALUE ...] [--jobs 2]

DRUMS is a folder with ``labels.csv`` (file_name, label, machine). Machines, the largest first, go to the fold with the
fewest clips; of a fold's training machines the largest that fit into a tenth of the clips are for validation. With
--by file machines stand on both sides, which flatters: a machine's sounds are much alike. A row a fold: accuracy,
balanced accuracy, macro F1, calibration error, minutes of training, and clips a second that ``label predict`` tells
with everything counted. The last rows of a preset are over all clips together, and the confusion matrix. The thesis's
figures, of other sounds, stand beside. WORK keeps data sets and runs: an interrupted bench goes on where it was. No
network begins with weights from outside.
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

from stereokit.metrics.calibration import reliability
from stereokit.metrics.classification import classification_report, confusion

FOLDS, VALIDATION_SHARE = 5, 0.1
RATES = {"cnn14": 32_000, "cnn14-dla": 32_000}
# The thesis's accuracy and F1.
THESIS = {
    "raw": (0.52, 0.49), "spec": (0.61, 0.59), "raw-spec": (0.74, 0.74), "resnet50": (0.79, 0.78),
    "resnest50": (0.86, None), "cnn14": (0.86, None), "cnn14-dla": (0.86, None),
}  # fmt: skip
PRESETS = ("mfcc", *THESIS, "best")


def stereokit(*words):
    """Run a command and return its JSON rows; its messages are shown."""
    start = "from stereokit.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(map(str, words))}: status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def labelled(drums, by):
    """Return file name, label and group of each labelled file: its machine, or for ``file`` its own name."""
    with (drums / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["label"]]
    return [(row["file_name"], row["label"], row["machine"] if by == "machine" else row["file_name"]) for row in rows]


def groups_by_fold(rows):
    """Return the groups of each fold, and how many clips each group has."""
    counts = Counter(group for _, _, group in rows)
    if max(counts.values()) == 1:
        # files of one label come to all folds by turns
        order = [name for _, name in sorted((label, name) for name, label, _ in rows)]
        return [order[fold::FOLDS] for fold in range(FOLDS)], counts
    folds = [[] for _ in range(FOLDS)]
    for machine in sorted(counts, key=lambda name: (-counts[name], name)):
        min(folds, key=lambda fold: sum(counts[one] for one in fold)).append(machine)
    return folds, counts


def prepare(options, rows, fold, rate):
    """Return the data set of a fold: its groups are the test split."""
    stem = options.work / f"{options.by}-{fold}"
    dataset, table, assignment = Path(f"{stem}-{rate}"), Path(f"{stem}-labels.csv"), Path(f"{stem}-splits.csv")
    if not (dataset / "dataset.json").exists():
        folds, counts = groups_by_fold(rows)
        others = [group for other in folds if other is not folds[fold] for group in other]
        splits = dict.fromkeys(folds[fold], "test") | dict.fromkeys(others, "train")
        room = VALIDATION_SHARE * sum(counts[group] for group in others)
        # few large machines, so that many are left to learn from; files are sorted by label, so every so many
        largest = sorted(others, key=lambda group: -counts[group])
        for group in largest if options.by == "machine" else others[:: round(1.0 / VALIDATION_SHARE)]:
            if counts[group] <= room:
                splits[group] = "validation"
                room -= counts[group]
        write(assignment, [("group", "split"), *splits.items()])
        write(table, [("file_name", "label", "of"), *rows])
        only = [word for label in labels_of(rows) for word in ("--only", label)]
        stereokit("prep", options.drums, "--labels", table, "--group", "of", *only, "--length", "1.0", "--rate", rate,
                  "--assign", assignment, "-o", dataset)  # fmt: skip
    return dataset


def labels_of(rows):
    return sorted({label for _, label, _ in rows})


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def train(dataset, run, preset, options):
    """Train unless that was done; return the minutes that it took."""
    note = run.with_suffix(".minutes")
    if not note.exists():
        length = () if options.minutes is None or preset == "mfcc" else ("--minutes", options.minutes)
        changes = [word for change in options.set for word in ("--set", change)]
        begun = time.monotonic()
        stereokit("train", "drum-classifier", dataset, "-o", run, "--preset", preset, "--seed", options.seed,
                  "--device", "cpu", *length, *changes, *(("--resume",) if run.exists() else ()))  # fmt: skip
        note.write_text(f"{(time.monotonic() - begun) / 60.0:.2f}\n")
    return float(note.read_text())


def tell(dataset, run, labels, jobs):
    """Return truth and told labels of the test split, their probabilities, and clips told a second."""
    with (dataset / "metadata.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    truth = {row["file_name"]: row["label"] for row in rows if row["split"] == "test"}
    begun = time.monotonic()
    said_of = stereokit("label", "predict", run, dataset / "test", "--jobs", jobs, "--json")
    clips_s = len(truth) / (time.monotonic() - begun)
    told = {Path(row["file_name"]).name: row for row in said_of if row.get("best")}
    if untold := sum(Path(name).name not in told for name in truth):
        print(f"{untold} of {len(truth)} clips were told nothing: they count as wrong", flush=True)
    numbers = {label: number for number, label in enumerate(labels)}
    others = {label: labels[(number + 1) % len(labels)] for label, number in numbers.items()}
    known = [numbers[label] for label in truth.values()]
    said, sure = [], []
    for name, label in truth.items():
        row = told.get(Path(name).name)
        said.append(numbers[row["best"] if row else others[label]])
        sure.append(row["probability"] if row else 0.0)
    return np.array(known), np.array(said), np.array(sure), clips_s


def line(name, truth, said, sure, rest):
    report = classification_report(confusion(truth, said, int(max(truth.max(), said.max())) + 1))
    print(
        f"{name:24s} {len(truth):5d} clips  accuracy {report.accuracy:.3f}  balanced {report.balanced_accuracy:.3f}"
        f"  F1 {report.macro_f1:.3f}  ECE {reliability(sure, truth == said).error:.3f}  {rest}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drums", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--by", choices=("machine", "file"), default="machine")
    parser.add_argument("--folds", nargs="+", type=int, default=range(FOLDS))
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="+", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    rows = labelled(options.drums, options.by)
    labels = labels_of(rows)
    if options.by == "machine":
        folds, _ = groups_by_fold(rows)
        for fold in options.folds:
            print(f"fold {fold}: {', '.join(folds[fold])}", flush=True)
    for preset in options.presets:
        found = []
        for fold in options.folds:
            dataset = prepare(options, rows, fold, RATES.get(preset, 44_100))
            run = options.work / f"{options.by}-{fold}-{preset}-{options.seed}"
            minutes = train(dataset, run, preset, options)
            truth, said, sure, clips_s = tell(dataset, run, labels, options.jobs)
            found.append((truth, said, sure))
            line(f"{preset} fold {fold}", truth, said, sure, f"{minutes:.1f} min  {clips_s:.0f} clips/s")
        truth, said, sure = (np.concatenate(part) for part in zip(*found, strict=True))
        accuracy, f1 = THESIS.get(preset, (None, None))
        line(f"{preset} all", truth, said, sure, f"thesis {accuracy or '-'} / {f1 or '-'}")
        print("      " + " ".join(f"{label[:6]:>6s}" for label in labels))
        for label, row in zip(labels, confusion(truth, said, len(labels)), strict=True):
            print(f"{label[:6]:6s}" + " ".join(f"{count:6d}" for count in row), flush=True)


if __name__ == "__main__":
    main()
