"""Folders to listen to, a study of them, and listeners who know what they like."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from stereokit.data.listening import Listening
from stereokit.data.study import Trial
from stereokit.workflows.events import Message
from stereokit.workflows.score_listen_pairs import Prepared, prepared
from stereokit.workflows.score_listen_settings import ListenSettings
from stereokit.workflows.score_listen_study import Study

RATE = 8_000
LEVELS = {"secret-a": 0.4, "secret-b": 0.1, "secret-x": 0.2}


def folders(place: Path, *, pairs: int = 4, frames: int = 800, names: str = "take-{number}.wav") -> list[str]:
    """Write noise into folders a, b and x, of equal names."""
    random = np.random.default_rng(0)
    for name, level in LEVELS.items():
        (place / name).mkdir()
        for number in range(pairs):
            samples = random.uniform(-level, level, (frames, 2))
            soundfile.write(place / name / names.format(number=number), samples, RATE)
    return [str(place / name) for name in LEVELS]


def ready(settings: ListenSettings) -> tuple[Prepared, list[str]]:
    """Prepare a study's pairs; also return what was said of it."""
    events, said = prepared(settings), []
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            return stop.value, said
        if isinstance(event, Message):
            said.append(event.text)


@contextmanager
def held(given: list[str], **words: object) -> Iterator[Study]:
    """A study without a server."""
    path = Path(given[0]).parent / "study.sqlite"
    settings = ListenSettings(path, given[0], given[1], *given[2:], **words)
    found, _ = ready(settings)
    file = Listening(path)
    file.begin({"question": settings.asked, "a": given[0], "b": given[1], "seed": settings.seed}, found.pairs)
    yield Study(file, settings, found.paths)
    file.close()


def word_for(trial: Trial, side: str) -> str:
    """Return what to answer for folder a or b."""
    return "1" if (side == "a") == trial.turn.is_a_first else "2"
