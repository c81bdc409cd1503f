"""A page with sounds and pictures in one file: data in, HTML out.

The page asks for nothing from outside and runs no script; its own policy forbids both. Every text is escaped, and
what a text holds of controls and direction marks is shown as an escape.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain

from stereokit.data.text import printable

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 4rem; background: #fff; color: #1d2129;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .5rem; padding-top: .7rem; border-top: 1px solid #d6dae0; }
p, li { max-width: 46rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #545c68; padding-bottom: .4rem; }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #e3e6ea; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-weight: 600; border-bottom-color: #8a93a0; }
thead .group { text-align: center; border-bottom-color: #d6dae0; }
tbody th { font-weight: 400; }
tr.marked th, tr.marked td { background: #fff4d6; font-weight: 600; }
img { display: block; max-width: 100%; height: auto; }
figure { margin: .8rem 0; }
.players { display: grid; grid-template-columns: repeat(auto-fill, minmax(14.5rem, 1fr)); gap: 1.1rem; }
.players figure { margin: 0; min-width: 0; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 29rem), 1fr)); gap: 1.6rem 2rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
.pair figure { margin: 0; min-width: 0; }
.grid td { padding: .2rem; border: 0; text-align: left; min-width: 9rem; white-space: normal; vertical-align: top; }
.grid figure { margin: 0; }
figcaption { font-size: .85rem; color: #545c68; overflow-wrap: anywhere; }
audio { display: block; width: 100%; height: 2.4rem; margin-top: .3rem; }
pre { background: #f3f5f7; padding: .8rem 1rem; overflow-x: auto; border-radius: .3rem; font-size: .9rem; }
"""


@dataclass(frozen=True)
class Table:
    """Rows of texts.

    Attributes
    ----------
    caption
        What it shows.
    groups
        Titles over the columns, each with the number of columns that it spans; none is no row of them.
    columns
        A title each.
    rows
        As many cells each as there are columns; the first names the row.
    marked
        The number of the row that matters most; None for none.
    """

    caption: str
    groups: Sequence[tuple[str, int]]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: int | None = None


@dataclass(frozen=True)
class Picture:
    """A PNG, and in words what there is to see in it."""

    png: bytes
    description: str


@dataclass(frozen=True)
class Player:
    """A sound to play: the bytes of a WAV file under their title, below a picture of them."""

    title: str
    wav: bytes
    picture: Picture


@dataclass(frozen=True)
class Section:
    """A part of a page: a heading, and what stands below it, in the order of these fields.

    Players stand one after another, pairs of players side by side, a grid's in rows and columns.
    """

    heading: str
    paragraphs: Sequence[str] = ()
    table: Table | None = None
    points: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    players: Sequence[Player] = ()
    commands: Sequence[str] = ()
    pairs: Sequence[tuple[Player, Player]] = ()
    grid: Sequence[Sequence[Player]] = ()


def page(title: str, paragraphs: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the whole page; equal contents give equal pages."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"img-src data:; media-src data:; style-src 'sha256-{digest}'"
    )
    head = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(title)}</title>",
        # Without an icon of its own a browser asks the server for one.
        '<link rel="icon" href="data:,">',
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{_text(title)}</h1>",
    ]
    parts = [*_paragraphs(paragraphs), *chain.from_iterable(map(_section, sections))]
    return "\n".join([*head, *parts, "</main>", "</body>", "</html>", ""])


def _section(section: Section) -> list[str]:
    parts = ["<section>", f"<h2>{_text(section.heading)}</h2>", *_paragraphs(section.paragraphs)]
    if section.table is not None:
        parts += _table(section.table)
    if section.points:
        parts += ["<ul>", *(f"<li>{_text(point)}</li>" for point in section.points), "</ul>"]
    parts += [f"<figure>{_image(picture)}</figure>" for picture in section.pictures]
    if section.players:
        parts += ['<div class="players">', *map(_player, section.players), "</div>"]
    if section.commands:
        parts.append(f"<pre>{chr(10).join(map(_text, section.commands))}</pre>")
    if section.pairs:
        pairs = chain.from_iterable(['<div class="pair">', *map(_player, pair), "</div>"] for pair in section.pairs)
        parts += ['<div class="pairs">', *pairs, "</div>"]
    if section.grid:
        rows = [["<tr>", *(f"<td>{_player(player)}</td>" for player in row), "</tr>"] for row in section.grid]
        parts += ['<div class="wide">', '<table class="grid">', *chain.from_iterable(rows), "</table>", "</div>"]
    return [*parts, "</section>"]


def _paragraphs(texts: Sequence[str]) -> list[str]:
    return [f"<p>{_text(text)}</p>" for text in texts]


def _table(table: Table) -> list[str]:
    groups = "".join(f'<th class="group" colspan="{span}">{_text(name)}</th>' for name, span in table.groups)
    columns = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.columns)
    body = []
    for number, (name, *cells) in enumerate(table.rows):
        mark = ' class="marked"' if number == table.marked else ""
        values = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        body.append(f'<tr{mark}><th scope="row">{_text(name)}</th>{values}</tr>')
    head = ["<thead>", *([f"<tr>{groups}</tr>"] if groups else []), f"<tr>{columns}</tr>", "</thead>"]
    start = ['<div class="wide">', "<table>", f"<caption>{_text(table.caption)}</caption>"]
    return [*start, *head, "<tbody>", *body, "</tbody>", "</table>", "</div>"]


def _image(picture: Picture) -> str:
    return f'<img src="{_data_uri("image/png", picture.png)}" alt="{_text(picture.description)}">'


def _player(player: Player) -> str:
    source = _data_uri("audio/wav", player.wav)
    # The title stands in the caption too; a screen reader comes to the controls without it.
    controls = f'<audio controls preload="metadata" aria-label="{_text(player.title)}" src="{source}"></audio>'
    return f"<figure>{_image(player.picture)}<figcaption>{_text(player.title)}</figcaption>{controls}</figure>"


def _text(text: str) -> str:
    return escape(printable(text))


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
