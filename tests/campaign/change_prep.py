"""Random changes of sources and of the data set: after each, ``prep`` leaves what a run from nothing would leave.

By hand: ``python tests/campaign/change_prep.py SEED STEPS [OPTIONS OF PREP ...]``, for example
``... 2 30 --near-duplicates drop --augment swap,gain:3 --degrade noise:30``. And a run after that writes nothing.
"""

import io
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from stereokit.cli.app import run
from stereokit.cli.streams import Streams
from stereokit.data import catalogue
from stereokit.data.workers import map_files
from stereokit.workflows import prep_job

UNLIKE = (".stereokit-lock", ".stereokit-catalog.sqlite")


def prep(*words: object) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command in this process and return its status, rows and messages."""
    out, err = io.StringIO(), io.StringIO()
    status = run(["prep", *map(str, words)], Streams(io.StringIO(), out, err, {}))
    return int(status), [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a data set is; what a run left behind would show, too."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name not in UNLIKE)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def stamps(folder: Path) -> dict[str, tuple[int, ...]]:
    """What any write would change."""
    stats = {str(path): path.stat(follow_symlinks=False) for path in (folder, *folder.rglob("*"))}
    return {name: (one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for name, one in stats.items()}


class World:
    """A folder of sources, some of them alike, and the data set that is made of it."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self.source, self.target, self.fresh = folder / "set", folder / "target", folder / "fresh"
        self._draw = draw
        self._number = 0
        words = ("--synth", "drums", "--count", 40, "--rate", 16_000, "--length", 0.3, "--split", "1,0,0")
        prep(*words, "-o", folder / "pool", "-q")
        self._pool = sorted((folder / "pool" / "train").glob("*.wav"))
        for _ in range(6):
            self.add()

    def _name(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}.wav"

    def _write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        samples, rate = soundfile.read(self._draw.choice(self._pool))
        soundfile.write(path, samples * np.float64(self._draw.choice([1.0, 0.5, 0.25])), rate)

    def add(self) -> None:
        self._write(self.source / self._draw.choice(["kick", "hat", "."]) / self._name("new"))

    def change(self) -> str:
        """Do one thing to a source or to a file of the data set, and return what it was."""
        paths = sorted(self.source.rglob("*.wav"))
        path = self._draw.choice(paths)
        what = self._draw.choice(["new", "other", "gone", "renamed", "bad", "touched", "copied", "harmed"])
        if what == "new":
            self.add()
        elif what == "other":
            self._write(path)
        elif what == "gone" and len(paths) > 3:
            path.unlink()
        elif what == "renamed":
            path.rename(path.with_name(self._name("renamed")))
        elif what == "bad":
            (self.source / self._name("bad")).write_bytes(b"no sound")
        elif what == "touched":
            path.touch()
        elif what == "copied":
            shutil.copy(path, path.with_name(self._name("copy")))
        elif what == "harmed":
            harmed = self._draw.choice(sorted(contents(self.target)))
            (self.target / harmed).write_bytes(b"harmed")
        return what

    def check(self, words: list[str], done: list[str]) -> None:
        """Bring the data set up to date and hold it against one from nothing."""
        common = (self.source, "--deleted", "remove", "--accept-failed", *words, "-o")
        status, rows, told = prep(*common, self.target)
        if status not in (0, 3):
            sys.exit(f"{done}: status {status}: {told}")
        shutil.rmtree(self.fresh, ignore_errors=True)
        _, fresh, _ = prep(*common, self.fresh)
        if contents(self.target) != contents(self.fresh):
            sys.exit(f"{done}: {self.target} differs from {self.fresh}")
        summary = rows[-1]
        parts = ("done", "unchanged", "refused", "excluded", "dropped")
        if summary["found"] != sum(summary[part] for part in parts):
            sys.exit(f"{done}: the counts do not add up: {summary}")
        before = stamps(self.target)
        status, rows, told = prep(*common, self.target)
        if (status, len(rows)) != (0, 1) or stamps(self.target) != before:
            sys.exit(f"{done}: a second run did something: {rows} {told}")
        if rows[-1]["fingerprint"] != fresh[-1]["fingerprint"]:
            sys.exit(f"{done}: the second summary differs")


def main() -> None:
    """Change and check as often as the second argument says."""
    seed, steps, *words = sys.argv[1:]
    # No power fails here, and each process would take longer to start than it works.
    catalogue._SYNCHRONOUS = "OFF"
    os.sync = lambda: None
    prep_job.isolated_results = lambda function, items, **_: enumerate(
        map_files(function, items, jobs=1, chunk=1, inline_up_to=0)
    )
    draw = random.Random(int(seed))  # noqa: S311 - changes, not secrets
    folder = Path(tempfile.mkdtemp())
    world = World(folder, draw)
    done: list[str] = []
    for _ in range(int(steps)):
        world.check(words, done)
        done = [world.change() for _ in range(draw.randint(1, 3))]
    world.check(words, done)
    shutil.rmtree(folder)
    print(f"seed {seed}, {steps} steps, {' '.join(words) or 'no options'}: always as from nothing")


if __name__ == "__main__":
    main()
