"""``--fail-if``: a comparison of one figure of the result with a number. Parsed, never evaluated."""

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from stereokit.errors import UsageError
from stereokit.workflows.events import Json

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_FORM = re.compile(r"\s*([a-z0-9_.-]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*", re.ASCII)


@dataclass(frozen=True)
class Check:
    """One condition under which a result fails."""

    text: str
    key: str
    compare: Callable[[float, float], bool]
    bound: float

    def figure(self, fields: Mapping[str, Json]) -> float | None:
        """Return the figure that the check names; None when it could not be computed."""
        value: Json = dict(fields)
        for part in self.key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value if isinstance(value, int | float) else None

    def fails(self, fields: Mapping[str, Json]) -> bool:
        """Tell whether the condition holds for a result. A figure that could not be computed fails any check."""
        value = self.figure(fields)
        return value is None or self.compare(value, self.bound)


def parse_check(text: str, keys: Collection[str]) -> Check:
    """Read a condition such as ``cov<0.4``.

    Raises
    ------
    UsageError
        When it has another form, or its key is none of ``keys``.

    >>> parse_check("cov<0.4", ["cov"]).fails({"cov": 0.3})
    True
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-if {text!r}: write KEY<NUMBER, with one of {' '.join(_OPERATORS)}; e.g. 'cov<0.4'")
    key, symbol, number = match.groups()
    if not math.isfinite(float(number)):
        raise UsageError(f"--fail-if {text!r}: {number} is too large for a number")
    if key not in keys:
        raise UsageError(f"--fail-if {text!r}: unknown key {key!r}: choose from {', '.join(sorted(keys))}")
    return Check(text, key, _OPERATORS[symbol], float(number))
