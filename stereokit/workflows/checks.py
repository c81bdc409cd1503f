"""``--fail-if``: a comparison of one figure of the result with a number. Parsed, never evaluated."""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from stereokit.data.text import printable
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
_FORM = re.compile(r"\s*([a-z0-9_.-]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Check:
    """One condition under which a result fails."""

    text: str
    key: str
    compare: Callable[[float, float], bool]
    bound: float

    def fails(self, fields: Mapping[str, Json]) -> bool:
        """Tell whether the result meets the condition. A figure that could not be computed fails any check."""
        value: Json = dict(fields)
        for part in self.key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, int | float):
            return True
        return self.compare(value, self.bound)


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
        shown = printable(text)
        raise UsageError(f"--fail-if {shown!r}: write KEY<NUMBER, with one of {' '.join(_OPERATORS)}; e.g. 'cov<0.4'")
    key, symbol, number = match.groups()
    if key not in keys:
        raise UsageError(f"--fail-if {text!r}: unknown key {key!r}: choose from {', '.join(sorted(keys))}")
    return Check(text, key, _OPERATORS[symbol], float(number))
