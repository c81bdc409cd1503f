"""What ``stereokit score`` costs, beside what a user would write by hand: ``python tests/bench/bench_score.py``.

All figures of a table come from one run on one machine, so its ratios hold where its seconds do not. Needs SciPy (the
extra ``test``). ``--clips N`` sets the size of each set (default 1152).
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from scipy.spatial.distance import cdist

from stereokit import catalog
from stereokit.metrics.distance import make_pool
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.side import short_time_side_distance

RATE_HZ, FRAMES, WINDOW, HOP = 44_100, 17_640, 1764, 441
COMMANDS = ("prep", "score", "list", "doctor", "completion")

# The kernel's own high-water mark of the new program; getrusage would count the bench that started it.
MEMORY_PROBE = """
import pathlib, re, sys
sys.argv[0] = "stereokit"
from stereokit.cli.app import main
try:
    main()
finally:
    print(re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


def timed(function: Callable[[], object], repeats: int = 5) -> float:
    """Return the median seconds of a call, after one that is not counted."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def stabs(count: int) -> list[np.ndarray]:
    """Return noise stabs of differing width and decay, int16 of shape (FRAMES, 2)."""
    random = np.random.default_rng(0)
    time_s = np.arange(FRAMES) / RATE_HZ
    clips = []
    for _ in range(count):
        decay = np.exp(-time_s / random.uniform(0.05, 0.4))[:, None]
        mid, side = random.standard_normal((2, FRAMES, 1))
        width = random.uniform(0.0, 0.6)
        pair = np.concatenate([mid + width * side, mid - width * side], axis=1) * decay
        clips.append((pair * 6000).clip(-32768, 32767).astype(np.int16))
    return clips


def row(what: str, ours: str, other: str, ratio: str) -> None:
    print(f"| {what} | {ours} | {other} | {ratio} |")


def naive_stsd(left: np.ndarray, right: np.ndarray) -> list[float]:
    """Compute STSD window by window, as it is first written."""
    side = (left.astype(float) - right) / 2**0.5 / 32768
    values = []
    for start in range(0, len(side) - WINDOW + 1, HOP):
        low, high = np.quantile(side[start : start + WINDOW], [0.05, 0.95])
        values.append(high - low)
    return values


def bench_stsd() -> None:
    """Compare the block-sort STSD with np.quantile on all windows at once, and one by one."""
    pairs = [np.ascontiguousarray(clip.T) for clip in stabs(64)]
    samples = len(pairs) * FRAMES

    def ours() -> None:
        for left, right in pairs:
            short_time_side_distance(Excerpt(left, right, RATE_HZ, 32768.0))

    def quantile() -> None:
        for left, right in pairs:
            side = (left.astype(float) - right) / 2**0.5 / 32768
            np.quantile(np.lib.stride_tricks.sliding_window_view(side, WINDOW)[::HOP], [0.05, 0.95], axis=1)

    def naive() -> None:
        for left, right in pairs:
            naive_stsd(left, right)

    own = timed(ours)
    for name, function in (("np.quantile, all windows", quantile), ("np.quantile, in a loop", naive)):
        other = timed(function, 2)
        row(
            f"STSD, ns a sample, against {name}",
            f"{own / samples * 1e9:.2f}",
            f"{other / samples * 1e9:.1f}",
            f"{other / own:.0f}",
        )


def bench_neighbours(count: int) -> None:
    """Compare the four nearest-neighbour queries with SciPy's cdist."""
    clips = stabs(2 * count)
    features = [
        short_time_side_distance(Excerpt(*np.ascontiguousarray(clip.T), RATE_HZ, 32768.0))[:, None] for clip in clips
    ]
    pool = make_pool(features[:count], features[count:], catalog.load("distance", "emd"))
    matrix = np.sort(np.concatenate(features, axis=1).T, axis=1)

    def scipy_way() -> None:
        distances = cdist(matrix, matrix, "cityblock")
        np.fill_diagonal(distances, np.inf)
        for rows in (distances[:count], distances[count:]):
            rows[:, :count].argmin(axis=1)
            rows[:, count:].argmin(axis=1)

    other = timed(scipy_way, 3)
    for name in catalog.names("search"):
        search = catalog.load("search", name)
        own = timed(lambda search=search: search(pool), 3)
        title = f"four neighbour queries, {2 * count} clips, s: {name} against cdist"
        row(title, f"{own:.4f}", f"{other:.4f}", f"{other / own:.1f}")


def bench_process(count: int) -> None:
    """Time the whole process on files, imports included, and measure its memory."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("gen", "ref"):
            Path(folder, name).mkdir()
        clips = stabs(2 * count)
        for index, clip in enumerate(clips):
            name = "gen" if index < count else "ref"
            soundfile.write(Path(folder, name, f"{index:06d}.wav"), clip, RATE_HZ)
        start = time.perf_counter()
        for clip in clips[:50]:
            naive_stsd(clip[:, 0], clip[:, 1])
        loop = (time.perf_counter() - start) / 50 * len(clips)
        words = [sys.executable, "-m", "stereokit", "score", f"{folder}/gen", f"{folder}/ref", "--jobs", "1"]
        own = timed(lambda: subprocess.run(words, check=True, capture_output=True))
        probe = subprocess.run(
            [sys.executable, "-c", MEMORY_PROBE, *words[3:]], check=True, capture_output=True, text=True
        )
        own_mib = int(probe.stderr.split()[-1]) / 1024
        title = f"whole process, {count} + {count} files, s, against the loop's STSD alone"
        row(title, f"{own:.2f}", f"{loop:.1f}", f"{loop / own:.0f}")
        row(f"its peak memory, {count} + {count} files, MiB", f"{own_mib:.0f}", "-", "-")


def bench_start() -> None:
    """Time --help of each command."""
    for command in COMMANDS:
        words = [sys.executable, "-m", "stereokit", command, "--help"]
        own = timed(lambda words=words: subprocess.run(words, check=True, capture_output=True), 10)
        row(f"stereokit {command} --help, s", f"{own:.3f}", "0.150", f"{0.150 / own:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="What stereokit score costs.")
    parser.add_argument("--clips", type=int, default=1152)
    clips = parser.parse_args().clips
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} CPUs, {platform.machine()}\n")
    print("| what | stereokit | other, or target | ratio |\n|---|---|---|---|")
    bench_process(clips)
    bench_stsd()
    bench_neighbours(clips)
    bench_start()


if __name__ == "__main__":
    main()
