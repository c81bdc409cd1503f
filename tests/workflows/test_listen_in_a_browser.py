"""A listening study in a real browser, from joining to its result: by keyboard, over a reload."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from chromium import chromium
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from toy_study import folders, held, word_for

from stereokit.serving.local_server import served
from stereokit.workflows.score_listen_page import ListenPage
from stereokit.workflows.score_listen_results import result_rows

pytestmark = pytest.mark.browser

PAIRS = 4
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
WAIT_S = 15


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as started:
        yield started


@contextmanager
def served_study(place: Path, *, with_reference: bool, **words: object) -> Iterator[SimpleNamespace]:
    """A study with a page: its file, its address, and what waits for its end."""
    with held(folders(place, frames=1_200)[: 3 if with_reference else 2], **words) as study:
        page = ListenPage(study)
        with served(page.routes()) as server:
            page.finish = server.finish
            yield SimpleNamespace(file=study.file, address=server.address, wait=server.wait)


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


def test_a_study_goes_from_a_name_to_a_result_by_keyboard_and_over_a_reload(browser, tmp_path, until):
    words = {"controls": 1, "allow_same": True, "groups": "musicians,others"}
    with served_study(tmp_path, with_reference=True, **words) as study:
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
            press(browser, "0" if place == 3 else word_for(trial, "a"))
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


def test_a_trial_answered_in_one_tab_is_not_answered_again_in_another(browser, tmp_path, until):
    with served_study(tmp_path, with_reference=False) as study:
        browser.get(study.address)
        until("!document.getElementById('join').hidden")
        browser.find_element(By.ID, "name").send_keys("Ann", Keys.ENTER)
        until("!document.getElementById('trial').hidden")
        first = study.file.trials()[0]
        hear_all(browser, until)
        # what the other tab says
        study.file.answer(first.token, "b")
        # on a keyboard whose digits need shift, the place of the key counts
        key = {"key": "&", "code": f"Digit{word_for(first, 'a')}"}
        browser.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', arguments[0]))", key)
        until("document.getElementById('status').textContent.includes('another tab')")
        until(f"document.getElementById('count').textContent === '2 of {PAIRS}'")
        assert study.file.trials()[0].answer == "b"
        assert study.file.trials()[1].answer is None
        browser.execute_script("sessionStorage.clear()")
