"""The page of ``label review``, served until somebody finishes it."""

import webbrowser
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stereokit.serving.local_server import served
from stereokit.workflows.events import Message
from stereokit.workflows.review_desk import Desk
from stereokit.workflows.review_routes import ReviewPage
from stereokit.workflows.review_teacher import Teacher


def serve_review(
    desk: Desk, teacher: Teacher, coordinates: NDArray[np.float32], *, port: int, opens: bool, output: Path
) -> Iterator[Message]:
    """Serve the page, tell its address, and return when it is finished.

    Raises
    ------
    LockedError
        When another program listens on the port.
    """
    page = ReviewPage(desk, teacher, coordinates)
    with served(page.routes(), port=port) as server:
        page.finish = server.finish
        yield Message(f"open {server.address}")
        yield Message(f"every decision goes to {output} at once; Ctrl-C ends, 'Finish' on the page ends with results")
        if opens:
            webbrowser.open(server.address)
        server.wait()
