"""A hundred kills of ``prep`` or ``render-midi`` at random: each series ends in the bytes of an undisturbed run.

By hand: ``python tests/campaign/kill_runs.py [prep|render-midi] [KILLS] [SEED]``. Half of the series make a new data
set, half bring one up to date; prints a line a series and ends with status 1 at the first difference.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1]))
from toy_midi import font_bytes, midi, note

UNLIKE = (".stereokit-lock", ".stereokit-catalog.sqlite")


def write_sound(path: Path, seed: int) -> None:
    """Write a noise of a second."""
    samples = np.random.default_rng(seed).integers(-9000, 9000, (44_100, 2), dtype=np.int16)
    soundfile.write(path, samples, 44_100)


def write_song(path: Path, seed: int) -> None:
    """Write forty notes."""
    draw = np.random.default_rng(seed)
    notes = [note(240 * number, int(draw.integers(60, 230)), int(draw.integers(50, 80))) for number in range(40)]
    path.write_bytes(midi([event for one in notes for event in one]))


@dataclass(frozen=True)
class Killed:
    """A command and what it reads.

    Attributes
    ----------
    suffix
        Of its sources.
    write
        Writes a source by a seed.
    sources
        How many.
    words
        Of its command line, beside source and target.
    """

    suffix: str
    write: Callable[[Path, int], None]
    sources: int
    words: tuple[str, ...]


def killed_commands(folder: Path) -> dict[str, Killed]:
    """Return the commands; what they need beside their sources lies in ``folder``."""
    font = folder / "test.sf2"
    font.write_bytes(font_bytes())
    return {
        "prep": Killed(".wav", write_sound, 80, ("--rate", "48000")),
        "render-midi": Killed(".mid", write_song, 60, ("--programs", "1,0", "--soundfont", str(font))),
    }


def finish(words: list[str]) -> float:
    """Run undisturbed and return how long that took."""
    begun = time.monotonic()
    result = subprocess.run(words, capture_output=True, check=False)
    if result.returncode not in (0, 3):
        sys.exit(f"{words}: status {result.returncode}: {result.stderr.decode()}")
    return time.monotonic() - begun


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a data set is; what a run left behind would show, too."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name not in UNLIKE)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def change(source: Path, kind: Killed, draw: random.Random) -> None:
    """Change, rename, delete and add a fifth, a tenth, a tenth and a fifth of the sources."""
    paths = sorted(source.rglob(f"*{kind.suffix}"))
    draw.shuffle(paths)
    tenth = len(paths) // 10
    for path in paths[: 2 * tenth]:
        kind.write(path, draw.randrange(1 << 30))
    for path in paths[2 * tenth : 3 * tenth]:
        path.rename(path.with_name(f"renamed-{draw.randrange(1 << 30)}{kind.suffix}"))
    for path in paths[3 * tenth : 4 * tenth]:
        path.unlink()
    (source / "more").mkdir()
    for number in range(2 * tenth):
        kind.write(source / "more" / f"{draw.randrange(1 << 30)}-{number}{kind.suffix}", draw.randrange(1 << 30))
    (source / f"bad-{draw.randrange(1 << 30)}{kind.suffix}").write_bytes(b"no sound")


def series(folder: Path, name: str, draw: random.Random, most: int, *, is_update: bool) -> int:
    """Kill runs until one is through or there were ``most``, then compare; return how many were killed."""
    kind = killed_commands(folder)[name]
    source, target, wanted = folder / "source", folder / "target", folder / "wanted"
    for number in range(kind.sources):
        inner = source / str(number % 8)
        inner.mkdir(parents=True, exist_ok=True)
        kind.write(inner / f"{number}{kind.suffix}", draw.randrange(1 << 30))
    start = [sys.executable, "-m", "stereokit", name, str(source), *kind.words, "--deleted", "remove"]
    runs = {place: [*start, "--accept-failed", "-q", "-o", str(place)] for place in (target, wanted)}
    if is_update:
        finish(runs[target])
        change(source, kind, draw)
    seconds = finish(runs[wanted])
    kills = 0
    while kills < most:
        process = subprocess.Popen(runs[target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(draw.uniform(0.3, 0.9) * seconds)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    finish(runs[target])
    if contents(target) != contents(wanted):
        sys.exit(f"{folder}: differs after {kills} kills")
    shutil.rmtree(folder)
    return kills


def main() -> None:
    """Kill as often as the second argument says."""
    name, count, seed = [*sys.argv[1:], *("prep", "100", "0")[len(sys.argv) - 1 :]]
    draw = random.Random(int(seed))  # noqa: S311 - moments, not secrets
    wanted, killed, number = int(count), 0, 0
    while killed < wanted:
        kills = series(Path(tempfile.mkdtemp()), name, draw, min(10, wanted - killed), is_update=number % 2 == 1)
        killed, number = killed + kills, number + 1
        print(f"series {number}: {kills} kills, the same bytes; {killed} of {wanted}", flush=True)


if __name__ == "__main__":
    main()
