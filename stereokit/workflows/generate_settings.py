"""The words of ``stereokit generate``, and which of them go together."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stereokit.audio.files import Encoding
from stereokit.data.text import nfc
from stereokit.errors import OutputError, UsageError
from stereokit.models._latents import Curve

Kind = Literal["sample", "path", "grid", "around", "reconstruction"]
Judge = Literal["critic", "data"]

_SELECT = re.compile(r"([0-9]{1,9})-of-([0-9]{1,9})")
_PATH_STEPS, _GRID_STEPS = 9, 5
_SPREAD = 0.3
_RANGES = {"truncation": (0.001, 100.0), "length": (1e-6, 3_600.0), "spread": (0.0, 100.0), "steps": (2, 10_000)}
# More players than this are no page that a browser shows.
PAGE_CLIPS = 400


@dataclass(frozen=True)
class GenerateSettings:
    """The words of ``stereokit generate``.

    Attributes
    ----------
    run
        A run's folder.
    count
        How many clips, at least 1; None where other words say it.
    output
        The folder for them; None for one WAV on standard output.
    seed, start
        Of all clips, and the number of the first: a clip is known by both.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    encoding
        Of the WAV files.
    force, is_dry_run
        Replace what another generation left; write nothing.
    condition
        The label of all clips; None draws one for each, or takes that of what a clip is made from.
    truncation
        Within ± this each number of a random latent stays; None for wherever it falls.
    length
        Seconds of a clip; None for the model's own.
    interpolate, grid
        Clip numbers or files between which the clips lie.
    around
        A clip number or file near which they lie.
    reconstruct
        Folders, lists or files whose sounds are encoded and decoded.
    steps, curve, spread
        How many steps a way has, of which form it is, and how far from its centre a neighbour strays; None for the
        usual.
    select
        ``N-of-M``: which N of M clips, by their judge, are kept.
    by, data
        Who judges, and the data set that clips are held against; None for the critic, and for the run's own.
    page
        Where a page to see and hear the clips goes; None for none.
    """

    run: Path
    count: int | None
    output: Path | None
    seed: int = 0
    start: int = 0
    device: str = "auto"
    encoding: Encoding = "16"
    force: bool = False
    is_dry_run: bool = False
    condition: str | None = None
    truncation: float | None = None
    length: float | None = None
    interpolate: tuple[str, ...] | None = None
    grid: tuple[str, ...] | None = None
    around: str | None = None
    reconstruct: tuple[str, ...] = ()
    steps: int | None = None
    curve: Curve | None = None
    spread: float | None = None
    select: str | None = None
    by: Judge | None = None
    data: Path | None = None
    page: Path | None = None

    @property
    def kind(self) -> Kind:
        """How the clips come about."""
        if self.interpolate is not None:
            return "path"
        if self.grid is not None:
            return "grid"
        if self.reconstruct:
            return "reconstruction"
        return "sample" if self.around is None else "around"

    @property
    def corners(self) -> tuple[str, ...]:
        """The clip numbers or files that the clips are made from, other than those that are reconstructed."""
        return self.interpolate or self.grid or (() if self.around is None else (self.around,))

    @property
    def way_steps(self) -> int:
        """How many steps a way has, or a grid on each side."""
        return self.steps or (_GRID_STEPS if self.grid else _PATH_STEPS)

    @property
    def way_curve(self) -> Curve:
        """The form of a way."""
        return self.curve or "linear"

    @property
    def distance(self) -> float:
        """How far a neighbour strays from its centre."""
        return _SPREAD if self.spread is None else self.spread

    @property
    def choice(self) -> tuple[int, int] | None:
        """How many clips are kept of how many; None where all are.

        Raises
        ------
        UsageError
            For a word that says neither.
        """
        if self.select is None:
            return None
        found = _SELECT.fullmatch(self.select)
        if found is None:
            raise UsageError(f"--select {self.select!r}: write N-of-M, for example 16-of-200")
        kept, made = int(found[1]), int(found[2])
        if not 1 <= kept <= made:
            raise UsageError(f"--select {kept}-of-{made}: N must be at least 1 and at most M")
        return kept, made

    def check(self) -> None:
        """Refuse words that do not go together, before anything is read.

        Raises
        ------
        UsageError
            Naming them.
        OutputError
            When the page cannot be written where it should be.
        """
        if self.output is None and self.is_dry_run:
            raise UsageError("--dry-run writes nothing, so -o - has nothing to send: give a folder")
        self._check_count()
        self._check_company()
        for name, (lowest, highest) in _RANGES.items():
            value = getattr(self, name)
            # NaN lies nowhere
            if value is not None and not lowest <= value <= highest:
                raise UsageError(f"--{name} {value:g}: must be from {lowest:g} to {highest:g}")
        if self.truncation is not None and (self.reconstruct or (self.kind != "around" and self._has_only_files)):
            raise UsageError("--truncation: nothing here is random")
        self._check_page()

    @property
    def _has_only_files(self) -> bool:
        return bool(self.corners) and not any(map(is_number, self.corners))

    def _check_count(self) -> None:
        ways = {
            "--interpolate": self.interpolate is not None, "--grid": self.grid is not None,
            "--around": self.around is not None, "--reconstruct": bool(self.reconstruct),
            "--select": self.choice is not None,
        }  # fmt: skip
        given = [option for option, is_given in ways.items() if is_given]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]}: clips come about in one way; choose one")
        (option,) = given or ("",)
        if option in ("", "--around"):
            if self.count is None:
                others = "" if option else ", or use --interpolate, --grid, --reconstruct or --select"
                raise UsageError(f"missing option '--count' / '-n': say how many clips{others}")
            return
        if self.count is not None:
            said = {"--reconstruct": "there are sounds", "--select": "it says"}.get(option, "--steps says")
            raise UsageError(f"-n {self.count}: {option} makes as many clips as {said}; leave -n out")
        if self.start and option != "--select":
            raise UsageError(f"--start {self.start}: {option} starts with its first clip; leave --start out")

    def _check_company(self) -> None:
        is_way = self.kind in ("path", "grid")
        for option, is_given, is_allowed, needed in (
            ("--steps", self.steps is not None, is_way, "--interpolate or --grid"),
            ("--curve", self.curve is not None, is_way, "--interpolate or --grid"),
            ("--spread", self.spread is not None, self.around is not None, "--around"),
            ("--by", self.by is not None, self.select is not None, "--select"),
            ("--data", self.data is not None, self.by == "data", "--select with --by data"),
        ):
            if is_given and not is_allowed:
                raise UsageError(f"{option} goes with {needed}")

    def _check_page(self) -> None:
        if self.page is None:
            return
        if self.page.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"--page {self.page}: its name must end in .html or .htm")
        if self.page.is_dir():
            raise OutputError(f"cannot write {self.page}: is a folder")
        folder = self.page.parent
        # the clips' own folder is made by then
        if not folder.is_dir() and (self.output is None or folder.resolve() != self.output.resolve()):
            raise OutputError(f"cannot write {self.page}: its folder is missing")

    def check_page_size(self, count: int) -> None:
        """Refuse a page of more clips than a browser shows.

        Raises
        ------
        UsageError
            Saying how many they are.
        """
        if self.page is not None and count > PAGE_CLIPS:
            raise UsageError(f"--page: {count} clips are too many to show, {PAGE_CLIPS} are the most")

    def label_of(self, labels: tuple[str, ...], family: str) -> int | None:
        """Return the number of the label that all clips should have; None where none was asked for.

        Raises
        ------
        UsageError
            When the run was trained without it.
        """
        if self.condition is None:
            return None
        if not labels:
            raise UsageError(f"--condition {self.condition!r}: this run of {family} was trained without labels")
        if nfc(self.condition) not in labels:
            raise UsageError(f"--condition {self.condition!r}: the run has no such label (labels: {told(labels)})")
        return labels.index(nfc(self.condition))


def is_number(word: str) -> bool:
    """Tell whether a word is a clip's number, and no file's name."""
    return word.isascii() and word.isdigit() and len(word) <= 18


def told(labels: tuple[str, ...]) -> str:
    """Return the first labels as text."""
    return ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
