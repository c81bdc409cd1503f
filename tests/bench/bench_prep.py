"""What ``stereokit prep`` costs, beside what a user would write by hand: ``python tests/bench/bench_prep.py``.

By hand is one process that decodes with soundfile, resamples with soxr and writes WAV, and does nothing else: no audit
of each clip, no dither, no manifest, nothing that survives a crash or finds a broken file. A second one does what prep
does with the sound, audit, dither and hashes too, and tells what isolation, catalogue and crash safety cost. Their
ideal time on two cores is half of their own. All start a new Python for every run, and the best of some runs counts, so
that ratios hold where seconds do not. Needs Linux, for the processor time of all processes. ``--help`` tells what can
be set.
"""

import argparse
import ctypes
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 44_100
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_S = 0.05

# Name: format, encoding, rate in Hz, seconds, and how many of them a thousand files stand for.
SOUNDS = {
    "one-shots": ("WAV", "PCM_24", 48_000, 0.5, 1000),
    "loops": ("FLAC", "PCM_16", 48_000, 8.0, 120),
    "songs": ("FLAC", "PCM_24", 48_000, 120.0, 10),
}

BY_HAND = """
import sys
from pathlib import Path
import soundfile, soxr
source, target, rate = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
target.mkdir()
for path in sorted(source.iterdir()):
    samples, old = soundfile.read(path, dtype="float32", always_2d=True)
    soundfile.write(target / f"{path.stem}.wav", soxr.resample(samples, old, rate, quality="HQ"), rate, "PCM_16")
"""


SAME_WORK = """
import hashlib, sys
from pathlib import Path
import numpy as np, soundfile, soxr
from stereokit.audio.clip import Clip, Recording
from stereokit.audio.files import encode
from stereokit.data.source_audit import source_audit
source, target, rate = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
target.mkdir()
for number, path in enumerate(sorted(source.iterdir())):
    hashlib.sha256(path.read_bytes())
    kind = "int16" if soundfile.info(path).subtype == "PCM_16" else "float32"
    samples, old = soundfile.read(path, dtype=kind, always_2d=True)
    recording = Recording(samples, old, "")
    clip = recording.to_clip()
    source_audit(recording, clip)
    made = soxr.resample(clip.samples.T, old, rate, quality="HQ").T
    data = encode(Clip(np.ascontiguousarray(made), rate), dither_seed=number)
    hashlib.sha256(data)
    (target / f"{path.stem}.wav").write_bytes(data)
"""


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds by the clock, seconds of processors, and MiB that its processes held together."""

    wall_s: float
    busy_s: float
    memory_mib: float


def write_sounds(folder: Path, kind: str, count: int) -> float:
    """Write pink noise that decays, of differing width; return how many seconds of sound that is."""
    form, subtype, rate, seconds, _ = SOUNDS[kind]
    random = np.random.default_rng(0)
    folder.mkdir()
    frames = round(rate * seconds)
    spectrum = np.fft.rfft(random.standard_normal((2, frames + count)))
    spectrum /= np.sqrt(np.arange(spectrum.shape[1]) + 20.0 * seconds)
    noise = np.fft.irfft(spectrum, frames + count).astype(np.float32)
    noise *= np.float32(0.05 / noise.std())
    decay = np.exp(-np.arange(frames, dtype=np.float32) / rate / (0.3 * seconds))[:, None]
    for number in range(count):
        mid, side = noise[:, number : number + frames, None]
        width = random.uniform(0.0, 0.6)
        pair = np.concatenate([mid + width * side, mid - width * side], axis=1) * decay
        soundfile.write(folder / f"{number:05}.{form.lower()}", pair, rate, subtype, format=form)
    return count * seconds


def memory_of_session(session: int) -> float:
    """Return the MiB that the processes of a session hold, what they share counted once."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int((process / "stat").read_text().rpartition(")")[2].split()[3]) != session:
                continue
            lines = (process / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cost_of(words: list[str], *, looks: bool) -> Cost:
    """Run a command to the end of its last process; memory is looked at only when asked, for that takes time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    program = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
    highest = [0.0]
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(_LOOK_S):
            highest.append(memory_of_session(program.pid))

    watcher = threading.Thread(target=look)
    if looks:
        watcher.start()
    status = program.wait()
    wall_s = time.perf_counter() - start
    is_over.set()
    if looks:
        watcher.join()
    if status:
        raise SystemExit(f"{words[:4]} ended with status {status}")
    # Processes that it left become ours, and their processor time is known once they have ended.
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s, busy_s, max(highest))


def best_of(words: list[str], target: Path, repeats: int) -> Cost:
    """Return the shortest of some runs, with the memory of another one."""
    costs = []
    for number in range(repeats + 1):
        shutil.rmtree(target, ignore_errors=True)
        costs.append(cost_of(words, looks=number == 0))
    best = min(costs[1:], key=lambda cost: cost.wall_s)
    return Cost(best.wall_s, best.busy_s, costs[0].memory_mib)


def bench(kind: str, *, scale: float, jobs: int, repeats: int) -> None:
    """Print a row for one kind of sounds."""
    count = max(2, round(SOUNDS[kind][4] * scale))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = write_sounds(folder / "sounds", kind, count)
        source, hand, ours = str(folder / "sounds"), folder / "hand", folder / "ours"
        by_hand, same = (
            best_of([sys.executable, "-c", script, source, str(hand), str(RATE_HZ)], hand, repeats)
            for script in (BY_HAND, SAME_WORK)
        )
        program = [sys.executable, "-m", "stereokit", "prep", source, "-o", str(ours)]
        prep = best_of([*program, "--rate", str(RATE_HZ), "--jobs", str(jobs), "--quiet"], ours, repeats)
        again = cost_of([*program, "--rate", str(RATE_HZ), "--jobs", str(jobs), "--quiet"], looks=False)
    print(
        f"| {count} {kind} of {SOUNDS[kind][3]:g} s | {by_hand.wall_s:.2f} s | {same.wall_s:.2f} s "
        f"| {prep.wall_s:.2f} s | {prep.wall_s / (by_hand.wall_s / jobs):.2f} "
        f"| {prep.wall_s / (same.wall_s / jobs):.2f} | {prep.busy_s / prep.wall_s / jobs:.0%} "
        f"| {prep.busy_s / by_hand.busy_s:.2f} | {seconds / prep.wall_s:.0f} | {by_hand.memory_mib:.0f} MiB "
        f"| {prep.memory_mib:.0f} MiB | {again.wall_s:.2f} s |",
        flush=True,
    )


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of: {', '.join(SOUNDS)} (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="more files or fewer (default 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes of prep (default 2)")
    parser.add_argument("--repeats", type=int, default=3, help="of which the best counts (default 3)")
    words = parser.parse_args()
    if unknown := set(words.kinds) - set(SOUNDS):
        parser.error(f"{unknown.pop()}: must be of {', '.join(SOUNDS)}")
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors\n")
    print(
        f"| sounds | by hand, one process | the same work, one process | prep, {words.jobs} jobs "
        f"| prep / ideal time of by hand on {words.jobs} cores | prep / ideal time of the same work | cores busy "
        "| processor time, prep / by hand | times real time | memory by hand | memory of prep "
        "| prep again, nothing to do |"
    )
    print("|---|" + "--:|" * 11)
    for kind in words.kinds or SOUNDS:
        bench(kind, scale=words.scale, jobs=words.jobs, repeats=words.repeats)


if __name__ == "__main__":
    main()
