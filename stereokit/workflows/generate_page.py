"""``stereokit generate --page``: the clips on one page, to see and to hear, laid out as they lie to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.workflows.events import Json
from stereokit.workflows.pictures import thumbnail
from stereokit.workflows.report import Picture, Player, Section, page

_HEADINGS = {
    "sample": "Random clips",
    "path": "From one end to the other",
    "grid": "Between four corners",
    "around": "Neighbours",
    "reconstruction": "Originals and what the model makes of them",
}
_PICTURES = "Each picture shows the middle above the sides, low sounds at the bottom, from -80 dB (black) to 0 dB."


@dataclass
class ClipsPage:
    """Takes clips as they are made, and becomes a page.

    Attributes
    ----------
    title
        Of the page.
    kind
        How the clips come about.
    columns
        Clips side by side in a grid.
    """

    title: str
    kind: str
    columns: int
    _players: list[Player] = field(default_factory=list)
    _pairs: list[tuple[Player, Player]] = field(default_factory=list)

    def add(self, clip: Clip, wav: bytes, row: Mapping[str, Json], original: tuple[Path, Clip] | None = None) -> None:
        """Take a clip, the bytes of its file, its row, and what it should sound like."""
        made = _player(_caption(row), clip, wav)
        if original is None:
            self._players.append(made)
        else:
            path, sound = original
            self._pairs.append((_player(str(path), sound, encode(sound, encoding="float")), made))

    def html(self, facts: str) -> str:
        """Return the page; it holds no time, so that equal clips give equal pages."""
        rows: list[list[Player]] = []
        if self.kind == "grid":
            rows = [self._players[first : first + self.columns] for first in range(0, len(self._players), self.columns)]
        players = [] if rows else self._players
        section = Section(_HEADINGS[self.kind], [_PICTURES], players=players, pairs=self._pairs, grid=rows)
        return page(self.title, [facts], [section])


def _player(title: str, clip: Clip, wav: bytes) -> Player:
    return Player(title, wav, Picture(thumbnail(clip), f"Spectrograms of mid and side of {title}"))


def _caption(row: Mapping[str, Json]) -> str:
    """Return what tells a clip from the others: its number, its label, where it lies and how it was judged."""
    parts = [str(row["index"])]
    if row.get("label") is not None:
        parts.append(str(row["label"]))
    for name, told in (
        ("share", "{:.3g} of the way"),
        ("share_right", "{:.3g} right"),
        ("share_down", "{:.3g} down"),
        ("rank", "rank {}"),
        ("verdict", "verdict {:.4g}"),
        ("distance_db", "{:.3g} dB from"),
        ("nearest", "{}"),
    ):
        if name in row:
            parts.append(told.format(row[name]))
    return ", ".join(parts).replace("dB from, ", "dB from ")
