"""Trains ``enhancer`` on electric pianos that should be grand ones, and prints the published table beside ours.

    python tests/bench/enhancer.py SOURCE WORK [--rows "small" "published loss=time" ...] [--minutes 20]

SOURCE is a folder of MIDI songs; the two whose names come last are the test, the third to last validates. Or it is a
data set of other pairs of 32,768 samples at 44.1 kHz, as ``prep --degrade`` makes them. A row is a preset and
assignments. WORK keeps renders and runs: an interrupted bench goes on where it was. Levels of both renders are matched
first. Figures are over windows of 8,192 samples of unseen pieces, mean and deviation; the mel distance is one that no
loss here optimises. Held against: silence, the inputs, and the best filter of 32 taps for each window, which knows the
target.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torchaudio.functional import melscale_fbanks

from stereokit.data.corpus import open_corpus
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.paired.figures import QUIET_DBFS, PairSums
from stereokit.metrics.side import short_time_side_distance
from stereokit.models._conversion import conversion, converting
from stereokit.models._run import load_run

RATE, WINDOW, CLIP, TAPS = 44_100, 8_192, 32_768, 32
ROWS = ("small loss=time", "small loss=time,frequency", "small loss=time,autoencoder", "small loss=time,adversarial",
        "small loss=time,adversarial critic_steps=5 penalty_weight=100", "small")  # fmt: skip
# The paper's table 1: SNR and LSD, mean and deviation over windows, of their renders.
PRINTED = {
    "time": ("2.63 ± 5.21", "1.65 ± 0.18"),
    "time,frequency": ("1.59 ± 4.90", "2.28 ± 0.18"),
    "time,autoencoder": ("1.75 ± 5.21", "2.21 ± 0.22"),
    "time,adversarial": ("-0.50 ± 5.42", "2.46 ± 0.14"),
    "input": ("-4.70 ± 3.23", ""),
}
MEL_SCALES = ((512, 40), (1_024, 80), (2_048, 160))


def stereokit(*words):
    start = "from stereokit.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(map(str, words))}: status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def render(midi, work):
    """Render all songs as pairs of clips, split by song; pairs that are there already stay as they are."""
    if (midi / "dataset.json").exists():
        return midi
    target = work / "pairs"
    if (target / "dataset.json").exists():
        return target
    words = ("--programs", "4,0", "--match-level", "--window", CLIP, "-o", target)
    stereokit("render-midi", midi, *words)
    rows = map(json.loads, (target / "metadata.jsonl").read_text().splitlines())
    groups = dict(sorted({row["source"]: row["group"] for row in rows}.items()))
    names = list(groups)
    splits = dict.fromkeys(names[-2:], "test") | {names[-3]: "validation"}
    lines = [f"{group},{splits.get(name, 'train')}" for name, group in groups.items()]
    (work / "split.csv").write_text("\n".join(["group,split", *lines]) + "\n")
    stereokit("render-midi", midi, *words, "--assign", work / "split.csv", "--force")
    return target


def mel_distance(made, target):
    """Return the mean difference of log mel spectra at three scales, of clips (N, 2, T), one value a clip."""
    total = torch.zeros(len(made))
    for size, bands in MEL_SCALES:
        window = torch.hann_window(size)
        bank = melscale_fbanks(size // 2 + 1, 0.0, RATE / 2.0, bands, RATE, norm="slaney")
        logs = []
        for waves in (made, target):
            spectra = torch.stft(waves.flatten(0, 1), size, size // 4, window=window, return_complex=True)
            logs.append(torch.log10(spectra.abs().square().mT @ bank + 1e-7))
        total += (logs[0] - logs[1]).abs().mean((1, 2)).view(len(made), 2).mean(1) / len(MEL_SCALES)
    return total.numpy()


def best_filters(given, target):
    """Return windows (N, 2, T) through the filter of few taps that brings each nearest to its target."""
    made = np.empty_like(given)
    places = np.arange(TAPS) - TAPS // 2
    for number, (window, wanted) in enumerate(zip(given, target, strict=True)):
        for channel in range(2):
            shifted = np.stack([np.roll(window[channel], place) for place in places], axis=1).astype(np.float64)
            taps, *_ = np.linalg.lstsq(shifted, wanted[channel].astype(np.float64), rcond=None)
            made[number, channel] = shifted @ taps
    return made


def figures(made, target):
    """Return each figure's values over the windows of clips (N, 2, T) whose target can be heard."""
    cut = [np.concatenate(np.split(clips, clips.shape[-1] // WINDOW, axis=-1)) for clips in (made, target)]
    found = {"snr_db": [], "si_sdr_db": [], "lsd": []}
    for first in range(0, len(cut[0]), 16):
        both = np.stack([side[first : first + 16] for side in cut]).astype(np.float64)
        sums = PairSums(both.shape[1], RATE)
        sums.look(both)
        sums.look_again(both)
        is_heard = sums.target_dbfs()["left_right"] >= QUIET_DBFS
        for name, values in found.items():
            values.append(sums.figures()["left_right"][name][is_heard])
    result = {name: np.concatenate(values) for name, values in found.items()}
    result["mel"] = mel_distance(torch.from_numpy(made), torch.from_numpy(target))
    widths = [
        np.array([short_time_side_distance(Excerpt(*clip, RATE, 1.0)).mean() for clip in clips])
        for clips in (made, target)
    ]
    result["stsd"] = widths[0] - widths[1]
    return result


def told(name, found, printed=("", "")):
    cells = [f"{found[key].mean():7.2f} ± {found[key].std(ddof=1):5.2f}" for key in ("snr_db", "si_sdr_db", "lsd")]
    mel, stsd = found["mel"].mean(), found["stsd"].mean()
    print(f"{name:58} {'  '.join(cells)}  {mel:6.3f}  {stsd:+8.5f}   {printed[0]:14} {printed[1]}", flush=True)


def train(row, dataset, work, minutes):
    preset, *assignments = row.split()
    run = work / "runs" / row.replace(" ", "_")
    words = [word for one in (f"seconds={CLIP / RATE!r}", *assignments) for word in ("--set", one)]
    if not (run / "config.json").exists():
        length = ("--minutes", minutes) if minutes else ()
        stereokit("train", "enhancer", dataset, "-o", run, "--preset", preset, *words, *length)
    elif minutes is None:
        stereokit("train", "--resume", "-o", run)
    return run


def separability(model, given, target, picture):
    """Draw nine channels of the bottleneck by t-SNE, and return how many of unseen clips a line tells apart."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - in the extra label
    from sklearn.manifold import TSNE  # noqa: PLC0415

    with torch.inference_mode():
        seen = [model.autoencoder.bottleneck(model.seen(clips).signals) for clips in (given, target)]
    flat = np.concatenate([torch.cat([one.mean(2), one.std(2)], 1).numpy() for one in seen])
    truth = np.repeat([0, 1], len(seen[0]))
    # a clip and its target are on one side
    is_first = np.tile(np.arange(len(seen[0])) < len(seen[0]) // 2, 2)
    probe = LogisticRegression(max_iter=2_000).fit(flat[is_first], truth[is_first])
    channels = np.random.default_rng(0).choice(seen[0].shape[1], 9, replace=False)
    places = np.concatenate([one[:64, channels, ::8].flatten(0, 1).numpy() for one in seen])
    drawn = TSNE(2, random_state=0).fit_transform(places)
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    for part, name in zip(np.split(drawn, 2), ("inputs", "targets"), strict=True):
        axes.plot(*part.T, ".", markersize=3, label=name)
    axes.legend()
    figure.savefig(picture)
    return probe.score(flat[~is_first], truth[~is_first])


def table(options):
    dataset = render(options.source, options.work)
    corpus = open_corpus(dataset, "test", sample_rate=RATE, frames=CLIP)
    pairs = list(corpus.pairs())
    chosen = [pairs[place] for place in np.linspace(0, len(pairs) - 1, options.clips).round().astype(int)]
    given, target = (np.stack([corpus.recording(pair[side]).to_clip().samples for pair in chosen]) for side in range(2))
    print(f"{len(chosen)} clips of {len(pairs)} of unseen pieces, windows of {WINDOW}")
    print(f"{'':58} {'SNR dB':^15}  {'SI-SDR dB':^15}  {'LSD':^15}  mel     STSD       printed: SNR, LSD")
    told("silence", figures(np.zeros_like(target), target))
    told("the inputs, levels matched", figures(given, target), PRINTED["input"])
    cut = [np.concatenate(np.split(clips, CLIP // WINDOW, axis=-1)) for clips in (given, target)]
    filtered = best_filters(*cut)
    joined = np.concatenate(np.split(filtered, CLIP // WINDOW), axis=-1)
    told(f"best {TAPS} taps a window (knows the target)", figures(joined, target))
    for row in options.rows:
        run = load_run(train(row, dataset, options.work, options.minutes))
        convert = conversion(converting(run.model))
        made = np.concatenate([convert(given[first : first + 4]) for first in range(0, len(given), 4)])
        told(row, figures(made, target), PRINTED.get(",".join(run.config.loss), ("", "")))
        if run.model.autoencoder is not None:
            picture = options.work / f"{row.replace(' ', '_')}.png"
            share = separability(run.model, torch.from_numpy(given), torch.from_numpy(target), picture)
            print(f"{'':4}inputs and targets told apart by a line through the bottleneck: {share:.2f} ({picture})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", nargs="+", default=ROWS)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--clips", type=int, default=64)
    table(parser.parse_args())
