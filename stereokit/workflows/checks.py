"""``--fail-if``: a comparison of one figure of the result with a number or another figure. Parsed, never evaluated."""

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from stereokit.errors import UsageError
from stereokit.workflows.events import Json

BASELINE = "baseline."

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_KEY = r"[a-z_][a-z0-9_.-]*"
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_FORM = re.compile(rf"\s*({_KEY})\s*(<=|>=|==|!=|<|>)\s*(?:({_NUMBER})|(?:({_NUMBER})\s*\*\s*)?({_KEY}))\s*", re.ASCII)


@dataclass(frozen=True)
class Check:
    """One condition under which a result fails.

    Attributes
    ----------
    text
        As it was written.
    key
        The figure that is judged; dots lead into parts of the result.
    compare
        The comparison that must not hold.
    bound
        The number on the right.
    bound_key
        The figure that the number is multiplied with; None without one.
    """

    text: str
    key: str
    compare: Callable[[float, float], bool]
    bound: float
    bound_key: str | None = None

    @property
    def keys(self) -> list[str]:
        """The figures that are named."""
        return [self.key] if self.bound_key is None else [self.key, self.bound_key]

    def figure(self, fields: Mapping[str, Json]) -> float | None:
        """Return the figure that is judged; None when it could not be computed."""
        return _figure(fields, self.key)

    def limit(self, fields: Mapping[str, Json]) -> float | None:
        """Return what it is compared with; None when that could not be computed."""
        if self.bound_key is None:
            return self.bound
        value = _figure(fields, self.bound_key)
        return None if value is None else self.bound * value

    def fails(self, fields: Mapping[str, Json]) -> bool:
        """Tell whether the condition holds for a result. A figure that could not be computed fails any check."""
        value, limit = self.figure(fields), self.limit(fields)
        return value is None or limit is None or self.compare(value, limit)

    def told(self, fields: Mapping[str, Json]) -> str:
        """Return the figures in words: ``mmd is 0.003, 1.1*baseline.mmd is 0.0025``."""
        words = [_told(self.key, self.figure(fields))]
        if self.bound_key is not None:
            words.append(_told(f"{self.bound:g}*{self.bound_key}", self.limit(fields)))
        return ", ".join(words)


def _told(name: str, value: float | None) -> str:
    return f"{name} could not be computed" if value is None else f"{name} is {value:.6g}"


def _figure(fields: Mapping[str, Json], key: str) -> float | None:
    value: Json = dict(fields)
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    # NaN is no figure: every comparison with it would pass.
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def parse_check(text: str, keys: Collection[str]) -> Check:
    """Read a condition such as ``cov<0.4``, ``nna>expected.nna`` or ``mmd>1.1*baseline.mmd``.

    Raises
    ------
    UsageError
        When it has another form, or one of its keys is none of ``keys``, with or without ``baseline.`` before it.

    >>> parse_check("cov<0.4", ["cov"]).fails({"cov": 0.3})
    True
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--fail-if {text!r}: write KEY<NUMBER, KEY<KEY or KEY<NUMBER*KEY, with one of {' '.join(_OPERATORS)}; "
            "e.g. 'cov<0.4'"
        )
    key, symbol, number, factor, bound_key = match.groups()
    bound = float(number or factor or 1.0)
    if not math.isfinite(bound):
        raise UsageError(f"--fail-if {text!r}: {number or factor} is too large for a number")
    check = Check(text, key, _OPERATORS[symbol], bound, bound_key)
    for name in check.keys:
        if name.removeprefix(BASELINE) not in keys:
            near = get_close_matches(name, keys, n=1)
            meant = f" ({near[0]}?)" if near else ""
            raise UsageError(
                f"--fail-if {text!r}: unknown key {name!r}{meant}: choose from {', '.join(sorted(keys))}; "
                f"each is also there as {BASELINE}KEY"
            )
    return check
