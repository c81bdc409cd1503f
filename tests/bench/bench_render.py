"""What ``stereokit render-midi`` costs: ``python tests/bench/bench_render.py [SONGS]``.

Piano pieces that the bench writes itself (five minutes, eight notes a second, pedal), rendered through the usual
SoundFont in two processes and written to disk. Prints how many seconds of sound a second of one processor gives,
counting all of the program with its start, for one render a song and for pairs, and the share of the second processor
that was used: the processor time above that by the clock, over that (only on a machine without other work). Needs
Linux, for the processor time of all processes.
"""

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from toy_midi import midi, note

MINUTES = 5
_PR_SET_CHILD_SUBREAPER = 36
TICKS_A_SECOND = 960


def piece(seed: int) -> bytes:
    """Return a piano piece: eight notes a second that last half a second each, and a pedal that moves every second."""
    random = np.random.default_rng(seed)
    notes, pedal = [], []
    starts = np.sort(random.integers(0, MINUTES * 60 * TICKS_A_SECOND, MINUTES * 60 * 8))
    for start in starts.tolist():
        notes += note(start, int(random.integers(100, 900)), int(random.normal(62, 10)), int(random.integers(30, 110)))
    for second in range(MINUTES * 60):
        pedal += [(second * TICKS_A_SECOND, 0xB0, 64, 0), (second * TICKS_A_SECOND + 60, 0xB0, 64, 100)]
    notes.sort()
    return midi(notes, pedal)


def processor_s() -> float:
    """Return the processor time of all processes that this one started, and of theirs."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    # What outlives the program is then reaped, and counted, here.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    songs = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    cores = len(os.sched_getaffinity(0))
    print(f"{songs} pieces of {MINUTES} minutes, {cores} cores")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "songs"
        source.mkdir()
        for number in range(songs):
            (source / f"{number:03}.mid").write_bytes(piece(number))
        # Kernels are compiled once on a machine.
        run(source, Path(folder) / "first", "0")
        for programs in ("0", "4,0"):
            begun, before = time.monotonic(), processor_s()
            target = Path(folder) / f"of-{programs}"
            run(source, target, programs)
            wall, busy = time.monotonic() - begun, processor_s() - before
            rows = [json.loads(line) for line in (target / "metadata.jsonl").read_text().splitlines()]
            seconds = sum(row["frames"] / row["sample_rate_hz"] for row in rows)
            print(
                f"programs {programs}: {seconds / busy:.0f} times real time a core ({seconds:.0f} s of sound, "
                f"{busy:.1f} s of processors, {wall:.1f} s by the clock: {busy / wall - 1:.0%} of the second core)"
            )


def run(source: Path, target: Path, programs: str) -> None:
    words = [str(source), "-o", str(target), "--programs", programs, "--jobs", "2", "--quiet"]
    subprocess.run([sys.executable, "-m", "stereokit", "render-midi", *words], check=True)


if __name__ == "__main__":
    main()
