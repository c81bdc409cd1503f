"""Ctrl-C and SIGTERM while a model trains: the step that runs is finished and saved."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

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
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Only the main thread is told of signals.
        for number in _ANSWERS if threading.current_thread() is threading.main_thread() else ():
            # A shell's background job is started to ignore Ctrl-C, which is meant for others.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._put_back()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.status = _ANSWERS[signal.Signals(number)]
        self._put_back()

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
