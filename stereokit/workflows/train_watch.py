"""The watch of a training against collapse: signs, when they become an alarm, and what it remembers.

Signs of a validation:

- ``few``: the generated clips reach no more validation clips than n / 8 different ones could (COV);
- ``alike``: they lie less than a quarter as far apart as validation clips do (variety);
- ``mono``: less than half as many of them have a side signal as of the validation clips, and not by chance;
- ``apart``: nearest neighbours tell them from validation clips again (1-NNA): of the mixing that two validations in a
  row had reached, less than a quarter is left, and chance would not do that (four standard deviations);
- ``exploding``, ``vanishing``: the gradient of a turn, as geometric mean since the validation before, is more than 100
  times, or less than a thousandth of, what it was in the median of the healthy validations, two or more of them;
- ``not finite``: NaN or infinity in a loss, a gradient or a clip.

The bounds of the first four are measured on the validation clips (``metrics.collapse``). A sign becomes an alarm in the
second validation in a row that has it, NaN at once. A generator starts out poor: ``few``, ``alike`` and ``mono`` count
once a validation was free of them, or from half of the training on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import Any, Literal

Policy = Literal["warn", "stop", "back", "off"]
POLICIES: tuple[Policy, ...] = ("warn", "stop", "back", "off")
DEFAULT_POLICY: Policy = "warn"
NOT_FINITE = "not finite"

# A collapse that comes again and again is not chance.
MOST_RETURNS = 3

_STARTS_POOR = ("few", "alike", "mono")
_GRACE = 0.5
_IN_A_ROW = 2
_MIXED_LEFT, _MIXED_NOISE = 0.25, 4.0
_EXPLODING, _VANISHING = 100.0, 1e-3
# Of healthy validations; the older ones are forgotten.
_FEWEST_NORMS, _MOST_NORMS = 2, 32
_LEAST_NORM = 1e-30

WORDS = {
    "few": "its clips reach few of the validation clips",
    "alike": "its clips are alike",
    "mono": "its clips are mono",
    "apart": "its clips are told from real ones again",
    "exploding": "gradients explode",
    "vanishing": "gradients vanish",
    NOT_FINITE: "a loss, a gradient or a clip is NaN or infinite",
}


@dataclass(frozen=True)
class Mixing:
    """How well nearest neighbours mix generated and validation clips.

    Attributes
    ----------
    nna
        1-NNA of this validation.
    noise
        Standard deviation of a perfect generator's.
    """

    nna: float
    noise: float


@dataclass(frozen=True)
class Watch:
    """What is remembered from one validation to the next; plain JSON by ``to_json``.

    Attributes
    ----------
    rows
        Sign -> validations in a row that have it.
    were_free
        Signs that a validation was free of.
    ringing
        Signs under alarm.
    alarms
        All of the training: step and sign.
    mixed, best_mixed
        1 - 1-NNA of the validation before, and the most that two in a row reached; None before them.
    sums
        Turn -> sum of the logarithms of its gradients' lengths since the last validation, and how many.
    norms
        Turn -> their geometric means in healthy validations, the oldest first.
    kept
        Step and score of the state that is kept to go back to, the energy distance where clips are generated.
    returns
        How often the training went back.
    is_over
        The alarm ended the training.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    were_free: tuple[str, ...] = ()
    ringing: tuple[str, ...] = ()
    alarms: tuple[tuple[int, str], ...] = ()
    mixed: float | None = None
    best_mixed: float | None = None
    sums: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    norms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    kept: tuple[int, float | None] | None = None
    returns: int = 0
    is_over: bool = False

    def after_step(self, gradients: Mapping[str, float]) -> "Watch":
        """Return the watch once a step's gradients are counted."""
        sums = dict(self.sums)
        for turn, norm in gradients.items():
            total, count = sums.get(turn, (0.0, 0))
            sums[turn] = (total + math.log(max(norm, _LEAST_NORM)), count + 1)
        return replace(self, sums=sums)

    def gradients(self) -> dict[str, float]:
        """Return the geometric mean of each turn's gradients since the last validation."""
        return {turn: math.exp(total / count) for turn, (total, count) in self.sums.items()}

    def after(self, step: int, judged: Sequence[str], mixing: Mixing | None, *, progress: float) -> "Finding":
        """Return what a validation finds.

        Parameters
        ----------
        step
            Steps done.
        judged
            Those of ``few``, ``alike`` and ``mono`` that the clips show.
        mixing
            None without a judge.
        progress
            Of the training, 0 to 1.
        """
        signs = [one for one in judged if one in self.were_free or progress >= _GRACE]
        if mixing is not None and self._is_apart(mixing):
            signs.append("apart")
        gradients = self.gradients()
        signs += self._gradient_signs(gradients)
        rows = {one: self.rows.get(one, 0) + 1 for one in signs}
        ringing = tuple(one for one, count in rows.items() if count >= _IN_A_ROW)
        new = tuple(one for one in ringing if one not in self.ringing)
        watch = replace(
            self,
            rows=rows,
            were_free=tuple(one for one in _STARTS_POOR if one in self.were_free or one not in judged),
            ringing=ringing,
            alarms=(*self.alarms, *((step, one) for one in new)),
            sums={},
            norms=self.norms if signs else _with(self.norms, gradients),
        )
        if mixing is not None and not signs:
            mixed = 1.0 - mixing.nna
            both = min(mixed, self.mixed) if self.mixed is not None else None
            best = max((one for one in (both, self.best_mixed) if one is not None), default=None)
            watch = replace(watch, mixed=mixed, best_mixed=best)
        return Finding(watch, tuple(signs), new, is_healthy=not (signs or judged))

    def _is_apart(self, mixing: Mixing) -> bool:
        mixed, best = 1.0 - mixing.nna, self.best_mixed
        if best is None:
            return False
        return mixed < _MIXED_LEFT * best and best - mixed > _MIXED_NOISE * mixing.noise

    def _gradient_signs(self, gradients: Mapping[str, float]) -> list[str]:
        signs = []
        for turn, norm in gradients.items():
            known = self.norms.get(turn, ())
            if len(known) >= _FEWEST_NORMS:
                usual = median(known)
                signs += ["exploding"] * (norm > _EXPLODING * usual) + ["vanishing"] * (norm < _VANISHING * usual)
        return list(dict.fromkeys(signs))

    def should_keep(self, score: float | None) -> bool:
        """Tell whether a healthy state is the one to go back to: of the lowest score; without a judge the last."""
        if self.kept is None or score is None or self.kept[1] is None:
            return True
        return score < self.kept[1]

    def back_to(self, kept: "Watch") -> "Watch":
        """Return the watch that goes on from a kept state: it remembers its alarms and returns, and that state."""
        return replace(kept, rows={}, ringing=(), sums={}, alarms=self.alarms, kept=self.kept, returns=self.returns + 1)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Watch":
        """Return what ``to_json`` gave; of another form, and of nothing, a fresh watch."""
        try:
            return cls(**{name: _frozen(one) for name, one in value.items()})
        except TypeError:
            return cls()


@dataclass(frozen=True)
class Finding:
    """What a validation found.

    Attributes
    ----------
    watch
        That remembers it.
    signs
        Of collapse, that count.
    alarms
        Those that are an alarm from now on.
    is_healthy
        Whether there is no sign at all, counted or not.
    """

    watch: Watch
    signs: tuple[str, ...]
    alarms: tuple[str, ...]
    is_healthy: bool


def _frozen(value: Any) -> Any:
    """Return JSON with tuples in the place of lists."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return {name: _frozen(one) for name, one in value.items()} if isinstance(value, dict) else value


def _with(norms: Mapping[str, tuple[float, ...]], gradients: Mapping[str, float]) -> dict[str, tuple[float, ...]]:
    known = dict(norms)
    for turn, norm in gradients.items():
        known[turn] = (*known.get(turn, ()), norm)[-_MOST_NORMS:]
    return known
