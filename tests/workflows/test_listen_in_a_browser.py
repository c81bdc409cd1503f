"""A listening study in a real browser, from joining to its result: by keyboard, over a reload."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from stereokit.data.listening import Listening
from stereokit.serving.local_server import served
from stereokit.workflows.events import Message
from stereokit.workflows.score_listen_page import ListenPage
from stereokit.workflows.score_listen_pairs import prepared
from stereokit.workflows.score_listen_results import result_rows
from stereokit.workflows.score_listen_settings import ListenSettings
from stereokit.workflows.score_listen_study import Study

pytestmark = pytest.mark.browser

RATE, FRAMES, PAIRS = 44_100, 6_000, 4
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
WAIT_S = 15


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    # In a container a browser of root's has neither its sandbox nor much shared memory.
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    random = np.random.default_rng(0)
    for name, level in (("secret-a", 0.4), ("secret-b", 0.1), ("secret-x", 0.2)):
        (tmp_path / name).mkdir()
        for number in range(PAIRS):
            samples = random.uniform(-level, level, (FRAMES, 2))
            soundfile.write(tmp_path / name / f"{number}.wav", samples, RATE)
    return [str(tmp_path / name) for name in ("secret-a", "secret-b", "secret-x")]


@contextmanager
def held(folders: list[str], **words: object) -> Iterator[SimpleNamespace]:
    """A study that is served, with its file and address."""
    path = Path(folders[0]).parent / "study.sqlite"
    settings = ListenSettings(path, folders[0], folders[1], *folders[2:], **words)
    events = prepared(settings)
    try:
        while True:
            assert not isinstance(next(events), Message)
    except StopIteration as stop:
        ready = stop.value
    file = Listening(path)
    file.begin({"question": settings.asked}, ready.pairs)
    page = ListenPage(Study(file, settings, ready.paths))
    with served(page.routes()) as server:
        page.finish = server.finish
        yield SimpleNamespace(file=file, address=server.address, wait=server.wait)
    file.close()


@pytest.fixture
def until(browser: webdriver.Chrome) -> Callable[[str], object]:
    """Wait until a line of JavaScript is true, and return what it is."""

    def wait(line: str) -> object:
        return WebDriverWait(browser, WAIT_S).until(lambda _: browser.execute_script(f"return {line}"))

    return wait


def shown(browser: webdriver.Chrome, name: str) -> bool:
    return browser.find_element(By.ID, name).is_displayed()


def press(browser: webdriver.Chrome, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


def hear_all(browser: webdriver.Chrome, until: Callable[[str], object]) -> None:
    """Play every sound to its end, by keys."""
    count = browser.execute_script("return document.querySelectorAll('#players button').length")
    for number, key in enumerate("asd"[:count], start=1):
        press(browser, key)
        until(f"document.querySelectorAll('#players .heard').length === {number}")


def test_a_study_goes_from_a_name_to_a_result_by_keyboard_and_over_a_reload(browser, folders, until):
    with held(folders, controls=1, allow_same=True, groups="musicians,others") as study:
        browser.get(study.address)
        until("!document.getElementById('join').hidden")
        browser.find_element(By.ID, "name").send_keys(HOSTILE)
        Select(browser.find_element(By.ID, "groups")).select_by_visible_text("musicians")
        press(browser, Keys.TAB, Keys.ENTER)
        until("!document.getElementById('trial').hidden")
        (listener,) = study.file.listeners()
        assert (listener.name, listener.group) == (HOSTILE, "musicians")

        # no answer before all was heard, by no way
        press(browser, "1")
        assert all(not one.is_enabled() for one in browser.find_elements(By.CSS_SELECTOR, "#answers button"))
        assert [trial.answer for trial in study.file.trials()] == [None] * (PAIRS + 1)

        for place, trial in enumerate(study.file.trials()):
            until(f"document.getElementById('count').textContent === '{place + 1} of {PAIRS + 1}'")
            if place == 2:
                browser.refresh()
                until(f"document.getElementById('count').textContent === '3 of {PAIRS + 1}'")
            hear_all(browser, until)
            press(browser, "0" if place == 3 else "1" if trial.turn.is_a_first else "2")
        until("!document.getElementById('done').hidden")
        assert "secret" not in browser.page_source
        assert browser.title == "Listening study"

        browser.find_element(By.TAG_NAME, "summary").click()
        browser.find_element(By.ID, "end").click()
        browser.find_element(By.ID, "end-really").click()
        until("!document.getElementById('over').hidden")
        study.wait()
        assert [entry["message"] for entry in browser.get_log("browser")] == []
        group, everybody = (row.fields for row in result_rows(study.file))
    assert group["group"] == "musicians"
    same_was_control = everybody["same"] == 0
    assert (everybody["for_a"], everybody["for_b"]) == ((PAIRS, 0) if same_was_control else (PAIRS - 1, 0))
    assert everybody["left"] == 0


def test_a_trial_answered_in_one_tab_is_not_answered_again_in_another(browser, folders, until):
    with held(folders[:2]) as study:
        browser.get(study.address)
        until("!document.getElementById('join').hidden")
        browser.find_element(By.ID, "name").send_keys("Ann", Keys.ENTER)
        until("!document.getElementById('trial').hidden")
        first = study.file.trials()[0]
        hear_all(browser, until)
        # what the other tab says
        study.file.answer(first.token, "b")
        press(browser, "1" if first.turn.is_a_first else "2")
        until("document.getElementById('status').textContent.includes('another tab')")
        until(f"document.getElementById('count').textContent === '2 of {PAIRS}'")
        assert study.file.trials()[0].answer == "b"
        assert study.file.trials()[1].answer is None
        browser.execute_script("sessionStorage.clear()")
