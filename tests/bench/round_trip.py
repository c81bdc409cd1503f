"""Stereo clips to the pictures of ``gansynth`` and back, without a network: what each form of them loses.

    python tests/bench/round_trip.py [FOLDER ...] [--clips 60] [--seconds 0.4] [--noise 0.1] [--json]

Stabs are synthesised; of each folder's recordings those are read whose left and right differ, from their start, at
44.1 kHz, faded out over 10 ms. Figures are medians over clips, of both channels and of their side; the distance of
short-time side distances (STSD EMD) is a mean, as is the one of ``--noise``: steps that are off by that, normally
distributed, and levels by 0.3 of it, which is what a network's pictures are like. A distance is to be held against the
last row, silence.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from stereokit.data.synth.stabs import make
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.paired.figures import PairSums
from stereokit.metrics.side import short_time_side_distances
from stereokit.representations.mel_phase import MelPhase

RATE, FADE = 44_100, 441
ENDINGS = {".wav", ".flac", ".aif", ".aiff", ".ogg"}
LEVEL_NOISE = 0.3
PUBLISHED = {"form": "printed", "hop": 512}
COVERED = {"hop": None}
VARIANTS = {
    "published: summed over frequency": PUBLISHED | {"integral": "frequency"},
    "printed, summed over time": PUBLISHED,
    "printed, without mel": PUBLISHED | {"bands": 0},
    "mended, 1024 bands, hop 512": {"hop": 512},
    "mended, 1024 bands": COVERED,
    "mended, 1024 bands, left/right": COVERED | {"channels": "left-right"},
    "mended, 256 bands": COVERED | {"bands": 256},
    "mended, 256 bands, left/right": COVERED | {"bands": 256, "channels": "left-right"},
    "mended, 256 bands, rotated 30": COVERED | {"bands": 256, "channels": "rotated", "angle_degrees": 30.0},
    "mended, 256 bands, rotated 60": COVERED | {"bands": 256, "channels": "rotated", "angle_degrees": 60.0},
    "mended, 256 bands, no iterations": COVERED | {"bands": 256, "iterations": 0},
    "mended, without mel": COVERED | {"bands": 0},
    "mended, without mel, no iterations": COVERED | {"bands": 0, "iterations": 0},
}
COLUMNS = {
    "snr_inner_db": "SNR before the tail",
    "snr_db": "SNR",
    "side_snr_db": "of the side",
    "lsd": "LSD",
    "side_lsd": "of the side",
    "mel_mae": "mel MAE",
    "stsd_emd": "STSD EMD",
    "noisy_stsd_emd": "with noise",
    "clip_ms": "ms a clip",
}


def cut(samples, frames):
    """Return the first frames of samples, (2, T), faded out, or padded."""
    kept = np.zeros((2, frames), np.float32)
    heard = samples[:, :frames]
    kept[:, : heard.shape[1]] = heard
    kept[:, -FADE:] *= np.cos(np.linspace(0.0, np.pi / 2.0, FADE))
    return kept


def synthesised(count, frames):
    return torch.from_numpy(
        np.stack([cut(make(np.random.default_rng(seed), RATE).clip.samples, frames) for seed in range(count)])
    )


def recorded(folder, count, frames):
    """Return up to ``count`` drawn clips of a folder, (clips, 2, T)."""
    clips, unread = [], 0
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS):
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=-1)
        except soundfile.LibsndfileError:
            unread += 1
            continue
        if samples.shape[1] != 2 or np.array_equal(samples[:, 0], samples[:, 1]):
            continue
        # a little more than needed: a resampler's end is not its middle
        samples = samples[: int(rate * (frames / RATE + 0.1))]
        clips.append(cut((samples if rate == RATE else soxr.resample(samples, rate, RATE)).T, frames))
    if unread:
        print(f"{folder}: {unread} files could not be read", file=sys.stderr)
    if not clips:
        sys.exit(f"{folder}: no recording whose left and right differ")
    chosen = np.random.default_rng(0).permutation(len(clips))[:count]
    return torch.from_numpy(np.stack([clips[number] for number in sorted(chosen)]))


def side_distance(clips, back):
    """Return the mean earth mover's distance between the short-time side distances of clips and those of others."""
    first, second = (
        [np.sort(each) for each in short_time_side_distances([Excerpt(*clip.numpy(), RATE, 1.0) for clip in some])]
        for some in (clips, back)
    )
    return float(np.mean([np.abs(one - other).mean() for one, other in zip(first, second, strict=True)]))


