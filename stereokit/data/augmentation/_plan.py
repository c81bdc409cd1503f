"""Words like ``stretch:0.2,swap`` or ``stabs24``, and the variants of a clip that they ask for."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stereokit import catalog
from stereokit.audio.clip import Clip
from stereokit.data.augmentation._form import Augmentation, Facts, Grid, Recipe
from stereokit.data.text import digest
from stereokit.errors import UsageError

# Whatever the order of the words: the costly first, so that variants share them; the order of the last two is heard by
# nobody.
_ORDER = ("stretch", "pitch", "filter", "gain", "swap")
_MOST_VARIANTS = 1000


@dataclass(frozen=True)
class AugmentationPlan:
    """What is made of each training clip, beside itself.

    Attributes
    ----------
    words
        As they were given.
    steps
        What is drawn anew for each variant: (augmentation, how far it may go). Empty for a grid.
    grid
        The recipes of a fixed list, one a variant. Empty for drawn variants.
    count
        Variants of a clip.
    """

    words: str
    steps: tuple[tuple[str, float], ...]
    grid: tuple[Recipe, ...]
    count: int

    def recipe(self, variant: int, *, seed: int, key: str) -> Recipe:
        """Return what makes a variant: the same for equal arguments, whatever else is made.

        Parameters
        ----------
        variant
            From 1 to ``count``.
        seed
            Of the data set.
        key
            The clip's name among the sources.
        """
        if self.grid:
            return self.grid[variant - 1]
        random = np.random.default_rng(list(digest(f"{seed}:{variant}:{key}", size=16)))
        drawn = []
        for name, reach in self.steps:
            augmentation: Augmentation = catalog.load("augmentation", name)
            drawn.append((name, augmentation.draw(random, reach)))
        return tuple(drawn)

    def variants(self, clip: Clip, *, seed: int, key: str) -> Iterator[tuple[Clip, Facts]]:
        """Yield each variant with what was done: ``{"variant": number, augmentation: what was drawn for it ...}``.

        What several variants begin with is done once.
        """
        made: dict[str, Clip] = {}
        for variant in range(1, self.count + 1):
            recipe = self.recipe(variant, seed=seed, key=key)
            changed = clip
            for number, (name, facts) in enumerate(recipe, start=1):
                begun = json.dumps(recipe[:number])
                if begun not in made:
                    made[begun] = catalog.load("augmentation", name).apply(changed, facts)
                changed = made[begun]
            yield changed, {"variant": variant, **dict(recipe)}
            if not self.grid:
                # Drawn values hardly ever meet again.
                made.clear()


def parse_augmentation(words: str, variants: int | None = None) -> AugmentationPlan:
    """Read the words of ``--augment`` and ``--variants``.

    Parameters
    ----------
    words
        A grid's name, or augmentations with how far each may go: ``stretch:0.2,filter,swap``.
    variants
        How many a clip gets beside itself; None: 1, or all of a grid.

    Raises
    ------
    UsageError
        For an unknown name, a value out of range, a name given twice, a grid among others, more variants than differ.

    >>> parse_augmentation("swap,gain:3", 2).steps
    (('gain', 3.0), ('swap', 0.0))
    >>> parse_augmentation("stabs24").count
    23
    """
    reaches: dict[str, float] = {}
    for word in words.split(","):
        name, colon, value = word.strip().partition(":")
        entry = catalog.load("augmentation", name)
        if isinstance(entry, Grid):
            if word != words or colon or variants not in (None, len(entry.recipes)):
                raise UsageError(
                    f"--augment {words}: {name} stands alone, without a value, and gives {len(entry.recipes)} variants"
                )
            return AugmentationPlan(words, (), entry.recipes, len(entry.recipes))
        if name in reaches:
            raise UsageError(f"--augment {words}: {name} is named twice")
        reaches[name] = _reach(entry, word, value if colon else None)
    count = 1 if variants is None else variants
    if set(reaches) == {"swap"}:
        if count != 1:
            raise UsageError(f"--variants {count}: swap alone gives one variant")
        # A coin would make every second variant a copy.
        return AugmentationPlan(words, (), ((("swap", {"swapped": True}),),), 1)
    if not 1 <= count <= _MOST_VARIANTS:
        raise UsageError(f"--variants {count}: must be from 1 to {_MOST_VARIANTS}")
    return AugmentationPlan(words, tuple((name, reaches[name]) for name in sorted(reaches, key=_place)), (), count)


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else -1, name)


def _reach(entry: Augmentation, word: str, value: str | None) -> float:
    if entry.reach is None:
        if value is not None:
            raise UsageError(f"--augment {word}: takes no value")
        return 0.0
    if value is None:
        return entry.reach.default
    allowed = f"must be from {entry.reach.lowest:g} to {entry.reach.highest:g} {entry.reach.unit}"
    try:
        number = float(value)
    except ValueError:
        raise UsageError(f"--augment {word}: {allowed}") from None
    if not (math.isfinite(number) and entry.reach.lowest <= number <= entry.reach.highest):
        raise UsageError(f"--augment {word}: {allowed}")
    return number
