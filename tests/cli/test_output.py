"""Rows to stdout, everything else to stderr."""

import io
import json

import pytest
from rich.text import Text

from stereokit.cli.output import Output, row_to_json
from stereokit.cli.streams import Streams
from stereokit.errors import BadInputError, ClosedPipeError, OutputError, Status, UsageError
from stereokit.workflows.events import Data, Events, Message, Progress, Row


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def workflow(status: Status) -> Events:
    yield Message("a note")
    yield Message("beware", is_warning=True)
    yield Progress("working", 1, 2)
    yield Row("stereokit.thing/1", {"value": 1.5, "missing": float("nan"), "nested": {"far": float("inf")}})
    return status


def show(status: Status, *, stdout: io.StringIO, **options: bool) -> tuple[str, str]:
    streams = Streams(io.StringIO(), stdout, io.StringIO(), {"NO_COLOR": "1"})
    assert Output(streams, **options).show(workflow(status), lambda rows: Text(f"{len(rows)} rows")) == status
    return stdout.getvalue(), streams.stderr.getvalue()


def test_a_pipe_gets_one_json_object_a_line_with_schema_and_version() -> None:
    out, err = show(Status.DONE, stdout=io.StringIO())
    row = json.loads(out)
    assert row.pop("stereokit_version")
    assert row == {"schema": "stereokit.thing/1", "value": 1.5, "missing": None, "nested": {"far": None}}
    assert err == "stereokit: a note\nstereokit: warning: beware\n"


def test_a_terminal_gets_a_table_and_json_when_asked() -> None:
    assert show(Status.DONE, stdout=Terminal())[0] == "1 rows\n"
    assert json.loads(show(Status.DONE, stdout=Terminal(), as_json=True)[0])["value"] == 1.5


def test_quiet_prints_nothing_at_status_0_and_everything_otherwise() -> None:
    assert show(Status.DONE, stdout=io.StringIO(), quiet=True) == ("", "")
    out, err = show(Status.SOME_FAILED, stdout=io.StringIO(), quiet=True)
    assert json.loads(out)["value"] == 1.5
    assert "beware" in err


def test_json_is_ascii_so_that_no_terminal_or_locale_acts_on_it() -> None:
    line = row_to_json(Row("stereokit.thing/1", {"path": "a\x1b[31m\u202e🥁"}))
    assert line.isascii()
    assert json.loads(line)["path"] == "a\x1b[31m\u202e🥁"


class Failing(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "expected"), [(BrokenPipeError(), ClosedPipeError), (OSError(28, "No space left on device"), OutputError)]
)
def test_a_stdout_that_cannot_be_written_is_an_error_of_its_kind(error: OSError, expected: type[Exception]) -> None:
    streams = Streams(io.StringIO(), Failing(error), io.StringIO())
    with pytest.raises(expected):
        Output(streams).show(workflow(Status.DONE), lambda rows: Text(str(rows)))


def sending() -> Events:
    yield Message("on its way")
    yield Data(b"\x00\xff\n")
    yield Data(b"\r\n")
    return Status.DONE


@pytest.mark.parametrize("quiet", [False, True])
def test_bytes_reach_stdout_as_they_are_and_quiet_does_not_mean_them(*, quiet: bool) -> None:
    binary = io.BytesIO()
    streams = Streams(io.StringIO(), io.TextIOWrapper(binary, newline="\r\n"), io.StringIO())
    Output(streams, quiet=quiet).show(sending(), lambda _: Text())
    assert binary.getvalue() == b"\x00\xff\n\r\n"
    assert streams.stderr.getvalue() == ("" if quiet else "stereokit: on its way\n")


class FailingBytes(io.BytesIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, data: bytes) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        (io.TextIOWrapper(FailingBytes(BrokenPipeError())), ClosedPipeError),
        (io.TextIOWrapper(FailingBytes(OSError(28, "No space left on device"))), OutputError),
        (io.StringIO(), OutputError),
    ],
)
def test_bytes_that_nobody_takes_are_an_error_of_their_kind(stdout: io.TextIOBase, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        Output(Streams(io.StringIO(), stdout, io.StringIO())).show(sending(), lambda _: Text())


def test_a_terminal_is_no_place_for_bytes() -> None:
    Output(Streams(io.StringIO(), io.StringIO(), io.StringIO())).refuse_terminal("-o -")
    with pytest.raises(UsageError, match="-o -: standard output is a terminal"):
        Output(Streams(io.StringIO(), Terminal(), io.StringIO())).refuse_terminal("-o -")


def test_a_workflow_is_closed_when_its_reader_goes_away() -> None:
    closed = []

    def endless() -> Events:
        try:
            while True:
                yield Row("stereokit.thing/1", {})
        finally:
            closed.append(True)

    with pytest.raises(ClosedPipeError):
        Output(Streams(io.StringIO(), Failing(BrokenPipeError()), io.StringIO())).show(endless(), lambda _: Text())
    assert closed == [True]


def test_progress_is_drawn_on_a_terminal_only() -> None:
    streams = Streams(io.StringIO(), io.StringIO(), Terminal(), {"TERM": "xterm"})
    Output(streams).show(workflow(Status.DONE), lambda rows: Text(str(rows)))
    assert "working" in streams.stderr.getvalue()


def test_an_error_does_not_take_what_quiet_held_back_with_it() -> None:
    def failing() -> Events:
        yield Message("which file, and why", is_warning=True)
        yield Row("stereokit.thing/1", {"value": 1.5})
        raise BadInputError("nothing is scored")

    streams = Streams(io.StringIO(), io.StringIO(), io.StringIO())
    with pytest.raises(BadInputError):
        Output(streams, quiet=True).show(failing(), lambda _: Text())
    assert streams.stderr.getvalue() == "stereokit: warning: which file, and why\n"
    assert json.loads(streams.stdout.getvalue())["value"] == 1.5