def compared(clips, back, inner):
    both = np.stack([back.numpy(), clips.numpy()]).astype(np.float64)
    sums = PairSums(len(clips), RATE)
    sums.look(both)
    sums.look_again(both)
    figures = sums.figures()
    before = both[..., :inner]
    error = np.square(before[0] - before[1]).sum((1, 2))
    of_inner = 10 * np.log10(np.square(before[1]).sum((1, 2)) / np.maximum(error, 1e-20))
    return {
        "snr_inner_db": np.median(of_inner),
        "snr_db": np.nanmedian(figures["left_right"]["snr_db"]),
        "side_snr_db": np.nanmedian(figures["side"]["snr_db"]),
        "lsd": np.nanmedian(figures["left_right"]["lsd"]),
        "side_lsd": np.nanmedian(figures["side"]["lsd"]),
        "mel_mae": np.nanmedian(figures["left_right"]["mel_mae"]),
        "stsd_emd": side_distance(clips, back),
    }


@torch.inference_mode()
def measured(clips, options, noise):
    form = MelPhase(samples=clips.shape[-1], sample_rate=RATE, **options)
    pictures = form.encode(clips)
    begun = time.perf_counter()
    back = form.decode(pictures, None)
    spent = time.perf_counter() - begun
    # what all spectra reach, without the fade
    row = compared(clips, back, min((form.shape[2] - 1) * form.transform.hop, clips.shape[-1]) - FADE)
    errors = noise * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    errors[:, :2] *= LEVEL_NOISE
    noisy = form.decode(pictures + errors, None)
    return row | {"noisy_stsd_emd": side_distance(clips, noisy), "clip_ms": 1_000 * spent / len(clips)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--clips", type=int, default=60, help="of each set, at most")
    parser.add_argument("--seconds", type=float, default=0.4, help="of a clip")
    parser.add_argument("--noise", type=float, default=0.1, help="in half turns")
    parser.add_argument("--only", default="", help="variants whose name contains this")
    parser.add_argument("--json", action="store_true", help="a JSON object a row")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    frames = round(arguments.seconds * RATE)
    sets = {"stabs": synthesised(arguments.clips, frames)}
    sets |= {folder.name: recorded(folder, arguments.clips, frames) for folder in arguments.folders}
    for name, clips in sets.items():
        if not arguments.json:
            print(f"\n{name}: {len(clips)} clips of {arguments.seconds} s")
            print(f"{'':36}" + "".join(f"{title:>{len(title) + 2}}" for title in COLUMNS.values()))
        rows = {title: options for title, options in VARIANTS.items() if arguments.only in title}
        for title, options in rows.items():
            row = measured(clips, options, arguments.noise)
            if arguments.json:
                print(json.dumps({"set": name, "form": title} | {key: float(value) for key, value in row.items()}))
                continue
            cells = "".join(
                f"{row[key]:>{len(label) + 2}.{1 if key.endswith(('db', 'ms')) else 2 if 'lsd' in key else 4}f}"
                for key, label in COLUMNS.items()
            )
            print(f"{title:36}{cells}", flush=True)
        silence = side_distance(clips, torch.zeros_like(clips))
        if arguments.json:
            print(json.dumps({"set": name, "form": "silence", "stsd_emd": silence}))
        else:
            print(f"{'silence':36}{silence:>{sum(len(label) + 2 for label in list(COLUMNS.values())[:7])}.4f}")


if __name__ == "__main__":
    main()
