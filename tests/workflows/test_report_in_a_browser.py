"""The report in a real browser: pictures load, sounds can be played, and nothing is complained of."""

from collections.abc import Iterator

import numpy as np
import pytest
from chromium import chromium
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from stereokit.audio.clip import Clip
from stereokit.audio.files import encode
from stereokit.workflows.report import Picture, Player, Section, Table, page
from stereokit.workflows.report_pictures import clip_picture, width_distributions, widths_over_time

pytestmark = pytest.mark.browser

RATE, FRAMES = 44_100, 17_640
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"></title><script>document.title='hacked'</script>"
WAIT_S = 15


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium("--autoplay-policy=no-user-gesture-required") as started:
        yield started


@pytest.fixture(scope="module")
def opened(browser: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> webdriver.Chrome:
    """A page with every kind of content, open."""
    random = np.random.default_rng(0)
    clips = [Clip(random.uniform(-0.5, 0.5, (2, FRAMES)).astype(np.float32), RATE) for _ in range(4)]
    players = [Player(HOSTILE, encode(clip), Picture(clip_picture(clip), HOSTILE)) for clip in clips]
    values = {"held-out": random.random((9, 37)), "generated": random.random((9, 37)) / 2}
    pictures = [Picture(widths_over_time(values), "over time"), Picture(width_distributions(values), "distributions")]
    table = Table("figures", [("", 1), ("width", 1)], ["set", "MMD"], [["noise", "1.0"], ["generated", "0.5"]], 1)
    section = Section("All", ["text"], table, [HOSTILE], pictures, players, ["stereokit demo"])
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page("A report", ["text"], [section]), "utf-8")
    browser.get(path.as_uri())
    WebDriverWait(browser, WAIT_S).until(lambda _: all(of_all(browser, "audio", "one.readyState >= 1 || one.error")))
    return browser


@pytest.fixture(scope="module", autouse=True)
def console(opened: webdriver.Chrome) -> list[str]:
    """What the console said of the page while it was loaded; a look empties it."""
    return [entry["message"] for entry in opened.get_log("browser")]


def of_all(opened: webdriver.Chrome, selector: str, value: str) -> list:
    return opened.execute_script(f"return Array.from(document.querySelectorAll('{selector}'), one => {value})")


def test_all_pictures_are_loaded(opened: webdriver.Chrome):
    assert of_all(opened, "img", "one.complete && one.naturalWidth > 100") == [True] * 6


def test_all_sounds_have_their_length_and_no_error(opened: webdriver.Chrome):
    assert of_all(opened, "audio", "one.error") == [None] * 4
    assert of_all(opened, "audio", "one.duration") == pytest.approx([FRAMES / RATE] * 4)


def test_a_sound_plays_to_its_end(opened: webdriver.Chrome):
    player = opened.find_element(By.TAG_NAME, "audio")
    opened.execute_script("arguments[0].muted = true; arguments[0].play()", player)
    WebDriverWait(opened, WAIT_S).until(lambda _: player.get_property("ended"))


def test_the_page_has_its_own_style(opened: webdriver.Chrome):
    assert of_all(opened, "tr.marked td", "getComputedStyle(one).fontWeight") == ["600"]


def test_a_hostile_name_changes_nothing_and_the_console_stays_empty(opened: webdriver.Chrome, console: list[str]):
    assert opened.title == "A report"
    assert of_all(opened, "figcaption", "one.textContent") == [HOSTILE] * 4
    assert console == []


def test_the_policy_stops_a_script_and_what_comes_from_outside(opened: webdriver.Chrome):
    # The driver's own scripts may do what the page's may not: what they add is judged as the page's.
    opened.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.ran = true';"
        "document.body.append(script);"
        "const image = document.createElement('img'); image.src = 'http://localhost:9/x.png';"
        "document.body.append(image);"
    )
    assert opened.execute_script("return window.ran") is None
    refused = " ".join(entry["message"] for entry in opened.get_log("browser"))
    assert "script-src" in refused
    assert "img-src" in refused
