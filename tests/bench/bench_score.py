"""What ``stereokit score`` costs, beside what a user would write by hand: ``python tests/bench/bench_score.py``.

All figures of a table come from one run on one machine, so its ratios hold where its seconds do not. Needs SciPy (the
extra ``test``). ``--help`` tells what can be set.
"""

import argparse
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from scipy.spatial.distance import cdist

from stereokit import catalog
from stereokit.data.memory import keep_freed_memory
from stereokit.metrics.distance import make_pool
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.side import short_time_side_distance, short_time_side_distances

RATE_HZ, FRAMES, WINDOW, HOP = 44_100, 17_640, 1764, 441
# On two cores at 4.1 GHz, where SciPy's cdist took so long for the queries of 20,000 clips and tiles so long.
TARGETS_S = {2304: 0.006, 20_000: 0.1, 100_000: 0.7, 200_000: 1.6, 1_000_000: 20.0}
CDIST_S, TILED_S = 3.8, 0.56
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
    """Return the fewest seconds of a call, after one that is not counted: what other programs take is left out."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


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


def sequences(count: int) -> np.ndarray:
    """Return what STSD makes of ``stabs``, by its statistics: sorted vectors of 37 windows, shape (count, 37).

    A quantile's own scatter is 4.4 % in a hop of 441 samples, and a window is the mean of four.
    """
    random = np.random.default_rng(0)
    time_s = np.arange(37) * 0.01 + 0.02
    decay = np.exp(-time_s / random.uniform(0.05, 0.4, (count, 1)))
    scatter = random.standard_normal((count, 40))
    scatter = sum(scatter[:, k : k + 37] for k in range(4)) * 0.044 / 4
    full_width = 6000 / 32768 * 2**0.5 * 3.29
    return np.sort(random.uniform(0.0, 0.6, (count, 1)) * full_width * decay * (1 + scatter), axis=1)


def row(what: str, ours: str, other: str, ratio: str) -> None:
    print(f"| {what} | {ours} | {other} | {ratio} |", flush=True)


def naive_stsd(left: np.ndarray, right: np.ndarray) -> list[float]:
    """Compute STSD window by window, as it is first written."""
    side = (left.astype(float) - right) / 2**0.5 / 32768
    values = []
    for start in range(0, len(side) - WINDOW + 1, HOP):
        low, high = np.quantile(side[start : start + WINDOW], [0.05, 0.95])
        values.append(high - low)
    return values


def bench_stsd() -> None:
    """Compare the block-sort STSD, on eight clips at once as score has it, with np.quantile in two ways."""
    pairs = [np.ascontiguousarray(clip.T) for clip in stabs(64)]
    samples = len(pairs) * FRAMES

    def ours() -> None:
        for first in range(0, len(pairs), 8):
            clips = [Excerpt(left, right, RATE_HZ, 32768.0) for left, right in pairs[first : first + 8]]
            short_time_side_distances(clips)

    def quantile() -> None:
        for left, right in pairs:
            side = (left.astype(float) - right) / 2**0.5 / 32768
            np.quantile(np.lib.stride_tricks.sliding_window_view(side, WINDOW)[::HOP], [0.05, 0.95], axis=1)

    def naive() -> None:
        for left, right in pairs:
            naive_stsd(left, right)

    keep_freed_memory()
    own = timed(ours, 30)
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
    other = timed(lambda: scipy_way(matrix), 3)
    for name in catalog.names("search"):
        search = catalog.load("search", name)
        own = timed(lambda search=search: search(pool), 10)
        title = f"four neighbour queries, {2 * count} clips, s: {name} against cdist"
        row(title, f"{own:.4f}", f"{other:.4f}", f"{other / own:.1f}")


def scipy_way(matrix: np.ndarray) -> None:
    """Answer the four queries from the matrix of all distances."""
    count = len(matrix) // 2
    distances = cdist(matrix, matrix, "cityblock")
    np.fill_diagonal(distances, np.inf)
    for rows in (distances[:count], distances[count:]):
        rows[:, :count].argmin(axis=1)
        rows[:, count:].argmin(axis=1)


def tiled_way(matrix: np.ndarray) -> None:
    """Answer the four queries from tiles of the distances that stay in the processor's own memory."""
    count = len(matrix) // 2
    columns = np.ascontiguousarray(matrix.T)
    total, gap = np.empty((2, 64, 500))
    for start in range(0, len(matrix), 64):
        rows = matrix[start : start + 64]
        inside = np.arange(len(rows))
        for half in (0, count):
            nearest, numbers = np.full(len(rows), np.inf), np.full(len(rows), -1)
            for first in range(half, half + count, 500):
                size = min(500, half + count - first)
                some, other = total[: len(rows), :size], gap[: len(rows), :size]
                some[:] = 0.0
                for k in range(len(columns)):
                    np.subtract(rows[:, k, None], columns[k, first : first + size], out=other)
                    some += np.abs(other, out=other)
                own = np.arange(start, start + len(rows)) - first
                is_there = (own >= 0) & (own < size)
                some[inside[is_there], own[is_there]] = np.inf
                best = some.argmin(axis=1)
                is_nearer = some[inside, best] < nearest
                numbers[is_nearer] = first + best[is_nearer]
                nearest[is_nearer] = some[inside, best][is_nearer]


