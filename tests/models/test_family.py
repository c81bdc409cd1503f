"""How a family is declared and its fields are set."""

from dataclasses import dataclass
from typing import Literal

import pytest

from stereokit.errors import UsageError
from stereokit.models._family import Family


@dataclass(frozen=True)
class Config:
    width: int = 4
    rate: float = 1e-3
    is_lazy: bool = True
    kind: Literal["hinge", "wasserstein"] = "hinge"
    kernels: tuple[int, ...] = (4, 4)


FAMILY = Family("toy", "a toy", {"default": Config(), "tiny": Config(width=1)}, "clips", ("sampler",))


def test_a_field_is_set_by_its_declared_type() -> None:
    words = ["width=8", "rate=2e-4", "is_lazy=no", "kind=wasserstein", "kernels=3,5"]
    assert FAMILY.preset("tiny", words) == Config(8, 2e-4, False, "wasserstein", (3, 5))  # noqa: FBT003


@pytest.mark.parametrize(
    ("preset", "words", "said"),
    [
        ("huge", [], "choose from default, tiny"),
        ("tiny", ["depth=3"], "width, rate, is_lazy, kind, kernels"),
        ("tiny", ["width"], "FIELD=VALUE"),
        ("tiny", ["width=wide"], "a number"),
        ("tiny", ["kind=other"], "hinge, wasserstein"),
        ("tiny", ["is_lazy=maybe"], "yes or no"),
        ("tiny", ["kernels=3,x"], "a number"),
    ],
)
def test_a_wrong_preset_or_field_names_what_is_valid(preset: str, words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        FAMILY.preset(preset, words)


def test_a_configuration_may_eat_other_data_than_its_family() -> None:
    @dataclass(frozen=True)
    class Hungry(Config):
        feed: str = "labelled"

    assert FAMILY.feed_of(Config()) == "clips"
    assert FAMILY.feed_of(Hungry()) == "labelled"
