"""The desk at which clips are labelled by ear: what is known of each, by whom, and what was said last."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stereokit.data.decisions import Decision, Decisions, Wish
from stereokit.data.text import nfc, printable
from stereokit.errors import UsageError

LONGEST_CLASS = 60
MOST_CLASSES = 250


@dataclass(frozen=True)
class ReviewClip:
    """A clip of the set.

    Attributes
    ----------
    name
        By which decisions know it, and exports: relative, with slashes.
    path
        Where it is.
    given
        The label that it had before; None for none.
    """

    name: str
    path: Path
    given: str | None


@dataclass(frozen=True)
class Verdict:
    """What is known of a clip.

    Attributes
    ----------
    label
        None for none.
    provenance
        ``human`` when it was decided here, be it that the clip shall have none; ``given`` when the label was there
        before; None when nobody said anything.
    decided_at
        When, ISO 8601; None unless it was here.
    number
        Of the last decision about it, 0 for none.
    """

    label: str | None
    provenance: str | None
    decided_at: str | None
    number: int

    @property
    def is_open(self) -> bool:
        """Whether it can be asked about: nobody has said anything, not even that it shall have no label."""
        return self.provenance is None


def class_name(text: object) -> str:
    """Return the name of a class as it is kept: composed, without blanks around it.

    Raises
    ------
    UsageError
        For one that is empty, too long, or holds what no terminal shows.
    """
    name = nfc(text).strip() if isinstance(text, str) else ""
    if not name or len(name) > LONGEST_CLASS:
        raise UsageError(
            f"a class has a name of 1 to {LONGEST_CLASS} characters, not {printable(name[:LONGEST_CLASS])!r}"
        )
    if printable(name) != name:
        raise UsageError(f"a class cannot be called {printable(name)!r}: it holds what cannot be shown")
    return name


@dataclass
class Desk:
    """What several tabs and the teacher share.

    Attributes
    ----------
    clips
        All that can be heard, in their order.
    decisions
        The file of what was decided.
    first_classes
        Those that come first: of the command line, then of labels that were given.
    changed
        Called after each decision.

    Raises
    ------
    UsageError
        When there are too many classes.
    """

    clips: Sequence[ReviewClip]
    decisions: Decisions
    first_classes: Sequence[str]
    changed: Callable[[], None] = lambda: None
    _numbers: dict[str, int] = field(init=False)
    _classes: list[str] = field(init=False)
    _adding: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._numbers = {clip.name: number for number, clip in enumerate(self.clips)}
        used = {one.label for one in self.decisions.last().values() if one.label is not None}
        self._classes = list(dict.fromkeys([*self.first_classes, *self.decisions.classes(), *sorted(used)]))
        if len(self._classes) > MOST_CLASSES:
            raise UsageError(f"there are {len(self._classes)} classes: {MOST_CLASSES} at most can be chosen from")

    @property
    def classes(self) -> list[str]:
        """All classes there are, each once, in an order that only grows."""
        return list(self._classes)

    @property
    def strangers(self) -> int:
        """How many decisions are about clips that are not here."""
        return len(self.decisions.last().keys() - self._numbers.keys())

    def verdicts(self) -> list[Verdict]:
        """Return what is known of each clip."""
        last = self.decisions.last()
        return [_verdict(clip, last.get(clip.name)) for clip in self.clips]

    def since(self, number: int) -> list[tuple[int, Verdict]]:
        """Return the clips that were decided about after a decision, with what is known of them now."""
        return self._told(self.decisions.since(number))

    def decide(self, wishes: Sequence[tuple[int, str | None, int]], *, listener: str) -> list[tuple[int, Verdict]]:
        """Decide: (number of a clip, label or None, number of the last decision about it that was seen).

        Raises
        ------
        UsageError
            For a class that there is not, or a clip twice; nothing is decided then.
        ConflictError
            When another tab was faster; nothing is decided then.
        """
        if not wishes or len({number for number, _, _ in wishes}) < len(wishes):
            raise UsageError("a request decides about one clip or more, each once")
        known = set(self._classes)
        for _, label, _ in wishes:
            if label is not None and label not in known:
                raise UsageError(f"there is no class {printable(label)!r}")
        asked = [Wish(self.clips[number].name, label, seen) for number, label, seen in wishes]
        made = self.decisions.decide(asked, listener=listener)
        self.changed()
        return self._told(made)

    def take_back(self, *, listener: str) -> list[tuple[int, Verdict]]:
        """Undo the last that a listener decided."""
        made = self.decisions.take_back(listener=listener)
        self.changed()
        return self._told(made)

    def add_class(self, name: object) -> str:
        """Add a class, and return its name as it is kept.

        Raises
        ------
        UsageError
            For a name that none can have, or when there are too many.
        """
        kept = class_name(name)
        with self._adding:
            if kept not in self._classes:
                if len(self._classes) >= MOST_CLASSES:
                    raise UsageError(f"there are {MOST_CLASSES} classes already")
                self.decisions.add_class(kept)
                self._classes.append(kept)
        return kept

    def _told(self, decisions: Sequence[Decision]) -> list[tuple[int, Verdict]]:
        here = ((self._numbers[one.clip], one) for one in decisions if one.clip in self._numbers)
        return [(number, _verdict(self.clips[number], one)) for number, one in here]


def _verdict(clip: ReviewClip, decision: Decision | None) -> Verdict:
    if decision is None or decision.state == 0:
        number = 0 if decision is None else decision.number
        return Verdict(clip.given, None if clip.given is None else "given", None, number)
    return Verdict(decision.label, "human", decision.decided_at, decision.number)
