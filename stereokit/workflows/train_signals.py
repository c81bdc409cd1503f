"""Ctrl-C and SIGTERM while a model trains: the step that runs is finished and saved."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from stereokit.errors import Status

_ANSWERS = {signal.SIGINT: Status.INTERRUPTED, signal.SIGTERM: Status.TERMINATED}


class StopRequest:
    """Remembers the first signal; a second one acts as if this were not here.

    Attributes
    ----------
    status
        What the signal asks to end with; None while none came.
    """

    def __init__(self) -> None:
        self.status: Status | None = None
        # Only the main thread is told of signals.
        self._is_told = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._is_told:
            self._before = {number: signal.signal(number, self._note) for number in _ANSWERS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._put_back()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.status = _ANSWERS[signal.Signals(number)]
        self._put_back()

    def _put_back(self) -> None:
        if self._is_told:
            for number, handler in self._before.items():
                signal.signal(number, handler)