def processor_s(function: Callable[[], object], repeats: int) -> float:
    """Return the fewest processor seconds of a call: they hold better than seconds where other programs run."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return min(seconds)


def bench_growth(counts: list[int]) -> None:
    """Search ever more clips, and as many as SciPy can hold of those that leave nothing to prune.

    A machine as slow at cdist as this one, by its processor seconds, would be given so much more time.
    """
    search = catalog.load("search", "tree")
    hard = np.random.default_rng(0).random((20_000, 37))
    # Elsewhere, so that its matrix does not count as this program's memory.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        cdist_s = executor.submit(processor_s, partial(scipy_way, hard), 2).result()
    slower = cdist_s / CDIST_S
    row(
        "20000 independent vectors, l1, processor s: SciPy's cdist; where targets hold",
        f"{cdist_s:.2f}",
        f"{CDIST_S}",
        "-",
    )
    hard_pool = make_pool([*hard[:10_000]], [*hard[10_000:]], catalog.load("distance", "l1"))
    search(hard_pool)
    own = processor_s(lambda: search(hard_pool), 5)
    for name, other in (
        ("cdist", cdist_s),
        ("naive tiled", processor_s(lambda: tiled_way(hard), 1)),
        ("target x this cdist", TILED_S * slower),
    ):
        row(f"the same: tree against {name}", f"{own:.2f}", f"{other:.2f}", f"{other / own:.1f}")
    before = None
    for count in counts:
        values = sequences(count)
        pool = make_pool([*values[: count // 2]], [*values[count // 2 :]], catalog.load("distance", "emd"))
        repeats = 5 if count < 300_000 else 2
        own = processor_s(lambda pool=pool: search(pool), repeats)
        growth = f", M^{np.log(own / before[1]) / np.log(count / before[0]):.2f}" if before else ""
        before = (count, own) if before is None else before
        title = f"four neighbour queries, {count} clips like STSD"
        target = TARGETS_S[count] * slower
        row(f"{title}{growth}, processor s; target x this cdist", f"{own:.4f}", f"{target:.4f}", f"{target / own:.1f}")
        both = timed(lambda pool=pool: search(pool, threads=2), repeats)
        row(f"{title}, two threads, s", f"{both:.4f}", f"{target:.4f}", f"{target / both:.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row(f"peak memory of this bench so far, {counts[-1]} clips, MiB", f"{peak:.0f}", "-", "-")


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
    parser.add_argument("--clips", type=int, default=1152, help="files in each set")
    parser.add_argument("--only", choices=["stsd", "neighbours", "growth", "process", "start"], help="one part")
    parser.add_argument("--million", action="store_true", help="search a million clips too")
    words = parser.parse_args()
    counts = [2304, 20_000, 100_000, 200_000] + [1_000_000] * words.million
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} CPUs, {platform.machine()}\n")
    print("| what | stereokit | other, or target | ratio |\n|---|---|---|---|")
    parts = {
        "process": lambda: bench_process(words.clips),
        "stsd": bench_stsd,
        "neighbours": lambda: bench_neighbours(words.clips),
        "growth": lambda: bench_growth(counts),
        "start": bench_start,
    }
    for name, part in parts.items():
        if words.only in (None, name):
            part()


if __name__ == "__main__":
    main()
