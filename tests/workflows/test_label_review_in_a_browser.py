"""The page of the review in a real browser: label by keys and lasso, undo, reload, two tabs, export, finish."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from chromium import chromium
from running_review import Running, reviewing
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from stereokit.errors import Status
from stereokit.workflows.label_review import CLIP_SCHEMA

pytestmark = pytest.mark.browser

RATE = 22_050
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">.wav"
HOSTILE_CLASS = "<script>document.title='hacked'</script>"
WAIT_S = 15


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium("--window-size=1280,900") as started:
        yield started


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    random = np.random.default_rng(0)
    time = np.arange(RATE // 4) / RATE
    for number in range(6):
        tone = np.sin(2 * np.pi * (200.0 + 20.0 * number) * time) * np.exp(-8.0 * time)
        soundfile.write(folder / f"tone{number}.wav", np.stack([tone, 0.3 * tone], axis=1), RATE)
        soundfile.write(folder / f"noise{number}.wav", random.normal(size=len(time)) * np.exp(-20.0 * time) / 8.0, RATE)
    soundfile.write(folder / HOSTILE.replace("/", "_"), np.sin(900.0 * time), RATE)
    return folder


@pytest.fixture(scope="module")
def running(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    decisions = tmp_path_factory.mktemp("decisions") / "review.sqlite"
    with reviewing(sounds, decisions, classes=("tone", "noise", HOSTILE_CLASS)) as started:
        yield started


@pytest.fixture
def page(browser: webdriver.Chrome, running: Running) -> webdriver.Chrome:
    """The page, loaded anew, with nothing decided."""
    for listener in ("tab", "another"):
        while running.post("undo", listener=listener).json()["verdicts"]:
            pass
    load(browser, running)
    while browser.execute_script("return desk.labels.some((label) => label !== null)"):
        press(browser, "z")
        settle(browser)
    return browser


def load(browser: webdriver.Chrome, running: Running) -> None:
    browser.get(running.address)
    wait(browser, "typeof desk !== 'undefined' && desk.names.length && selected >= 0")


def wait(browser: webdriver.Chrome, condition: str) -> None:
    WebDriverWait(browser, WAIT_S).until(lambda _: browser.execute_script(f"return {condition}"))


def press(browser: webdriver.Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def settle(browser: webdriver.Chrome) -> None:
    """Wait until what was asked of the server has been answered."""
    browser.execute_async_script(
        "const done = arguments[0]; fetch('news?last=0&lesson=0').then(() => setTimeout(done, 50))"
    )


def labels(browser: webdriver.Chrome) -> dict[str, str]:
    found = browser.execute_script("return desk.names.map((name, clip) => [name, desk.labels[clip]])")
    return {name: label for name, label in found if label is not None}


def selected(browser: webdriver.Chrome) -> str:
    return browser.execute_script("return desk.names[selected]")


def test_number_keys_label_what_is_selected_and_go_on(page, running):
    first = selected(page)
    press(page, "1")
    wait(page, "desk.labels.filter((label) => label === 'tone').length === 1")
    second = selected(page)
    assert second != first
    press(page, "2")
    wait(page, "desk.labels.filter((label) => label === 'noise').length === 1")
    assert labels(page) == {first: "tone", second: "noise"}
    verdicts = running.page.get("set").json()["verdicts"]
    assert sorted(one[1] for one in verdicts if one[1] is not None) == ["noise", "tone"]
    assert page.find_element(By.ID, "done-text").text == "2 of 13 labelled"


def test_a_reload_shows_what_was_decided_and_undo_still_knows_it(page, running):
    name = selected(page)
    press(page, "1")
    wait(page, "desk.labels.some((label) => label !== null)")
    load(page, running)
    assert labels(page) == {name: "tone"}
    press(page, "z")
    wait(page, "desk.labels.every((label) => label === null)")
    assert all(one[1] is None for one in running.page.get("set").json()["verdicts"])


def test_arrow_keys_go_through_the_list_and_play(page):
    rows = page.execute_script("return list.clips.slice(0, 3).map((clip) => desk.names[clip])")
    press(page, Keys.ARROW_DOWN)
    assert selected(page) == rows[1]
    wait(page, "sound.player.src.endsWith(`sound/${selected}`) && sound.player.currentTime > 0")
    press(page, "j", "k", "k")
    assert selected(page) == rows[0]


def test_what_another_tab_decided_is_not_overwritten_but_shown(page, running):
    page.execute_script("Desk.POLL_MS = 1e9")
    clip = page.execute_script("return selected")
    number = running.page.get("set").json()["verdicts"][clip][3]
    page.execute_script("desk.numbers[selected] = arguments[0] - 1 < 0 ? 0 : arguments[0]", number)
    running.post("decide", wishes=[[clip, "noise", number]])
    press(page, "1")
    wait(page, "document.getElementById('notice').textContent.includes('another tab')")
    assert labels(page) == {selected(page): "noise"}


def test_a_lasso_labels_many_and_one_undo_takes_all_back(page):
    page.execute_script("choose([0, 1, 2, 3, 4])")
    assert page.find_element(By.ID, "chosen-count").text.startswith("5 clips are chosen")
    press(page, "2")
    wait(page, "desk.labels.filter((label) => label === 'noise').length === 5")
    press(page, "z")
    wait(page, "desk.labels.every((label) => label === null)")


def test_a_lasso_drawn_with_the_pointer_chooses_what_is_inside(page):
    press(page, "l")
    canvas = page.find_element(By.ID, "map")
    assert page.execute_script("return map.scatter.lassoMode")
    width, height = canvas.size["width"] / 2 - 3, canvas.size["height"] / 2 - 3
    chain = ActionChains(page).move_to_element_with_offset(canvas, -width, -height).click_and_hold()
    for x, y in ((width, -height), (width, height), (-width, height), (-width, -height + 4)):
        chain.move_to_element_with_offset(canvas, x, y)
    chain.release().perform()
    wait(page, "chosen.length > 0")
    assert page.execute_script("return chosen.length") == 13
    assert page.execute_script("return document.getElementById('lasso').getAttribute('aria-pressed')") == "false"
    press(page, Keys.ESCAPE)
    assert page.execute_script("return chosen.length") == 0


def test_a_new_class_has_a_key_at_once(page):
    press(page, "n")
    page.switch_to.active_element.send_keys("clap", Keys.ENTER)
    wait(page, "desk.classes.includes('clap')")
    name = selected(page)
    press(page, "4")
    wait(page, "desk.labels.includes('clap')")
    assert labels(page) == {name: "clap"}


def test_what_is_exported_is_what_was_decided(page):
    name = selected(page)
    press(page, "2")
    wait(page, "desk.labels.includes('noise')")
    page.find_element(By.CSS_SELECTOR, "#export summary").click()
    loaded = "const done = arguments[0]; fetch(document.getElementById('{}').href).then((got) => got.text()).then(done)"
    table = page.execute_async_script(loaded.format("export-csv"))
    assert [line.split(",")[:3] for line in table.splitlines() if "noise," in line] == [[name, "noise", "human"]]
    manifest = [json.loads(line) for line in page.execute_async_script(loaded.format("export-jsonl")).splitlines()]
    assert [row["file_name"] for row in manifest if row["label"] is not None] == [name]
    page.find_element(By.ID, "export-told").click()
    assert page.find_element(By.ID, "export-csv").get_attribute("href").endswith("/labels.csv?told=1")


def test_names_and_classes_that_mean_harm_are_shown_as_text(page):
    page.execute_script("document.getElementById('shown').value = 'all'; relist()")
    press(page, "/")
    page.switch_to.active_element.send_keys("onerror", Keys.ENTER)
    rows = page.find_elements(By.CSS_SELECTOR, "#rows .name")
    assert [row.text for row in rows] == [HOSTILE.replace("/", "_")]
    page.execute_script("select(list.clips[0])")
    press(page, "3")
    wait(page, "desk.labels.includes(arguments[0])".replace("arguments[0]", json.dumps(HOSTILE_CLASS)))
    assert page.title == "Label review: 13 clips"
    assert page.find_elements(By.CSS_SELECTOR, "#rows img, #classes script") == []


def test_a_clip_is_drawn(page):
    wait(page, "document.getElementById('spectrogram').naturalWidth > 50")
    painted = (
        "Array.from(document.getElementById('{}').getContext('2d').getImageData(0, 0, 100, 100).data)"
        ".some((value) => value > 0)"
    )
    for name in ("wave", "vectorscope"):
        wait(page, painted.format(name))


def test_every_control_has_a_name_that_can_be_read_aloud(page):
    nameless = page.execute_script(
        """const named = (one) => one.getAttribute('aria-label') || one.getAttribute('alt') || one.textContent.trim();
        return Array.from(document.querySelectorAll('button, input, select, canvas, img, summary, a'))
        .filter((one) => !named(one) && !one.closest('label')).map((one) => one.outerHTML)"""
    )
    assert nameless == []


def test_nothing_is_complained_of(page):
    # that software draws where there is no graphics card is the machine's affair
    told = [one["message"] for one in page.get_log("browser") if "WebGL" not in one["message"]]
    assert [text for text in told if "409" not in text] == []


def test_when_the_server_is_gone_the_page_says_so_and_finishing_gave_the_rows(browser, sounds, tmp_path):
    with reviewing(sounds, tmp_path / "review.sqlite") as running:
        load(browser, running)
        name = selected(browser)
        press(browser, "1")
        wait(browser, "desk.labels.some((label) => label !== null)")
        browser.find_element(By.ID, "finish").click()
        browser.find_element(By.CSS_SELECTOR, "#sure button[value=finish]").click()
        running.wait()
        assert running.status is Status.DONE
        rows = [row.fields for row in running.rows if row.schema == CLIP_SCHEMA and row.fields["label"] is not None]
        assert [(row["file_name"], row["label"], row["provenance"]) for row in rows] == [(name, "tone", "human")]
        press(browser, "2")
        wait(
            browser, "document.getElementById('notice').textContent.startsWith('Not saved: the server does not answer')"
        )
        assert labels(browser) == {name: "tone"}


def test_what_another_tab_decided_just_before_is_told_all_the_same(page, running):
    told = page.execute_async_script(
        """const done = arguments[0], [mine, theirs] = list.clips;
        const content = { listener: 'another', wishes: [[theirs, 'noise', desk.numbers[theirs]]] };
        const headers = { 'content-type': 'application/json' };
        fetch('decide', { method: 'POST', headers, body: JSON.stringify(content) })
        .then(() => desk.decide([mine], 'tone')).then(() => done([mine, theirs]))"""
    )
    wait(page, f"desk.labels[{told[1]}] === 'noise'")
    assert page.execute_script(f"return desk.labels[{told[0]}]") == "tone"


def test_what_is_not_kept_changes_nothing_on_the_page(page):
    page.execute_script("window.fetchNothing = fetch; fetch = () => Promise.reject(new Error('gone'))")
    name = selected(page)
    press(page, Keys.BACKSPACE)
    wait(page, "document.getElementById('notice').textContent.startsWith('Not saved') && !desk.isBusy")
    assert selected(page) == name
    page.execute_script("choose([0, 1, 2])")
    press(page, "1")
    wait(page, "!desk.isBusy")
    assert page.execute_script("return chosen.length") == 3
    assert page.execute_async_script("desk.finish().then(() => arguments[0](desk.finished))") is False
    page.execute_script("fetch = window.fetchNothing")


def test_a_key_that_is_held_or_pressed_too_early_labels_one_clip(page):
    page.execute_script(
        """const ask = fetch;
        window.sent = 0;
        fetch = (...words) => { window.sent += words[0] === 'decide'; return ask(...words); };
        const press = (repeat) => document.dispatchEvent(new KeyboardEvent('keydown', { key: '1', repeat }));
        press(true); press(false); press(false); press(true)"""
    )
    wait(page, "desk.labels.includes('tone') && !desk.isBusy")
    assert page.execute_script("return window.sent") == 1
    assert page.execute_script("return desk.labels.filter((label) => label !== null).length") == 1


def test_the_button_of_a_class_keeps_the_focus(page):
    page.execute_script("document.querySelector('#classes button').focus()")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    wait(page, "desk.labels.includes('tone') && !desk.isBusy")
    assert page.execute_script("return document.activeElement.dataset.name") == "tone"


def test_a_clip_that_cannot_be_read_any_more_leaves_no_other_clips_picture(page):
    painted = (
        "Array.from(document.getElementById('vectorscope').getContext('2d').getImageData(0, 0, 160, 160).data)"
        ".filter((value, place) => place % 4 === 1 && value === 0xe0).length"
    )
    wait(page, f"{painted} > 0")
    page.execute_async_script("sound.show(999).then(arguments[0])")
    assert page.execute_script(f"return {painted}") == 0
    assert page.find_element(By.ID, "notice").text.startswith("This clip cannot be read any more: ")
