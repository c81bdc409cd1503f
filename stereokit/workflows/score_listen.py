"""``stereokit score listen``: a blind listening study on a local page."""

import contextlib
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from stereokit.data.listening import Listening
from stereokit.errors import Status, worst
from stereokit.serving.local_server import served
from stereokit.workflows.events import Events, Json, Message
from stereokit.workflows.score_listen_page import ListenPage
from stereokit.workflows.score_listen_pairs import prepared
from stereokit.workflows.score_listen_results import check_plot, end_results, pair_rows
from stereokit.workflows.score_listen_settings import ListenSettings
from stereokit.workflows.score_listen_study import Study
from stereokit.writing import locked, remove_file


def listen(settings: ListenSettings) -> Events:
    """Hold a study until its page ends it, or Ctrl-C does; then yield its results.

    Raises
    ------
    UsageError
        When the words do not go together, or the file holds another study.
    BadInputError
        When no pair can be heard.
    LockedError
        When another process holds the same study, or another program listens on the port.
    OutputError
        When a file cannot be written.
    """
    settings.check()
    check_plot(settings)
    if settings.dry_run:
        ready = yield from prepared(settings)
        yield from pair_rows(ready.pairs)
        return worst([Status.SOME_FAILED] * bool(ready.refused))
    with _alone(settings.output):
        ready = yield from prepared(settings)
        file = Listening(settings.output)
        try:
            file.begin(_description(settings), ready.pairs)
            statuses = [Status.SOME_FAILED] * bool(ready.refused)
            try:
                yield from _held(Study(file, settings, ready.paths))
            except KeyboardInterrupt:
                # every answer is on the disk: what there is can be told
                statuses.append(Status.INTERRUPTED)
            yield from end_results(file, settings)
        finally:
            file.close()
    return worst(statuses)


def _held(study: Study) -> Iterator[Message]:
    """Serve the page, tell its address, and return when somebody ends the study."""
    settings = study.settings
    pairs = len(study.file.pairs())
    page = ListenPage(study)
    with served(page.routes(), port=settings.port) as server:
        page.finish = server.finish
        yield Message(f"{pairs} pairs, so {pairs + settings.controls} trials a listener: {settings.asked}")
        yield Message(f"listen at {server.address}")
        yield Message(f"each answer goes to {settings.output} at once; the page's last button or Ctrl-C ends the study")
        if settings.opens:
            webbrowser.open(server.address)
        server.wait()


def _description(settings: ListenSettings) -> dict[str, Json]:
    """Return what makes two studies one."""
    places = [None if one is None else str(Path(one).resolve()) for one in (settings.a, settings.b, settings.reference)]
    return {
        "a": places[0],
        "b": places[1],
        "reference": places[2],
        "question": settings.asked,
        "allow_same": settings.allow_same,
        "groups": [*settings.group_names],
        "seed": settings.seed,
        "controls": settings.controls,
    }


@contextlib.contextmanager
def _alone(output: Path) -> Iterator[None]:
    """Hold the study's lock, a file beside it that is gone afterwards."""
    lock = output.with_name(output.name + ".lock")
    with locked(lock, guards=output):
        try:
            yield
        finally:
            remove_file(lock)
