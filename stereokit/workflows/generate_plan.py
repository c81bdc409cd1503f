"""What clips ``stereokit generate`` makes: which numbers there are, each one's block, and what its row tells."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from stereokit.data.sources import Refusal
from stereokit.errors import UsageError
from stereokit.models._capabilities import drawn_labels
from stereokit.models._latents import Curve, between, within
from stereokit.models._run import Run
from stereokit.workflows.events import Json
from stereokit.workflows.generate_maker import Maker
from stereokit.workflows.generate_settings import GenerateSettings, is_number
from stereokit.workflows.generate_sounds import Sound, Sounds


class Plan(ABC):
    """Clips that are to be made.

    Attributes
    ----------
    numbers
        Of the clips; the same number is the same clip, however many there are.
    """

    numbers: range

    @property
    def remarks(self) -> list[str]:
        """What is to be said of it before it is made."""
        return []

    @abstractmethod
    def block(self, maker: Maker, numbers: range) -> torch.Tensor:
        """Return a whole block, float32 (block_clips, 2, frames); clips past the last one only fill it."""

    @abstractmethod
    def labels(self, numbers: Sequence[int]) -> torch.Tensor | None:
        """Return the number of each clip's label, int64 (len(numbers),); None without labels."""

    @abstractmethod
    def told(self, number: int) -> dict[str, Json]:
        """Return what a clip's row says of how it came about, but for its label."""


@dataclass(frozen=True)
class Samples(Plan):
    """Random clips.

    Attributes
    ----------
    config
        Of the model.
    seed
        Of the clips.
    label
        Of all of them; None for drawn ones.
    """

    numbers: range
    config: object = field(repr=False)
    seed: int
    label: int | None

    def block(self, maker: Maker, numbers: range) -> torch.Tensor:
        """Return the block of these numbers."""
        return maker.sampled(numbers, self.labels(numbers))

    def labels(self, numbers: Sequence[int]) -> torch.Tensor | None:
        """Return the label that was asked for, or drawn ones."""
        return drawn_labels(self.config, self.seed, numbers) if self.label is None else _same(self.label, numbers)

    def told(self, number: int) -> dict[str, Json]:
        """Return that they are random."""
        return {"kind": "sample"}


@dataclass(frozen=True)
class Corner:
    """What clips are made from.

    Attributes
    ----------
    name
        As typed.
    number
        Of a clip of the seed; None for a file.
    sound
        The file; None for a number.
    label, own_label
        Which the clips get that are made from it, and which it has itself; None without labels.
    """

    name: str
    number: int | None
    sound: Sound | None
    label: int | None
    own_label: int | None

    def vector(self, maker: Maker, sounds: Sounds) -> torch.Tensor:
        """Return its vector, shape (latent,)."""
        if self.sound is None:
            return maker.latent(self.number or 0)
        labels = None if self.own_label is None else torch.tensor([self.own_label])
        return maker.encoded(sounds.waves([self.sound]), labels)[0]


@dataclass(frozen=True)
class FromCorners(Plan):
    """Clips of vectors that lie between or around others.

    Attributes
    ----------
    corners
        One, to lie around; two, for a way; four, for a grid.
    steps
        Of a way, or on each side of a grid.
    curve
        The form of a way.
    spread
        How far, in standard deviations, neighbours stray.
    """

    numbers: range
    corners: Sequence[Corner]
    sounds: Sounds = field(repr=False)
    steps: int
    curve: Curve
    spread: float
    _vectors: list[torch.Tensor] = field(default_factory=list, repr=False)

    def block(self, maker: Maker, numbers: range) -> torch.Tensor:
        """Return the block of these numbers; what else the model draws is that of the first corner, but around one."""
        if not self._vectors:
            self._vectors.extend(corner.vector(maker, self.sounds) for corner in self.corners)
        is_around = len(self.corners) == 1
        items = numbers if is_around else [self.corners[0].number or 0] * len(numbers)

        def vectors(random: torch.Tensor) -> torch.Tensor:
            if is_around:
                return self._vectors[0] + self.spread * random
            last = self.numbers[-1]
            return torch.stack([self._between(min(number, last)) for number in numbers])

        return maker.decoded(items, vectors, self.labels(numbers))

    def _between(self, number: int) -> torch.Tensor:
        right, down = self._shares(number)
        if len(self.corners) == 2:
            return between(self._vectors[0], self._vectors[1], right, self.curve)
        return within(self._vectors, right, down, self.curve)

    def _shares(self, number: int) -> tuple[float, float]:
        down, right = divmod(number, self.steps)
        return right / (self.steps - 1), down / (self.steps - 1)

    def labels(self, numbers: Sequence[int]) -> torch.Tensor | None:
        """Return the label of the first corner, or the one that was asked for."""
        label = self.corners[0].label
        return None if label is None else _same(label, numbers)

    @property
    def remarks(self) -> list[str]:
        """That the corners have several labels, if nobody chose one."""
        names = self.sounds.labels
        own = [corner.own_label for corner in self.corners]
        if len(set(own)) == 1 or own[0] != self.corners[0].label:
            return []
        all_told = ", ".join(f"{corner.name}: {names[corner.own_label or 0]}" for corner in self.corners)
        return [f"the ends have several labels ({all_told}); all clips get the first, or the one of --condition"]

    def told(self, number: int) -> dict[str, Json]:
        """Return the corners, and where between them the clip lies."""
        parents: dict[str, Json] = {"parents": [corner.name for corner in self.corners]}
        if len(self.corners) == 1:
            return {"kind": "around", **parents, "spread": self.spread}
        right, down = self._shares(number)
        if len(self.corners) == 2:
            return {"kind": "path", **parents, "share": right}
        return {"kind": "grid", **parents, "share_right": right, "share_down": down}


