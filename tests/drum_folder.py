"""A folder of kicks, hats and toms that anything can tell apart, with a table of labels."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from stereokit.data.workers import map_files
from stereokit.workflows import label_examine

RATE = 16_000


def sound(kind: str, number: int) -> np.ndarray:
    """Return a drum of half a tenth of a second, float32 (T, 2); no two numbers sound the same."""
    random = np.random.default_rng((len(kind), number))
    times = np.arange(RATE // 10) / RATE
    fall = np.exp(-times * (40.0 + 3.0 * number))
    if kind == "hat":
        one = np.diff(random.normal(size=len(times) + 1)) * fall * 0.2
    else:
        hz = (45.0 if kind == "kick" else 900.0) * 1.1**number
        one = np.sin(2.0 * np.pi * hz * times) * fall * 0.7
    return np.stack([one, one], axis=1).astype(np.float32)


def write_drums(
    folder: Path, *, each: int = 6, labelled: int = 4, kinds: Sequence[str] = ("hat", "kick", "tom")
) -> Path:
    """Write sounds and ``labels.csv``, in which the first few of each kind have a label; every second is machine b."""
    lines = ["file_name,label,machine"]
    for kind in kinds:
        for number in range(each):
            name = f"{kind}/{kind}-{number}.wav"
            (folder / kind).mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / name, sound(kind, number), RATE, "PCM_16")
            lines.append(f"{name},{kind if number < labelled else ''},{'ab'[number % 2]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def in_this_process(function: Callable[[Any], Any], items: Sequence[Any], **_: object) -> Iterator[Any]:
    """Do what ``map_isolated`` does without other processes."""
    return map_files(function, items, jobs=1, chunk=1, inline_up_to=0)


def stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the label commands read sounds in this process."""
    monkeypatch.setattr(label_examine, "map_isolated", in_this_process)
