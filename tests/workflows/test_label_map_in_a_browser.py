"""The page of a map in a real browser: it is drawn, moves, tells, finds, hides, and complains of nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from chromium import chromium
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from stereokit.workflows.label_map_page import map_page

pytestmark = pytest.mark.browser

WAIT_S = 15
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"></script>.wav"
NAMES = [f"kick/{number}.wav" for number in range(20)] + [f"hat/{number}.wav" for number in range(19)] + [HOSTILE]
LABELS = ["kick"] * 20 + ["<b>hat</b>"] * 19 + [None]
# How much the picture differs from its ground, asked for where it is still there: right after it was drawn.
INK = """
const done = arguments[0], { scatter } = mapPage;
scatter.draw();
requestAnimationFrame(() => {
  const gl = scatter.context, seen = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
  gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, seen);
  let count = 0;
  for (let place = 0; place < seen.length; place += 4) {
    if ([0, 1, 2].some((part) => Math.abs(seen[place + part] - 255 * scatter.ground[part]) > 8)) count += 1;
  }
  done(count);
});
"""


SIZE = "--window-size=1100,800"


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium(SIZE, "--enable-unsafe-swiftshader") as started:
        yield started


def written(folder: Path, dimensions: int, labels: Sequence[str | None] = LABELS) -> str:
    random = np.random.default_rng(0)
    places = random.normal(size=(40, dimensions)) + np.repeat([0.0, 9.0], 20)[:, None]
    path = folder / f"map-{dimensions}.html"
    path.write_text(map_page("A map", "of clips", places, NAMES, labels), "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(params=[2, 3])
def page(browser: webdriver.Chrome, folder: Path, request: pytest.FixtureRequest) -> Iterator[webdriver.Chrome]:
    """A page of two groups of clips, opened anew; the browser has nothing to say of it, then or later."""
    browser.get(written(folder, request.param))
    WebDriverWait(browser, WAIT_S).until(
        lambda _: browser.execute_script("return mapPage.scatter.frameTimes.length > 0")
    )
    yield browser
    # the driver's own looks at pixels are none of the page's
    told = [entry["message"] for entry in browser.get_log("browser") if "ReadPixels" not in entry["message"]]
    assert told == []
    assert browser.title == "A map"


def said(page: webdriver.Chrome, name: str) -> str:
    return page.find_element(By.ID, name).text


def place_of(page: webdriver.Chrome, clip: int) -> tuple[int, int]:
    """Return where a clip is, from the middle of the canvas."""
    x, y = page.execute_script(
        f"const s = mapPage.scatter, [x, y] = s.placeOf({clip}); return [x - s.width / 2, y - s.height / 2]"
    )
    return round(x), round(y)


def at(page: webdriver.Chrome, x: int, y: int) -> ActionChains:
    return ActionChains(page, duration=10).move_to_element_with_offset(page.find_element(By.ID, "map"), x, y)


def test_points_are_drawn_and_the_legend_takes_classes_away_and_gives_them_back(page: webdriver.Chrome) -> None:
    full = page.execute_async_script(INK)
    assert full > 400
    boxes = page.find_elements(By.CSS_SELECTOR, "#classes label")
    assert [box.text.split() for box in boxes] == [["<b>hat</b>", "19"], ["kick", "20"], ["no", "label", "1"]]
    boxes[1].click()
    assert 0.3 < page.execute_async_script(INK) / full < 0.7
    page.find_element(By.ID, "none").click()
    assert page.execute_async_script(INK) == 0
    page.find_element(By.ID, "every").click()
    assert page.execute_async_script(INK) == full


def test_under_the_pointer_a_clip_says_its_name_and_a_click_keeps_it(page: webdriver.Chrome) -> None:
    x, y = place_of(page, 39)
    at(page, x, y).perform()
    # another clip may lie over it in a room; whichever it is, its name is text
    clip = page.execute_script("return mapPage.scatter.hovered")
    tip = page.find_element(By.ID, "tip")
    assert tip.text.startswith(NAMES[clip])
    at(page, x, y).click().perform()
    assert said(page, "picked").startswith(NAMES[clip])
    at(page, -380, -280).perform()
    assert not tip.is_displayed()


def test_dragging_wheel_and_keys_move_the_view_and_0_shows_all_again(page: webdriver.Chrome) -> None:
    before = place_of(page, 3)
    at(page, -100, 150).click_and_hold().move_by_offset(80, 40).release().perform()
    dragged = place_of(page, 3)
    if page.execute_script("return mapPage.dimensions") == 2:
        assert (dragged[0] - before[0], dragged[1] - before[1]) == pytest.approx((80, 40), abs=6)
    assert dragged != before
    page.find_element(By.ID, "map").send_keys(Keys.ARROW_LEFT, "+")
    assert place_of(page, 3) != dragged
    page.find_element(By.ID, "map").send_keys("0")
    assert place_of(page, 3) == before
    scale = page.execute_script("return mapPage.scatter.scale")
    page.find_element(By.ID, "nearer").click()
    assert page.execute_script("return mapPage.scatter.scale") == pytest.approx(1.5 * scale)


def test_two_fingers_zoom_and_one_that_stays_does_nothing(page: webdriver.Chrome) -> None:
    def touch(kind: str, *fingers: int) -> None:
        points = [{"x": 300 + across, "y": 400, "id": number} for number, across in enumerate(fingers)]
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    scale = page.execute_script("return mapPage.scatter.scale")
    touch("touchStart", -50)
    touch("touchStart", -50, 50)
    touch("touchMove", -100, 100)
    zoomed = page.execute_script("return mapPage.scatter.scale")
    assert zoomed == pytest.approx(2.0 * scale, rel=0.05)
    touch("touchEnd", -100)
    touch("touchMove", -150)
    touch("touchEnd")
    assert page.execute_script("return mapPage.scatter.scale") == zoomed
    assert page.execute_script("return mapPage.scatter.pointers.size") == 0


def test_a_clip_is_found_by_its_name_and_brought_to_the_middle(page: webdriver.Chrome) -> None:
    page.find_element(By.ID, "words").send_keys("ONERROR")
    (match,) = page.find_elements(By.CSS_SELECTOR, "#matches button")
    assert said(page, "found") == "1 clip"
    assert match.text == f"{HOSTILE}: no label"
    match.click()
    assert place_of(page, 39) == pytest.approx((0, 0), abs=1)
    assert said(page, "picked") == match.text
    assert page.execute_script("return mapPage.scatter.marked") == 39


def test_a_lasso_tells_what_is_inside_it(page: webdriver.Chrome) -> None:
    page.execute_script("mapPage.scatter.onLasso = (found) => { window.caught = Array.from(found); };")
    corners = [(-390, -290), (780, 0), (0, 580), (-780, 0)]
    chain = at(page, *corners[0]).key_down(Keys.SHIFT).click_and_hold()
    for corner in corners[1:]:
        chain = chain.move_by_offset(*corner)
    chain.release().key_up(Keys.SHIFT).perform()
    inside = [number for number in range(40) if abs(place_of(page, number)[0]) < 389]
    assert page.execute_script("return caught") == inside
    assert page.execute_script("return mapPage.scatter.inside([0, 0, 1, 0, 0, 1]).constructor.name") == "Int32Array"


def test_it_is_usable_on_a_phone_in_the_dark(page: webdriver.Chrome) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        page.refresh()
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
        assert page.execute_script("return mapPage.scatter.ground.every((part) => part < 0.2)")
        assert page.execute_async_script(INK) > 400
        lows = page.execute_script(
            "return Array.from(document.querySelectorAll('button, #classes label'), (one) => one.offsetHeight)"
        )
        assert min(lows) >= 28
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_everything_that_can_be_used_has_a_name(page: webdriver.Chrome) -> None:
    parts = page.find_elements(By.CSS_SELECTOR, "button, input, canvas")
    assert len(parts) == 10
    assert all(part.accessible_name for part in parts)


def test_without_webgl_the_page_says_so_and_lists_the_clips(folder: Path) -> None:
    with chromium(SIZE, "--disable-webgl", "--disable-3d-apis") as blind:
        blind.get(written(folder, 2, ["drum"] * 40))
        assert "draws no WebGL" in blind.find_element(By.ID, "notice").text
        assert not blind.find_element(By.ID, "map").is_displayed()
        assert len(blind.find_elements(By.CSS_SELECTOR, "#matches button")) == 40
        blind.find_element(By.ID, "words").send_keys("hat/1.")
        (match,) = blind.find_elements(By.CSS_SELECTOR, "#matches button")
        match.click()
        assert blind.find_element(By.ID, "picked").text == "hat/1.wav: drum"
        # a label that no clip has is not offered
        assert [one.text.split() for one in blind.find_elements(By.CSS_SELECTOR, "#classes label") if one.text] == [
            ["drum", "40"]
        ]
        assert [entry for entry in blind.get_log("browser") if entry["level"] == "SEVERE"] == []
