"""Measures what prep makes of clips beside cutting them: near-duplicates, stretching, degrading.

    python tests/bench/bench_variants.py [--clips 200] [--grouped 4000 44000] [--seed 77]

Near-duplicates: how many of procedural sounds are known again in each form, how many different ones are taken for the
same, bytes and time of a fingerprint, and how the time of grouping grows. Stretching: the side distance over time
against the clip's own, also with each channel stretched alone, the attack's error, time. Degrading: the shift of the
highest cross-correlation and the time of each degradation.
"""

import argparse
import io
import os
import time
from functools import partial
from multiprocessing import get_context

import numpy as np
import soundfile

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.audio.resample import resample
from stereokit.data.augmentation._vocoder import stretched
from stereokit.data.degradation._plan import parse_degradation
from stereokit.data.fingerprints import fingerprint
from stereokit.data.near_duplicates import groups_of
from stereokit.data.synth._voice import make_sound
from stereokit.metrics.distance import pair_distance
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.side import short_time_side_distance

RATE = 44_100


def drawn(voice, seed, index):
    return make_sound(catalog.load("synth", voice), seed=seed, index=index, sample_rate=RATE).clip


def encoded(clip, container, subtype):
    data = io.BytesIO()
    soundfile.write(data, clip.samples.T, clip.sample_rate, format=container, subtype=subtype, compression_level=0.6)
    data.seek(0)
    samples, rate = soundfile.read(data, dtype="float32", always_2d=True)
    return Clip(np.ascontiguousarray(samples.T), rate)


def cut(clip, start, share):
    return Clip(clip.samples[:, round(start * RATE) : round(clip.frames * share)], RATE)


FORMS = {
    "MP3, 128 kbit/s": lambda clip: encoded(clip, "MP3", "MPEG_LAYER_III"),
    "Vorbis": lambda clip: encoded(clip, "OGG", "VORBIS"),
    "14 dB softer": lambda clip: Clip(clip.samples * np.float32(0.2), RATE),
    "5 ms off the start": lambda clip: cut(clip, 0.005, 1.0),
    "40 % off the end": lambda clip: cut(clip, 0.0, 0.6),
    "padded": lambda clip: Clip(np.pad(clip.samples, ((0, 0), (3001, 5000))), RATE),
    "22.05 kHz": lambda clip: resample(clip, 22_050),
    "swapped": lambda clip: Clip(clip.samples[::-1].copy(), RATE),
    "softer, cut, swapped, MP3": lambda clip: encoded(
        cut(Clip(clip.samples[::-1] * np.float32(0.5), RATE), 0.003, 0.7), "MP3", "MPEG_LAYER_III"
    ),
}


def bench_recall(voice, clips):
    started = time.perf_counter()
    known = [fingerprint(clip) for clip in clips]
    spent = (time.perf_counter() - started) / len(clips)
    joined = sum(first != index for index, first in enumerate(groups_of(known)))
    size = np.mean([len(data) for data in known])
    print(f"{voice}: {size:.0f} bytes, {1e3 * spent:.1f} ms a clip; {joined} of {len(clips)} different ones joined")
    for name, change in FORMS.items():
        groups = groups_of(known + [fingerprint(change(clip)) for clip in clips])
        found = sum(groups[len(clips) + index] == groups[index] for index in range(len(clips)))
        print(f"  {name:28s} {100 * found / len(clips):5.1f} % known again")


def print_of(seed, index):
    return fingerprint(drawn("drums", seed, index))


def bench_grouping(counts, seed):
    with get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        known = pool.map(partial(print_of, seed), range(max(counts)), chunksize=64)
    for count in counts:
        started = time.perf_counter()
        joined = sum(first != index for index, first in enumerate(groups_of(known[:count])))
        spent = time.perf_counter() - started
        print(f"grouping {count} drums: {spent:.1f} s, {1e3 * spent / count:.3f} ms a clip, {joined} joined")


def course(samples):
    left, right = samples.astype(np.float32)
    return short_time_side_distance(Excerpt(left, right, RATE, 1.0))


def bench_stretching(clips):
    emd = catalog.load("distance", "emd")
    before = [course(clip.samples) for clip in clips]
    apart = [pair_distance(a, b, emd) for index, a in enumerate(before) for b in before[:index]]
    print(f"stretching: courses of side distance are {np.mean(apart):.3f} apart among the clips")
    for factor in (0.9, 1.1, 1.5):
        started = time.perf_counter()
        made = [stretched(clip.samples.astype(np.float64), sample_rate=RATE, factor=factor) for clip in clips]
        spent = (time.perf_counter() - started) / len(clips)
        alone = [
            np.stack([stretched(np.stack([one, one]).astype(np.float64), sample_rate=RATE, factor=factor)[0]
                      for one in clip.samples])
            for clip in clips
        ]  # fmt: skip
        joint = np.mean([pair_distance(a, course(b), emd) for a, b in zip(before, made, strict=True)])
        apart = np.mean([pair_distance(a, course(b), emd) for a, b in zip(before, alone, strict=True)])
        first = round(0.015 * RATE)
        errors = [
            ((b[:, :first] - a.samples[:, :first]) ** 2).sum() / (a.samples[:, :first] ** 2).sum()
            for a, b in zip(clips, made, strict=True)
        ]
        level = 10 * np.log10(np.mean(errors) + 1e-30)
        print(f"  x {factor}: {joint:.4f} from its own (each channel alone: {apart:.4f}), first 15 ms {level:.0f} dB, "
              f"{1e3 * spent:.0f} ms a clip")  # fmt: skip


def lag(clean, changed):
    size = 1 << (2 * clean.size).bit_length()
    match = np.fft.irfft(np.fft.rfft(changed, size) * np.fft.rfft(clean, size).conj(), size)
    return (int(np.abs(match).argmax()) + size // 2) % size - size // 2


def bench_degrading(clips):
    for name in catalog.names("degradation"):
        plan = parse_degradation(name)
        lags, spent = [], 0.0
        for index, clip in enumerate(clips):
            noise = Clip(
                np.random.default_rng(index).standard_normal(clip.samples.shape).astype(np.float32) * 0.1, RATE
            )
            started = time.perf_counter()
            made, _ = plan.degrade(noise, seed=0, key=str(index))
            spent += time.perf_counter() - started
            lags += [lag(*pair) for pair in zip(noise.samples, made.samples, strict=True)]
        told = f"shifts {min(lags)} to {max(lags)} samples, {1e3 * spent / len(clips):.0f} ms a clip"
        print(f"degrading by {name:12s} {told}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--grouped", type=int, nargs="*", default=[4000, 44_000])
    parser.add_argument("--seed", type=int, default=77)
    arguments = parser.parse_args()
    for voice in ("drums", "stabs"):
        bench_recall(voice, [drawn(voice, arguments.seed, index) for index in range(arguments.clips)])
    bench_stretching([drawn("stabs", arguments.seed, index) for index in range(24)])
    bench_degrading([drawn("stabs", arguments.seed, index) for index in range(12)])
    if arguments.grouped:
        bench_grouping(sorted(arguments.grouped), arguments.seed)


if __name__ == "__main__":
    main()