@dataclass(frozen=True)
class Reconstructions(Plan):
    """Files, encoded and decoded.

    Attributes
    ----------
    found
        The files.
    own_labels, wanted_labels
        What they are encoded and decoded as; None without labels.
    """

    numbers: range
    found: Sequence[Sound]
    sounds: Sounds = field(repr=False)
    own_labels: Sequence[int] | None
    wanted_labels: Sequence[int] | None

    def block(self, maker: Maker, numbers: range) -> torch.Tensor:
        """Return the block of the files of these numbers."""
        places = self._places(numbers)
        chosen = [self.found[place] for place in range(places[0], places[-1] + 1)]
        own = None if self.own_labels is None else torch.tensor([self.own_labels[place] for place in places])
        vectors = maker.encoded(self.sounds.waves(chosen), None if own is None else own[: len(chosen)])
        rows = torch.tensor([place - places[0] for place in places])
        return maker.decoded(numbers, lambda _: vectors[rows], self.labels(numbers))

    def labels(self, numbers: Sequence[int]) -> torch.Tensor | None:
        """Return the label of each file, or the one that was asked for."""
        wanted = self.wanted_labels
        return None if wanted is None else torch.tensor([wanted[place] for place in self._places(numbers)])

    def told(self, number: int) -> dict[str, Json]:
        """Return the file."""
        return {"kind": "reconstruction", "parents": [str(self.found[number].path)]}

    def original(self, number: int) -> Path:
        """Return the file that a clip should sound like."""
        return self.found[number].path

    def _places(self, numbers: Sequence[int]) -> list[int]:
        return [min(number, len(self.found) - 1) for number in numbers]


def make_plan(
    settings: GenerateSettings, run: Run, stdin: Iterable[str] | None = None
) -> tuple[Plan, Sequence[Refusal]]:
    """Return what is to be made, and the inputs that are of no use for it; nothing is made yet.

    Raises
    ------
    UsageError
        For a label that the run does not know, and words that name neither a clip nor a file.
    BadInputError
        For files that do not fit the model.
    """
    sounds = Sounds(run)
    label = settings.label_of(sounds.labels, run.family.name)
    if settings.reconstruct:
        found, refused = sounds.several(settings.reconstruct, stdin)
        own = list(sounds.required(found, label)) if sounds.labels else None
        wanted = own if own is None or label is None else [label] * len(own)
        return Reconstructions(range(len(found)), found, sounds, own, wanted), refused
    if settings.corners:
        corners = [_corner(word, settings, sounds, label) for word in settings.corners]
        steps = settings.way_steps
        around = range(settings.start, settings.start + (settings.count or 0))
        numbers = {1: around, 2: range(steps), 4: range(steps**2)}[len(corners)]
        return FromCorners(numbers, corners, sounds, steps, settings.way_curve, settings.distance), ()
    made = settings.choice[1] if settings.choice else settings.count or 0
    numbers = range(settings.start, settings.start + made)
    return Samples(numbers, run.config, settings.seed, label), ()


def _corner(word: str, settings: GenerateSettings, sounds: Sounds, label: int | None) -> Corner:
    if not word:
        raise UsageError("an empty name (an unset variable?): give a clip's number or a file")
    if is_number(word):
        drawn = drawn_labels(sounds.run.config, settings.seed, [int(word)])
        own = None if drawn is None else int(drawn[0])
        return Corner(word, int(word), None, own if label is None else label, own)
    sound = sounds.one(word)
    own = next(sounds.required([sound], label)) if sounds.labels else None
    return Corner(word, None, sound, own if label is None else label, own)


def _same(label: int, numbers: Sequence[int]) -> torch.Tensor:
    return torch.full((len(numbers),), label)
