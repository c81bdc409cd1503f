"""Seconds, processor seconds and memory of ``label map`` by stage, and how well a map keeps neighbours.

``bench_map.py FOLDER [LAYOUT]`` maps the sounds of a folder; without one, 44,000 procedural drums that it makes first.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.cli.app import run
from stereokit.cli.streams import system_streams
from stereokit.metrics.portrait import Portrait
from stereokit.metrics.sound_map import MAIN_AXES, draw_map
from stereokit.metrics.sound_space import SoundSpace, principal_axes
from stereokit.workflows.label_clips import find_clips
from stereokit.workflows.label_examine import PORTRAIT, examine, examined
from stereokit.workflows.label_map_page import map_page

CLIPS, NEIGHBOURS, JUDGED, HEARD = 44_000, 15, 1500, 300
Points = NDArray[np.float64]


def processor_s() -> float:
    """Return what this process and those it started took."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Print what a stage took."""
    wall, processor = time.perf_counter(), processor_s()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = f"{time.perf_counter() - wall:8.1f} s  {processor_s() - processor:8.1f} s of processor"
    print(f"{name:28}{took}  {peak:7.0f} MiB at most until here", flush=True)


def kept(points: Points, places: Points, rows: NDArray[np.int64]) -> tuple[float, float]:
    """Return the share of nearest neighbours that stay, and the trustworthiness (Venna and Kaski 2001)."""
    count = len(points)
    overlaps, penalty = [], 0.0
    for row in rows:
        there = np.linalg.norm(points - points[row], axis=1)
        here = np.linalg.norm(places - places[row], axis=1)
        there[row] = here[row] = np.inf
        ranks = np.empty(count, np.int64)
        ranks[np.argsort(there, kind="stable")] = np.arange(1, count + 1)
        near = np.argsort(here, kind="stable")[:NEIGHBOURS]
        overlaps.append(np.mean(ranks[near] <= NEIGHBOURS))
        penalty += np.maximum(ranks[near] - NEIGHBOURS, 0).sum()
    most = NEIGHBOURS * (2 * count - 3 * NEIGHBOURS - 1) / 2
    return float(np.mean(overlaps)), 1.0 - penalty / (len(rows) * most)


def main() -> None:
    """Measure."""
    given = sys.argv[1:]
    folder = Path(given[0]) if given else Path(tempfile.mkdtemp()) / "drums"
    if not given:
        run(["prep", "--synth", "drums", "--count", str(CLIPS), "-o", str(folder), "--quiet"], system_streams())
    sources = find_clips([str(folder)], []).sources
    # Of processes that another one started nothing is told: some sounds are heard in this one.
    began = processor_s()
    for source in sources[:HEARD]:
        examine(str(source.path), feature=PORTRAIT)
    each = (processor_s() - began) / len(sources[:HEARD])
    print(f"a portrait: {1e3 * each:.1f} ms of processor, {each * len(sources):.0f} s for all {len(sources)}")
    with stage("portraits, two processes"):
        listening = examined(sources, jobs=2, feature=PORTRAIT)
        try:
            while True:
                next(listening)
        except StopIteration as end:
            found = end.value
    portraits = [one.look for one in found if isinstance(getattr(one, "look", None), Portrait)]
    print(f"{len(portraits)} clips")
    with stage("space"):
        space = SoundSpace.fit(portraits)
    with stage("points"):
        points = space.points(portraits)
    with stage("map"):
        sounds = draw_map(points, given[1] if len(given) > 1 else "umap")
    with stage("page"):
        names = [source.key for source in sources][: len(points)]
        page = map_page("bench", "", sounds.places, names, [None] * len(points))
    print(f"{len(page) / 1e6:.1f} MB of page")
    rows = np.random.default_rng(0).permutation(len(points))[:JUDGED]
    mean, axes = principal_axes(points, MAIN_AXES)
    main_points = (points - mean) @ axes
    for name, places in ((f"{MAIN_AXES} main axes", main_points), ("map", sounds.places)):
        overlap, trust = kept(points, places, rows)
        print(f"{name}: of {NEIGHBOURS} neighbours {overlap:.3f} stay, trustworthiness {trust:.4f}")
    with stage("1,000 more"):
        more = sounds.more(points[:1000])
    print(f"moved at most {np.abs(more - sounds.places[:1000]).max():g}")


if __name__ == "__main__":
    main()
