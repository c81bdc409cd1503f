"""A function that is named here and loaded where it is called."""

from importlib import import_module
from typing import Any


class Deferred:
    """A function of a module that this process need not load: workers do, before they are forked.

    >>> from fractions import Fraction
    >>> Deferred("fractions", "Fraction")(1, 2) == Fraction(1, 2)
    True
    """

    def __init__(self, module: str, name: str) -> None:
        self.__module__ = module
        self.name = name

    def __call__(self, *words: Any, **named: Any) -> Any:
        """Call it."""
        return getattr(import_module(self.__module__), self.name)(*words, **named)
