"""The words of ``stereokit score listen``, and what must hold before anything is read."""

from dataclasses import dataclass
from pathlib import Path

from stereokit.data.text import nfc, printable
from stereokit.errors import OutputError, UsageError
from stereokit.workflows.score_files import ScoreFiles

PREFER, NEAREST = "Which do you prefer?", "Which is nearer to the reference?"
_LONGEST_QUESTION, LONGEST_NAME = 200, 60


@dataclass(frozen=True)
class ListenSettings:
    """The words of ``stereokit score listen``; None is what was not said."""

    output: Path
    a: str | None = None
    b: str | None = None
    reference: str | None = None
    pairs: int | None = None
    controls: int = 0
    question: str | None = None
    allow_same: bool = False
    groups: str | None = None
    port: int = 0
    opens: bool = False
    results: bool = False
    per_listener: bool = False
    per_trial: bool = False
    plot: Path | None = None
    dry_run: bool = False
    strict: bool = False
    seed: int = 0

    @property
    def folders(self) -> list[str]:
        """What was given to compare, and to compare it to."""
        return [one for one in (self.a, self.b, self.reference) if one is not None]

    @property
    def asked(self) -> str:
        """The question that listeners read."""
        return (NEAREST if self.reference is not None else PREFER) if self.question is None else nfc(self.question)

    @property
    def group_names(self) -> list[str]:
        """The groups that listeners choose from; none where they say what they like."""
        return [] if self.groups is None else [nfc(name.strip()) for name in self.groups.split(",")]

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises
        ------
        UsageError
            Naming the option.
        OutputError
            When a file could not be written in the end.
        """
        ScoreFiles(plot=self.plot).check_places()
        if self.plot is not None and self.plot.resolve() == self.output.resolve():
            raise UsageError(f"--plot and --output: both would write {self.plot}; give each a file of its own")
        if self.output.is_dir() or not self.output.parent.is_dir():
            reason = "is a folder" if self.output.is_dir() else "its folder is missing"
            raise OutputError(f"cannot write {self.output}: {reason}")
        if self.results:
            return
        if self.a is None or self.b is None:
            raise UsageError("score listen: give two folders, A and B (a folder of that name is ./listen)")
        if "-" in self.folders:
            raise UsageError("score listen -: standard input is no folder that a study can go on with; give a folder")
        if same_place(self.a, self.b):
            raise UsageError(f"A and B are both {self.a}: each pair would be one sound twice; give two folders")
        if self.pairs is not None and self.controls > self.pairs:
            raise UsageError(f"--controls {self.controls}: at most as many as pairs, {self.pairs}")
        if not self.asked.strip() or len(self.asked) > _LONGEST_QUESTION or printable(self.asked) != self.asked:
            raise UsageError(f"--question {self.asked[:40]!r}: give 1 to {_LONGEST_QUESTION} letters on one line")
        names = self.group_names
        if len(set(names)) != len(names) or any(not is_name(name) for name in names):
            raise UsageError(f"--groups {str(self.groups)[:40]!r}: give different names with commas between them")


def is_name(text: str) -> bool:
    """Tell whether a text can be a listener's or a group's name: it shows, and is not too long."""
    return bool(text.strip()) and len(text) <= LONGEST_NAME and printable(text) == text


def same_place(one: str, other: str) -> bool:
    """Tell whether two words name one folder or list."""
    return Path(one).resolve() == Path(other).resolve()
