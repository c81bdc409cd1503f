"""Results to stdout, everything else to stderr."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from stereokit.cli.comma_separated import rows_to_csv
from stereokit.cli.streams import Streams
from stereokit.errors import ClosedPipeError, OutputError, Status, StereokitError, UsageError
from stereokit.workflows.events import Data, Events, Message, Progress, Row, row_to_json

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress as Bar

# Turns all rows of a run into what a person reads.
Table = Callable[[list[Row]], "RenderableType"]


class Output:
    """Where a command's events go.

    Parameters
    ----------
    streams
        The process's, or a test's.
    as_json
        One JSON object a line even on a terminal.
    quiet
        Print nothing at all when the status is 0.
    """

    def __init__(self, streams: Streams, *, as_json: bool = False, quiet: bool = False) -> None:
        self.streams = streams
        self._wants_json = as_json
        self._as_json = as_json or not streams.stdout_is_terminal
        self._as_csv = False
        self._quiet = quiet
        self._held: list[Row | Message] = []
        self._rows: list[Row] = []
        self._bar: Bar | None = None
        self._tasks: dict[str, int] = {}

    @property
    def is_quiet(self) -> bool:
        """Whether what a person must read to go on would not be shown."""
        return self._quiet

    def show(self, events: Events, table: Table, *, as_csv: bool = False) -> Status:
        """Write what a workflow yields and return its status.

        ``table`` draws the rows for a terminal; ``as_csv`` writes them as CSV, there or to a pipe.

        Raises
        ------
        UsageError
            For CSV and JSON at once.
        """
        if as_csv and self._wants_json:
            raise UsageError("--csv and --json: standard output has one form; choose one")
        self._as_csv = as_csv
        try:
            while True:
                try:
                    event = next(events)
                except StopIteration as stop:
                    status: Status = stop.value
                    break
                if isinstance(event, Progress):
                    self._progress(event)
                elif isinstance(event, Data):
                    # asked for by name, so --quiet does not mean it
                    with _told_failures():
                        self.streams.write_bytes(event.content)
                elif self._quiet:
                    self._held.append(event)
                else:
                    self._tell(event)
        except StereokitError:
            self._end(table, failed=True)
            raise
        finally:
            events.close()
            if self._bar is not None:
                self._bar.stop()
        self._end(table, failed=status is not Status.DONE)
        return status

    def _end(self, table: Table, *, failed: bool) -> None:
        """Tell what --quiet held back if something failed, and draw the rows that there are."""
        for held in self._held if failed else ():
            self._tell(held)
        if self._rows:
            self.write(rows_to_csv(self._rows) if self._as_csv else self._drawn(table(self._rows)))

    def write(self, text: str) -> None:
        """Write text to stdout as it is.

        Raises
        ------
        ClosedPipeError, OutputError
            When the reader has gone, or the disk behind stdout is full.
        """
        with _told_failures():
            self.streams.stdout.write(text)
            self.streams.stdout.flush()

    def refuse_terminal(self, what: str) -> None:
        """Refuse to write bytes where a person reads.

        Raises
        ------
        UsageError
            When stdout is a terminal.
        """
        if self.streams.stdout_is_terminal:
            raise UsageError(f"{what}: standard output is a terminal; send it to a file or a pipe")

    def _tell(self, event: Row | Message) -> None:
        if isinstance(event, Message):
            mark = "warning: " if event.is_warning else ""
            self.streams.tell(f"{mark}{event.text}")
        elif self._as_json and not self._as_csv:
            self.write(row_to_json(event) + "\n")
        else:
            self._rows.append(event)

    def _drawn(self, table: "RenderableType") -> str:
        """Return what rich draws for this terminal, as text."""
        from rich.console import Console

        streams = self.streams
        console = Console(file=streams.stdout, highlight=False, markup=False, _environ=streams.environment)
        with console.capture() as capture:
            # what must not be broken, such as a command to copy, may be longer than a line
            console.print(table, crop=False)
        return capture.get()

    def _progress(self, event: Progress) -> None:
        if self._quiet or not self.streams.stderr_is_terminal:
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            console = Console(file=self.streams.stderr, _environ=self.streams.environment)
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Bar(*columns, console=console, transient=True)
            self._bar.start()
        if event.step not in self._tasks:
            # What was done before is no measure of the speed.
            self._tasks[event.step] = self._bar.add_task(event.step, total=event.total, completed=event.done)
        told = f"{event.step} {event.text}".rstrip()
        self._bar.update(self._tasks[event.step], completed=event.done, description=told)  # type: ignore[arg-type]


@contextlib.contextmanager
def _told_failures() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ClosedPipeError("the reader closed standard output") from error
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error
