"""The clips that one clip gives: itself or its variants, and of each a degraded one beside it."""

from collections.abc import Iterator
from functools import cache

from stereokit.audio.clip import Clip
from stereokit.audio.levels import peak
from stereokit.data.augmentation._plan import AugmentationPlan, parse_augmentation
from stereokit.data.degradation._plan import DegradationPlan, parse_degradation

Facts = dict[str, object]
# What its name has after the source's stem, the clip, and further columns of its row.
Version = tuple[str, Clip, Facts]

# What a clip's name has where it is what a degraded one should become.
TARGET = ".target"


@cache
def augmentation(words: str, count: int | None) -> AugmentationPlan:
    """Read the words once a process; raises as ``parse_augmentation`` does."""
    return parse_augmentation(words, count)


@cache
def degradation(words: str, unevenness: float) -> DegradationPlan:
    """Read the words once a process; raises as ``parse_degradation`` does."""
    return parse_degradation(words, unevenness)


def variants(clip: Clip, plan: AugmentationPlan, *, seed: int, key: str, name: str) -> Iterator[Version]:
    """Yield each variant's name, the variant, and what was done: ``variant`` (its number) and ``augmentation``."""
    digits = max(2, len(str(plan.count)))
    for made, facts in plan.variants(clip, seed=seed, key=key + name):
        number = facts.pop("variant")
        yield f"{name}-v{number:0{digits}}", made, {"variant": number, "augmentation": facts}


def takes(clip: Clip, plan: DegradationPlan | None, *, seed: int, key: str, name: str) -> list[Version]:
    """Return the files of a clip: itself alone, or its degraded form, which names it as its target, and itself."""
    if plan is None:
        return [(name, clip, {})]
    degraded, steps = plan.degrade(clip, seed=seed, key=key + name)
    return [
        (name, degraded, {"degradation": list(steps), "target": name + TARGET}),
        (name + TARGET, clip, {}),
    ]


def shared_gain(files: list[Version], gain: float, *, is_bounded: bool) -> tuple[float, bool]:
    """Return the gain for all files of a clip, and whether it had to be less so that none passes full scale."""
    highest = max(peak(clip) for _, clip, _ in files)
    if not is_bounded or gain * highest <= 1.0:
        return gain, False
    # Rounding of the product must not pass full scale either.
    return (1.0 - 1e-6) / highest, True
