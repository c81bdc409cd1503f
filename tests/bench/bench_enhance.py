"""Prints how many times faster than real time ``enhance`` converts stereo sound by one thread, and the memory it takes.

    python tests/bench/bench_enhance.py [--presets small best default] [--seconds 60 600] [--run RUN]

Weights do not change the speed: presets of ``enhancer`` are not trained for it. Each line is a process of its own; its
seconds of a processor hold the start of Python and torch, too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile

from stereokit.models.enhancer.config import FAMILY
from stereokit.training.checkpoint import MODEL, start_run, write_tensors

RATE = 44_100
PROGRAM = (
    "import resource, sys, torch; torch.set_num_threads(1)\n"
    "from stereokit.cli.app import run; from stereokit.cli.streams import system_streams\n"
    "status = run(sys.argv[1:], system_streams())\n"
    "used = resource.getrusage(resource.RUSAGE_SELF)\n"
    "print(int(status), used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)"
)


def untrained(preset, folder):
    config = FAMILY.presets[preset]
    run = folder / preset
    run.mkdir()
    write_tensors(run / MODEL, FAMILY.load_model()(config).state_dict())
    record = {"family": FAMILY.name, "preset": preset, "config": asdict(config), "data": {}, "training": {}}
    start_run(run, record)
    return run


def noise(path, seconds):
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        random = np.random.default_rng(0)
        for _ in range(seconds):
            file.write(0.1 * random.standard_normal((RATE, 2)))
    return path


def measure(name, run, seconds, folder):
    source = noise(folder / f"{seconds}.wav", seconds)
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "enhance", run, source, "-o", folder / f"{name}-{seconds}.wav", "--json"],
        capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    elapsed = time.monotonic() - begun
    status, busy, kilobytes = done.stderr.splitlines()[-1].split()
    row = json.loads(done.stdout.splitlines()[-1])
    if int(status) or row["frames"] != seconds * RATE:
        sys.exit(f"{name}: {done.stderr}")
    told = f"{name:10} {seconds:6} s of stereo: {elapsed:7.1f} s, {float(busy):7.1f} s of a processor, "
    print(f"{told}{seconds / float(busy):6.1f} times real time a core, {int(kilobytes) / 1024:5.0f} MB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=["small", "best", "default"])
    parser.add_argument("--seconds", nargs="+", type=int, default=[60, 600])
    parser.add_argument("--run", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        names = [arguments.run.name] if arguments.run else arguments.presets
        for each in names:
            trained = arguments.run or untrained(each, Path(place))
            for length in arguments.seconds:
                measure(each, trained, length, Path(place))
