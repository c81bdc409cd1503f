"""``stereokit demo``: sounds made, learned, generated and scored, and a page that shows and plays them."""

import shlex
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stereokit import catalog
from stereokit.audio.files import read
from stereokit.data.corpus import open_corpus
from stereokit.data.preparation import Preparation
from stereokit.errors import BadInputError, Status
from stereokit.models._run import read_config
from stereokit.training.state import has_checkpoint
from stereokit.workflows.demo_folder import DemoFolder
from stereokit.workflows.demo_noise import write_noise
from stereokit.workflows.demo_report import Shown, next_commands, report
from stereokit.workflows.demo_scores import GENERATED, NOISE, TRAINING, rows_of, score_sets, summary_row
from stereokit.workflows.events import Event, Events, Json, Message
from stereokit.workflows.generate import generate
from stereokit.workflows.generate_settings import GenerateSettings
from stereokit.workflows.prep import prep
from stereokit.workflows.prep_settings import PrepSettings
from stereokit.workflows.train import StoppedError, train
from stereokit.workflows.train_settings import TrainSettings
from stereokit.writing import write_file

if TYPE_CHECKING:
    from stereokit.models._family import Family

VOICE = "stabs"
# Held-out clips are twice those of a compared set: only then is a perfect generator's MMD known.
SPLIT = "0.5,0.1,0.4"
_HELD_OUT_A_CLIP = 2
_STEPS = 4


@dataclass(frozen=True)
class DemoSettings:
    """The words of ``stereokit demo``.

    Attributes
    ----------
    output
        The folder of everything.
    count
        Stabs to make, of all splits.
    seed
        Of the stabs, the training and the generated clips.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    force
        Make a finished demo anew.
    family, preset, assignments
        Of the model; no words: tests take smaller ones.
    """

    output: Path
    count: int = 800
    seed: int = 0
    device: str = "auto"
    force: bool = False
    family: str = "sample-gan"
    preset: str = "demo"
    assignments: tuple[str, ...] = ()

    @property
    def model_words(self) -> str:
        """What ``train`` is told of the model."""
        return " ".join([f"--preset {self.preset}", *(f"--set {one}" for one in self.assignments)])


def demo(settings: DemoSettings) -> Events:
    """Make all parts of a demo and yield a row a compared set, and a summary.

    An unfinished demo goes on: its training where it was interrupted, everything else anew.

    Raises
    ------
    UsageError, BadInputError, MissingError, OutputError, LockedError
        When nothing can be done.
    StoppedError
        When a signal ended the training; the same command goes on.
    """
    begun = time.monotonic()
    folder = DemoFolder(settings.output)
    folder.check_target(force=settings.force)
    family: Family = catalog.load("family", settings.family)
    config = family.preset(settings.preset, settings.assignments)
    with folder.holding():
        # Once more under the lock: another process may have finished it since the first look.
        folder.check_target(force=settings.force)
        folder.begin({"count": settings.count, "seed": settings.seed, "preset": settings.preset})
        yield Message(f"1 of {_STEPS}: making {settings.count} {VOICE}")
        yield from rows_of(_prepared(settings, folder, config))
        yield Message(f"2 of {_STEPS}: training on half of them")
        yield from _train(settings, folder, config)
        sets = yield from _make_sets(settings, folder, config)
        yield Message(f"4 of {_STEPS}: comparing with clips that the model never saw")
        scored = yield from score_sets(sets, str(folder.dataset / "test"), seed=settings.seed)
        shown = Shown(folder, sets, scored, read_config(folder.run), settings.model_words)
        write_file(folder.report, report(shown).encode())
    yield from (one.row() for one in scored)
    yield summary_row(scored, _places(settings, folder, time.monotonic() - begun))
    return Status.DONE


def _prepared(settings: DemoSettings, folder: DemoFolder, config: Any) -> Events:
    words = PrepSettings(
        sources=(), output=folder.dataset, synth=VOICE, count=settings.count, split=SPLIT, seed=settings.seed,
        preparation=Preparation(config.sample_rate, config.seconds), force=True,
    )  # fmt: skip
    return prep(words, ())


def _train(settings: DemoSettings, folder: DemoFolder, config: Any) -> Generator[Event, None, None]:
    if not settings.force and _can_go_on(settings, folder, config):
        words = TrainSettings(run=folder.run, dataset=folder.dataset, device=settings.device, resume=True)
    else:
        words = TrainSettings(
            run=folder.run, family=settings.family, dataset=folder.dataset, preset=settings.preset,
            assignments=settings.assignments, seed=settings.seed, device=settings.device, force=True,
        )  # fmt: skip
    try:
        yield from rows_of(train(words))
    except StoppedError as error:
        told = "stopped while training, which is saved: the same command goes on from there, --force starts anew"
        raise StoppedError(told, error.status) from error


def _can_go_on(settings: DemoSettings, folder: DemoFolder, config: Any) -> bool:
    """Tell whether an interrupted training in the folder is the one that is wanted."""
    if not has_checkpoint(folder.run):
        return False
    try:
        record = read_config(folder.run)
        corpus = open_corpus(
            folder.dataset, "train", sample_rate=config.sample_rate, frames=round(config.seconds * config.sample_rate)
        )
    except BadInputError:
        return False
    given = (record.config, record.training.get("seed"), record.training.get("steps"), record.data.get("fingerprint"))
    return given == (config, settings.seed, config.steps, corpus.fingerprint)


def _make_sets(settings: DemoSettings, folder: DemoFolder, config: Any) -> Generator[Event, None, dict[str, list[str]]]:
    """Generate clips, make noise, draw training clips, as many of each, and return their paths by set."""
    held_out, training = (
        sorted(str(path) for path in (folder.dataset / split).glob("*.wav")) for split in ("test", "train")
    )
    count = max(1, min(len(held_out) // _HELD_OUT_A_CLIP, len(training)))
    yield Message(f"3 of {_STEPS}: generating {count} clips")
    words = GenerateSettings(
        run=folder.run, count=count, output=folder.generated, seed=settings.seed, device=settings.device, force=True
    )
    yield from rows_of(generate(words))
    clips = [read(path).to_clip() for path in held_out]
    write_noise(folder.noise, clips, count=count, seed=settings.seed)
    chosen = np.random.default_rng(settings.seed).permutation(len(training))[:count]
    return {
        NOISE: sorted(str(path) for path in folder.noise.glob("*.wav")),
        GENERATED: sorted(str(path) for path in folder.generated.glob("*.wav")),
        TRAINING: [training[number] for number in np.sort(chosen)],
    }


def _places(settings: DemoSettings, folder: DemoFolder, seconds: float) -> dict[str, Json]:
    return {
        "report": str(folder.report),
        "dataset": str(folder.dataset),
        "run": str(folder.run),
        "generated": str(folder.generated),
        "noise": str(folder.noise),
        "seed": settings.seed,
        "seconds": round(seconds, 1),
        "next": [*next_commands(shlex.quote(f"{folder.path}/"), settings.family, settings.model_words)],
    }
