"""How a family is declared: names, presets, feed and capabilities, readable without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any, Literal, get_args, get_origin, get_type_hints

from stereokit.errors import UsageError

Feed = Literal["clips", "labelled", "pairs", "domains"]
Capability = Literal["sampler", "interpolator", "encoder", "critic", "converter", "translator", "labeller", "embedder"]
LABELLED_FEEDS = ("labelled", "domains")
# Fields of a family fed with labels that training fills from the data: the labels, sorted, and the clips of each.
FROM_DATA = ("labels", "label_counts")
MANDATORY_PRESETS = ("published", "default", "tiny")


@dataclass(frozen=True)
class Family:
    """A model family.

    Attributes
    ----------
    name
        As typed.
    summary
        One line for ``stereokit list``.
    presets
        Named configurations: frozen dataclasses of one type; ``published``, ``default`` and ``tiny`` at least.
    feed
        The shape of data it eats, unless a configuration says otherwise, see ``feed_of``.
    capabilities
        What it can do once trained; they decide which commands take it.
    """

    name: str
    summary: str
    presets: Mapping[str, Any]
    feed: Feed
    capabilities: tuple[Capability, ...]

    def preset(self, name: str, assignments: Sequence[str] = ()) -> Any:  # the family's own type
        """Return a preset with ``field=value`` assignments applied.

        Raises
        ------
        UsageError
            Naming the presets, the fields or the type that is asked for; for a field that the data decide.
        """
        if name not in self.presets:
            raise UsageError(f"unknown preset {name!r} of {self.name}: choose from {', '.join(self.presets)}")
        config = self.presets[name]
        # together, since a configuration checks fields against each other
        return replace(config, **dict(_parsed(config, assignment) for assignment in assignments))

    def feed_of(self, config: Any) -> Feed:
        """Return the shape of data that a configuration eats: its own ``feed``, where it has one, or the family's."""
        feed: Feed = getattr(config, "feed", self.feed)
        return feed

    def load_model(self) -> Any:  # the family's own class; naming it would import torch
        """Import and return the family's ``Model``, a ``training.trainer.Model`` built from a configuration."""
        return import_module(f"stereokit.models.{self.name.replace('-', '_')}.model").Model


def check_ranges(config: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse a configuration with a field outside its range, both ends allowed.

    Raises
    ------
    UsageError
        Naming the field, its value and its range.
    """
    for name, (lowest, highest) in ranges.items():
        value = getattr(config, name)
        # NaN lies nowhere
        if not lowest <= value <= highest:
            raise UsageError(f"{name} is {value}: must be from {lowest} to {highest}")


def _parsed(config: Any, assignment: str) -> tuple[str, Any]:
    name, equals, text = assignment.partition("=")
    types = get_type_hints(type(config))
    names = [field.name for field in fields(config) if field.name not in FROM_DATA]
    if not equals or name not in names:
        raise UsageError(f"--set {assignment!r}: write FIELD=VALUE with one of {', '.join(names)}")
    try:
        return name, parse_value(text, types[name])
    except ValueError as error:
        raise UsageError(f"--set {assignment!r}: {error}") from None


def parse_value(text: str, declared: Any) -> Any:
    """Read a value of a declared type: bool, int, float, str, Literal, or a tuple of one of them.

    Raises
    ------
    ValueError
        Saying what is allowed.

    >>> parse_value("1,2", tuple[int, ...]), parse_value("no", bool)
    ((1, 2), False)
    """
    if get_origin(declared) is Literal:
        if text not in get_args(declared):
            raise ValueError(f"choose from {', '.join(get_args(declared))}")
        return text
    if get_origin(declared) is tuple:
        inner = get_args(declared)[0]
        return tuple(parse_value(part, inner) for part in text.split(",") if part)
    if declared is bool:
        if text.lower() not in ("yes", "true", "1", "no", "false", "0"):
            raise ValueError("write yes or no")
        return text.lower() in ("yes", "true", "1")
    if declared in (int, float):
        try:
            return declared(text)
        except ValueError:
            raise ValueError(f"must be a number ({declared.__name__})") from None
    if declared is str:
        return text
    raise ValueError(f"a field of type {declared} cannot be set here")
