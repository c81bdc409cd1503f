"""A page in one file: what it escapes, what it asks for, and that its sounds play."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.workflows.report import Picture, Player, Section, Table, page

HOSTILE = """</title></style><script>alert(1)</script><img src=//evil.example/x onerror="a"> & 'q' "q" -->"""
PNG = b"\x89PNG\r\n\x1a\n"
# Elements without an end.
VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Notes elements with their attributes, texts by element, and any end that closes the wrong element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def sound() -> bytes:
    time = np.arange(4_410) / 44_100
    left = np.sin(2 * np.pi * 441 * time)
    return encode(Clip(np.stack([left, -left]).astype(np.float32) / 2, 44_100))


def full_page(text: str = "plain") -> str:
    section = Section(
        text,
        [text],
        table=Table(text, [(text, 2)], [text, text], [[text, text], [text, text]], marked=1),
        points=[text],
        pictures=[Picture(PNG, text)],
        players=[Player(text, sound(), Picture(PNG, text))],
        commands=[text, text],
    )
    return page(text, [text], [section])


def test_a_hostile_name_stays_text_wherever_it_stands():
    hostile, plain = Reader(full_page(HOSTILE)), Reader(full_page())
    assert [name for name, _ in hostile.elements] == [name for name, _ in plain.elements]
    assert not hostile.all("script")
    names = {name for _, attributes in hostile.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")}
    for tag in ("title", "h1", "h2", "p", "caption", "th", "td", "li", "figcaption"):
        assert hostile.text_of(tag)[-1] == HOSTILE, tag
    assert hostile.text_of("pre") == [f"{HOSTILE}\n{HOSTILE}"]
    assert [image["alt"] for image in hostile.all("img")] == [HOSTILE, HOSTILE]
    assert hostile.all("audio")[0]["aria-label"] == HOSTILE


def test_every_element_is_closed_in_its_order():
    text = full_page(HOSTILE)
    assert text.startswith("<!DOCTYPE html>\n")
    assert Reader(text).wrong == []


def test_nothing_is_asked_for_from_outside_and_no_script_runs():
    read = Reader(full_page())
    for name, attributes in read.elements:
        for key in ("src", "href", "srcset", "poster", "action", "data", "style"):
            assert attributes.get(key, "data:").startswith("data:"), (name, key)
    style = "".join(read.text_of("style"))
    assert "url(" not in style
    assert "@import" not in style
    assert not read.all("script")


def test_the_policy_of_the_page_allows_its_own_style_and_data_alone():
    read = Reader(full_page())
    (policy,) = [one["content"] for one in read.all("meta") if "http-equiv" in one]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = base64.b64encode(hashlib.sha256("".join(read.text_of("style")).encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "img-src": "data:",
        "media-src": "data:",
        "style-src": f"'sha256-{digest}'",
    }


def test_the_players_hold_the_very_sound():
    (player,) = Reader(full_page()).all("audio")
    kind, _, data = player["src"].partition(",")
    assert kind == "data:audio/wav;base64"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data, validate=True)))
    assert (rate, samples.shape) == (44_100, (4_410, 2))
    assert samples[:, 0] == pytest.approx(-samples[:, 1])


def test_pictures_are_in_the_page_and_have_a_description():
    for picture in Reader(full_page()).all("img"):
        assert base64.b64decode(re.sub("^data:image/png;base64,", "", picture["src"])) == PNG
        assert picture["alt"]


def test_the_marked_row_is_the_one_that_was_named():
    rows = Reader(full_page()).all("tr")
    assert [row.get("class") for row in rows] == [None, None, None, "marked"]


def test_a_grid_has_rows_and_columns_of_players():
    first, second = (Player(name, sound(), Picture(PNG, name)) for name in ("first", HOSTILE))
    read = Reader(page("plain", [], [Section("plain", grid=[[first, second, first], [second, first, second]])]))
    assert read.wrong == []
    assert len(read.all("tr")) == 2
    assert len(read.all("td")) == len(read.all("audio")) == 6
    assert read.text_of("figcaption") == ["first", HOSTILE, "first", HOSTILE, "first", HOSTILE]


def test_pairs_stand_side_by_side_with_their_own_titles():
    first, second = (Player(name + HOSTILE, sound(), Picture(PNG, name)) for name in ("made ", "real "))
    read = Reader(page("plain", [], [Section("plain", pairs=[(first, second), (second, first)])]))
    assert read.wrong == []
    assert [one["class"] for one in read.all("div")] == ["pairs", "pair", "pair"]
    told = [f"{name} {HOSTILE}" for name in ("made", "real", "real", "made")]
    assert read.text_of("figcaption") == [one["aria-label"] for one in read.all("audio")] == told


def test_controls_and_direction_marks_are_shown_as_what_they_are():
    read = Reader(full_page("a\u202eb\x1b[31m\udcff"))
    assert read.text_of("h1") == ["a\\u202eb\\x1b[31m\\udcff"]


def test_a_table_without_groups_has_one_row_of_titles():
    read = Reader(page("plain", [], [Section("plain", table=Table("figures", (), ["set", "MMD"], [["noise", "1.0"]]))]))
    assert len(read.all("tr")) == 2


def test_equal_contents_give_equal_pages():
    assert full_page() == full_page()
