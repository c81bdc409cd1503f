"""The one form of a map: points of many dimensions become points of two or three."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import BadInputError, MissingError, UsageError
from stereokit.metrics.layouts._near import near_their_like, on_their_twins
from stereokit.metrics.sound_space import principal_axes

Points = NDArray[np.float64]
Labels = NDArray[np.int64]
Values = Mapping[str, float]


@dataclass(frozen=True)
class Parameter:
    """What a person may choose of a layout.

    Attributes
    ----------
    name
        Of the option, without its dashes.
    default, least, most
        A whole number where ``default`` is one.
    """

    name: str
    default: float
    least: float
    most: float

    def checked(self, value: float) -> float:
        """Return a value that this parameter may have.

        Raises
        ------
        UsageError
            Naming what it may be.
        """
        is_whole = isinstance(self.default, int)
        if not self.least <= value <= self.most or (is_whole and value != int(value)):
            kind = "a whole number " if is_whole else ""
            raise UsageError(f"--{self.name} {value:g}: must be {kind}from {self.least:g} to {self.most:g}")
        return int(value) if is_whole else float(value)


@dataclass(frozen=True)
class Wish:
    """How a map shall be drawn.

    Attributes
    ----------
    dimensions
        2 or 3.
    seed
        Of everything random.
    values
        Of all of the layout's parameters.
    labels
        int64 (n,), -1 where unknown, to guide a layout that can be guided; None for none.
    """

    dimensions: int = 2
    seed: int = 0
    values: Values = field(default_factory=dict)
    labels: Labels | None = None


@dataclass(frozen=True)
class Drawn:
    """A map.

    Attributes
    ----------
    places
        float64 (n, dimensions), finite.
    values
        What the parameters were: of few points there are few neighbours.
    kept
        What the layout needs to place more by its own way.
    """

    places: Points
    values: Values = field(default_factory=dict)
    kept: Mapping[str, Points] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """A way to draw a map.

    Attributes
    ----------
    name
        As the module's.
    summary
        One line for ``stereokit list``.
    draw
        Draws a map of at least ``fewest`` points, float64 (n, d).
    parameters
        What a person may choose, beside the dimensions and the seed.
    fewest
        Points of which it draws a map.
    can_be_guided
        Whether labels make a difference.
    package
        The module that it needs, and the package that brings it; None for none.
    own_more
        (what was drawn, new points) -> their places, where it has a way of its own; else they lie near their like.
    """

    name: str
    summary: str
    draw: Callable[[Points, Wish], Drawn]
    parameters: tuple[Parameter, ...] = ()
    fewest: int = 1
    can_be_guided: bool = False
    package: tuple[str, str] | None = None
    own_more: Callable[[Drawn, Points], Points] | None = None

    def values(self, given: Values) -> dict[str, float]:
        """Return the values of all parameters, those that were given and the defaults of the others.

        Raises
        ------
        UsageError
            For a parameter that this layout has not, or a value that it may not have.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                has = " and ".join(f"--{one}" for one in known) or "no parameters"
                raise UsageError(f"--{name}: {self.name} has {has}")
        return {name: one.checked(given.get(name, one.default)) for name, one in known.items()}

    def check_installed(self) -> None:
        """Refuse a layout whose package is not there, before it is needed.

        Raises
        ------
        MissingError
            Saying what to install.
        """
        if self.package is not None and find_spec(self.package[0]) is None:
            raise _missing(self.package[1])

    def place(
        self,
        points: Points,
        dimensions: int = 2,
        seed: int = 0,
        *,
        labels: Labels | None = None,
        given: Values | None = None,
    ) -> Drawn:
        """Draw a map.

        Parameters
        ----------
        points
            Shape (n, d).
        dimensions
            2 or 3.
        seed
            Of everything random.
        labels
            int64 (n,), -1 where unknown; None for none.
        given
            Values of parameters; defaults of the others.

        Raises
        ------
        UsageError
            For parameters or labels that this layout cannot use.
        BadInputError
            For too few points.
        MissingError
            When its package is not there.
        """
        wish = Wish(dimensions, seed, self.values(given or {}), labels)
        if labels is not None and not self.can_be_guided:
            raise UsageError(f"{self.name} cannot be guided by labels")
        if len(points) < self.fewest:
            told = f"{self.name} draws maps of {self.fewest} clips or more, not of {len(points)}: use pca"
            raise BadInputError(told)
        return self.draw(points, wish)

    def place_more(self, points: Points, drawn: Drawn, more: Points) -> Points:
        """Return places of more points, shape (m, dimensions), on a map that stays as it is.

        Parameters
        ----------
        points
            That were drawn, shape (n, d), all different.
        drawn
            The map of them.
        more
            Shape (m, d). One that equals a point of the map has its place.
        """
        if self.own_more is None:
            return near_their_like(points, drawn.places, more)
        return on_their_twins(points, drawn.places, more, self.own_more(drawn, more))


def principal_map(points: Points, dimensions: int) -> Drawn:
    """Draw points along their directions of largest variance; 0 where there are fewer."""
    mean, turn = principal_axes(points, dimensions)
    axes = np.zeros((points.shape[1], dimensions))
    axes[:, : turn.shape[1]] = turn
    return Drawn((points - mean) @ axes, kept={"mean": mean, "axes": axes})


def first_map(points: Points, dimensions: int, seed: int, size: float) -> Points:
    """Return where a search for a better map starts: the principal map with a deviation of ``size``, slightly shaken.

    Equal points lie apart then, which the searches need.
    """
    placed = principal_map(points, dimensions).places
    placed = placed * (size / max(float(placed[:, 0].std()), 1e-12))
    return np.asarray(placed + np.random.default_rng(seed).normal(0.0, 1e-4 * size, placed.shape))


def optional(module: str, package: str) -> Any:
    """Import a module of an optional package.

    Raises
    ------
    MissingError
        Saying what to install.
    """
    try:
        with warnings.catch_warnings():
            # of what the package itself could do with others that are not installed
            warnings.simplefilter("ignore")
            return import_module(module)
    except ImportError as error:
        raise _missing(package) from error


def _missing(package: str) -> MissingError:
    return MissingError(f"{package} is not installed: pip install 'stereokit[label]'")
