"""A generation at work: clips made, finished, counted and told of, one block in memory at a time."""

import hashlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stereokit.audio.clip import Clip
from stereokit.audio.envelope import fade
from stereokit.audio.levels import peak, with_gain
from stereokit.audio.stereo import has_side
from stereokit.data.fitting import FADE_OUT_S
from stereokit.data.text import digest
from stereokit.models._run import Run
from stereokit.workflows.events import Json, Message, Progress
from stereokit.workflows.generate_maker import Maker
from stereokit.workflows.generate_plan import Plan
from stereokit.workflows.generate_settings import GenerateSettings


def finished(clip: Clip, frames: int) -> tuple[Clip, float]:
    """Return a clip of so many frames that ends in silence and within full scale, and the gain that it got for it."""
    if frames < clip.frames:
        clip = Clip(clip.samples[:, :frames].copy(), clip.sample_rate)
    if clip.samples[:, -1].any():
        clip = fade(clip, fade_out=FADE_OUT_S)
    highest = peak(clip)
    if highest <= 1.0:
        return clip, 1.0
    # Rounding of the product must not pass full scale either.
    gain = (1.0 - 1e-6) / highest
    return with_gain(clip, gain), gain


@dataclass(frozen=True)
class Made:
    """A clip, finished.

    Attributes
    ----------
    number
        Its own.
    clip
        Its samples.
    gain
        That it was turned down by, 1 for most.
    told
        What is said of it: how it came about, its label, why it was chosen.
    """

    number: int
    clip: Clip
    gain: float
    told: Mapping[str, Json]


@dataclass
class Generation:
    """A run at work, and what it has made.

    Attributes
    ----------
    settings, run, maker, plan
        What is made of what.
    frames
        Samples of a clip.
    numbers
        The clips that are kept.
    reasons
        What is said of why each is.
    """

    settings: GenerateSettings
    run: Run
    maker: Maker
    plan: Plan
    frames: int
    numbers: Sequence[int]
    reasons: Mapping[int, Mapping[str, Json]] = field(default_factory=dict)
    clips: int = 0
    turned_down: int = 0
    without_side: int = 0
    silent: int = 0

    def make(self) -> Iterator[Made]:
        """Yield each clip."""
        size = self.maker.size
        for start, group in itertools.groupby(self.numbers, lambda number: number - number % size):
            block = self.plan.block(self.maker, range(start, start + size)).numpy()
            for number in group:
                clip, gain = finished(Clip(block[number - start], self.run.model.sample_rate), self.frames)
                self.clips += 1
                self.turned_down += gain != 1.0
                self.without_side += not has_side(clip)
                self.silent += not clip.samples.any()
                yield Made(number, clip, gain, self.told(number))

    def told(self, number: int) -> dict[str, Json]:
        """Return what is said of a clip before it is made."""
        labels = self.plan.labels([number])
        label = {} if labels is None else {"label": self.run.config.labels[int(labels[0])]}
        return {**self.plan.told(number), **label, **self.reasons.get(number, {})}

    def dither_seed(self, number: int) -> int:
        """Return the seed of a clip's dither."""
        return int.from_bytes(digest(f"{self.run.fingerprint}/{self.settings.seed}/{number}", size=8))

    def identity(self) -> dict[str, Json]:
        """Return what all clips have in common."""
        run = self.run
        return {"run": run.fingerprint, "family": run.family.name, "preset": run.preset, "seed": self.settings.seed}

    def row(self, made: Made, data: bytes) -> dict[str, Json]:
        """Return the row of a clip whose file has these bytes."""
        return {
            "index": made.number,
            **self.identity(),
            **made.told,
            "sample_rate_hz": made.clip.sample_rate,
            "frames": made.clip.frames,
            "gain_db": 20.0 * math.log10(made.gain),
            "peak": peak(made.clip),
            "has_side": has_side(made.clip),
            "sha256": hashlib.sha256(data).hexdigest(),
        }

    def summary(self, status: str) -> dict[str, Json]:
        """Return what is said of all of them."""
        settings = self.settings
        place: dict[str, Json] = {
            "status": status,
            "output": str(settings.output),
            "clips": len(self.numbers),
            "start": settings.start,
        }
        way: dict[str, Json] = {"kind": settings.kind, "condition": settings.condition}
        way |= {"truncation": settings.truncation, "select": settings.select}
        if settings.choice is not None:
            way["by"] = settings.by or "critic"
        if settings.kind in ("path", "grid"):
            way["curve"] = settings.way_curve
        form: dict[str, Json] = {"sample_rate_hz": self.run.model.sample_rate, "frames": self.frames}
        counts: dict[str, Json] = {}
        if status == "done":
            counts = {"turned_down": self.turned_down, "without_side": self.without_side, "silent": self.silent}
        means: dict[str, Json] = {"encoding": settings.encoding, "device": self.maker.device}
        return {**place, **self.identity(), **way, **form, **means, **counts}

    def progress(self) -> Progress:
        """Return how many are made."""
        return Progress("generating", self.clips, len(self.numbers))

    def warnings(self) -> Iterator[Message]:
        """Yield what is to be known of the clips."""
        if self.turned_down:
            yield Message(f"{self.turned_down} clips passed full scale and were turned down to it (gain_db)")
        if self.silent:
            yield Message(f"{self.silent} clips are silent", is_warning=True)
