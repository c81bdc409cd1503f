"""A review that runs in a thread of a test, and a client that speaks to its page."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from stereokit.workflows.events import Message, Row
from stereokit.workflows.label_review import review
from stereokit.workflows.review_settings import ReviewSettings

if TYPE_CHECKING:
    from stereokit.errors import Status


class Running:
    """A review in a thread of its own."""

    def __init__(self, settings: ReviewSettings) -> None:
        self.rows: list[Row] = []
        self.messages: list[str] = []
        self.error: BaseException | None = None
        self.status: Status | None = None
        self.settings = settings
        self._served = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._served.wait(60)
        address = next((text.split()[1] for text in self.messages if text.startswith("open ")), "http://nowhere/")
        self.address = address
        self.page = httpx.Client(base_url=address)

    def _run(self) -> None:
        try:
            events = review(self.settings, [])
            while True:
                event = next(events)
                if isinstance(event, Row):
                    self.rows.append(event)
                elif isinstance(event, Message):
                    self.messages.append(event.text)
                    if event.text.startswith("every decision"):
                        self._served.set()
        except StopIteration as stop:
            self.status = stop.value
        except BaseException as error:  # noqa: BLE001 - a test looks at it
            self.error = error
        finally:
            self._served.set()

    def post(self, path: str, listener: str = "tab", **content: object) -> httpx.Response:
        return self.page.post(path, json={"listener": listener, **content})

    def finish(self) -> None:
        self.post("finish")
        self.wait()

    def wait(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        self.page.close()


@contextlib.contextmanager
def reviewing(sounds: Path, decisions: Path, **words: object) -> Iterator[Running]:
    settings = ReviewSettings(
        (str(sounds),), decisions, jobs=1, **{"layout": "pca", "classes": ("tone", "noise"), **words}
    )
    running = Running(settings)
    try:
        yield running
    finally:
        if running.status is None and running.error is None:
            running.finish()
        else:
            running.wait()
