"""A hundred kills of ``stereokit prep`` at random moments: each series ends in the bytes of an undisturbed run.

By hand: ``python tests/campaign/kill_prep.py [KILLS] [SEED]``. Half of the series make a new data set, half bring one
up to date; prints a line a series and ends with status 1 at the first difference.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

SOUNDS = 80
UNLIKE = (".stereokit-lock", ".stereokit-catalog.sqlite")


def sound(path: Path, seed: int) -> None:
    """Write a noise of a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-9000, 9000, (44_100, 2), dtype=np.int16)
    soundfile.write(path, samples, 44_100)


def command(source: Path, target: Path) -> list[str]:
    words = [str(source), "-o", str(target), "--deleted", "remove", "--rate", "48000", "--accept-failed", "-q"]
    return [sys.executable, "-m", "stereokit", "prep", *words]


def finish(source: Path, target: Path) -> float:
    """Run undisturbed and return how long that took."""
    begun = time.monotonic()
    result = subprocess.run(command(source, target), capture_output=True, check=False)
    if result.returncode not in (0, 3):
        sys.exit(f"{target}: status {result.returncode}")
    return time.monotonic() - begun


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a data set is; what a run left behind would show, too."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name not in UNLIKE)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def change(source: Path, draw: random.Random) -> None:
    """Change, rename, delete and add some sounds."""
    paths = sorted(source.rglob("*.wav"))
    draw.shuffle(paths)
    for path in paths[:16]:
        sound(path, draw.randrange(1 << 30))
    for path in paths[16:24]:
        path.rename(path.with_name(f"renamed-{draw.randrange(1 << 30)}.wav"))
    for path in paths[24:32]:
        path.unlink()
    for number in range(16):
        sound(source / "more" / f"{draw.randrange(1 << 30)}-{number}.wav", draw.randrange(1 << 30))
    (source / f"bad-{draw.randrange(1 << 30)}.wav").write_bytes(b"no sound")


def series(folder: Path, draw: random.Random, most: int, *, is_update: bool) -> int:
    """Kill runs until one is through or there were ``most``, then compare; return how many were killed."""
    source, target, wanted = folder / "source", folder / "target", folder / "wanted"
    for number in range(SOUNDS):
        sound(source / f"{number % 8}" / f"{number}.wav", draw.randrange(1 << 30))
    if is_update:
        finish(source, target)
        change(source, draw)
    seconds = finish(source, wanted)
    kills = 0
    while kills < most:
        process = subprocess.Popen(command(source, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(draw.uniform(0.3, 0.9) * seconds)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    finish(source, target)
    if contents(target) != contents(wanted):
        sys.exit(f"{folder}: differs after {kills} kills")
    shutil.rmtree(folder)
    return kills


def main() -> None:
    """Kill as often as the first argument says."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    draw = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)  # noqa: S311 - moments, not secrets
    killed = number = 0
    while killed < wanted:
        kills = series(Path(tempfile.mkdtemp()), draw, min(10, wanted - killed), is_update=number % 2 == 1)
        killed, number = killed + kills, number + 1
        print(f"series {number}: {kills} kills, the same bytes; {killed} of {wanted}", flush=True)


if __name__ == "__main__":
    main()
