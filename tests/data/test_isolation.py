"""Files that crash, hang or swell cost one file each; the others are done, in order, and nothing is left running."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hostile
import pytest

from stereokit.data import isolated_process, isolated_worker, isolation
from stereokit.data.isolation import Limits, isolated_results, map_isolated
from stereokit.errors import BadInputError, OutputError, StereokitError

LIMITS = Limits(seconds=20.0, memory_bytes=64 << 20)
SHORT = Limits(seconds=0.3, memory_bytes=64 << 20)


def behaved(words: list[str], *, limits: Limits = LIMITS, jobs: int = 2, chunk: int = 4) -> list[str]:
    """Return what each word did, a refusal in brackets."""
    results = map_isolated(hostile.behave, words, jobs=jobs, limits=limits, chunk=chunk)
    return [f"({result})" if isinstance(result, BadInputError) else result for result in results]


def eventually(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it never came to pass"
        time.sleep(0.01)
    return found


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("exit", "ended the process that worked on it (status 7)"),
        ("leave", "ended the process that worked on it (status 3)"),
        ("segfault", "crashed the process that worked on it (SIGSEGV)"),
        ("null", "crashed the process that worked on it (SIGSEGV)"),
        ("abort", "crashed the process that worked on it (SIGABRT)"),
        ("swell", "needs more than 0.0625 GiB of memory"),
        ("swell slowly", "needs more than 0.0625 GiB of memory"),
        ("map", "needs more than 0.0625 GiB of memory"),
        ("swell in C", "crashed the process that worked on it (SIGSEGV)"),
        ("refuse", "is odd"),
        ("raise", "internal error: ZeroDivisionError: integer division or modulo by zero (hostile.py:"),
    ],
)
def test_a_file_that_takes_its_process_down_costs_this_one_file(deed: str, reason: str):
    found = behaved(["a", "b", deed, "c", "d", deed, "e"])
    assert [word for word in found if not word.startswith("(")] == ["a", "b", "c", "d", "e"]
    assert found[2].startswith(f"({reason}")
    assert found[5] == found[2]


@pytest.mark.parametrize("deed", ["sleep", "spin", "clutch"])
def test_a_file_that_hangs_costs_this_one_file_even_when_it_lets_no_thread_run(deed: str):
    assert behaved(["a", deed, "b", "c"], limits=SHORT) == ["a", "(took longer than 0.3 s)", "b", "c"]


def test_a_process_that_can_no_longer_be_heard_is_ended_and_costs_its_file():
    assert behaved(["a", "close", "b"], jobs=1) == [
        "a",
        "(ended the process that worked on it (status 1))",
        "b",
    ]


def test_a_folder_full_of_hostile_files_is_gone_through():
    words = ["exit", "segfault", "a", "swell"] * 8
    found = behaved(words, chunk=8)
    assert [word == "a" for word in found] == [word == "a" for word in words]
    assert sum("GiB" in word for word in found) == 8


def test_results_come_in_the_order_of_the_items_whatever_they_cost():
    words = [f"item {number}" if number % 7 else "refuse" for number in range(200)]
    assert behaved(words) == [word if word != "refuse" else "(is odd)" for word in words]


def test_nothing_gives_nothing_and_starts_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(isolation, "Worker", None)
    assert behaved([]) == []
    assert list(isolated_results(hostile.behave, [], jobs=2)) == []


def test_as_they_finish_a_slow_file_holds_up_only_those_that_its_worker_has_been_given():
    words = ["sleep", *(f"item {number}" for number in range(300))]
    found = list(isolated_results(hostile.behave, words, jobs=2, limits=Limits(seconds=1.0), chunk=2))
    results = dict(found)
    assert str(results.pop(0)) == "took longer than 1 s"
    assert results == dict(list(enumerate(words))[1:])
    assert [index for index, _ in found].index(0) >= 300 - 2 * 2


def test_a_file_that_waits_for_all_others_to_be_finished_keeps_none_waiting_that_its_worker_was_not_given(
    tmp_path: Path,
):
    items = [tmp_path / "last", *(tmp_path / str(number) for number in range(150))]
    # Two are given to a process at a time: one may lie behind the file that waits.
    work = partial(hostile.mark_after, others=149)
    found = list(isolated_results(work, items, jobs=2, limits=Limits(seconds=60.0), chunk=1))
    assert [index for index, _ in found].index(0) >= 149
    assert sorted(found) == [(index, path.name) for index, path in enumerate(items)]


def test_who_has_answered_works_on_while_the_answer_is_looked_at(tmp_path: Path):
    items = [tmp_path / "0", tmp_path / "1"]
    results = isolated_results(hostile.mark, items, jobs=1, chunk=1)
    with contextlib.closing(results):
        assert next(results) == (0, "0")
        eventually(items[1].exists)


def test_in_order_work_goes_only_some_chunks_ahead_of_what_is_asked_for(tmp_path: Path):
    items = [tmp_path / f"{number}" for number in range(200)]
    results = map_isolated(hostile.mark, items, jobs=2, chunk=4)
    with contextlib.closing(results):
        assert next(results) == "0"
        time.sleep(0.3)
        assert len(list(tmp_path.iterdir())) <= 2 * 4 * 3 + 1
        assert list(results) == [path.name for path in items[1:]]


def test_a_worker_does_many_items_and_there_are_as_many_as_jobs():
    processes = set(map_isolated(hostile.process_of, list(range(500)), jobs=2))
    assert 1 <= len(processes) <= 2
    assert os.getpid() not in processes


def test_a_single_item_is_isolated_too():
    (process,) = map_isolated(hostile.process_of, [1], jobs=1)
    assert process != os.getpid()


def test_a_worker_has_two_threads_not_the_program_s_file_and_leaves_signals_to_its_parent(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    (found,) = map_isolated(hostile.surroundings, [1], jobs=1)
    assert found == {"python threads": 2, "threads": 2, "main": None, "Ctrl-C": True, "SIGTERM": True}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "4"


def test_a_worker_works_where_the_program_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert list(map_isolated(hostile.place_of, [1], jobs=1)) == [str(tmp_path)]


@pytest.mark.parametrize(("deed", "kind"), [("full", OutputError), ("system", FileNotFoundError)])
def test_an_error_that_is_no_file_s_ends_the_work_with_its_kind(deed: str, kind: type[Exception]):
    results = map_isolated(hostile.behave, ["a", "b", deed, "c"], jobs=1)
    with pytest.raises(kind):
        list(results)


def test_a_result_that_cannot_travel_is_a_mistake_of_the_program():
    with pytest.raises(StereokitError, match="a result cannot leave its process: TypeError: cannot pickle"):
        behaved(["a", "lock"])


def test_a_mistake_of_the_decoder_keeps_its_traceback():
    (error,) = map_isolated(hostile.behave, ["raise"], jobs=1)
    assert isinstance(error, BadInputError)
    assert "1 // 0" in error.__notes__[0]


def test_a_function_that_workers_cannot_load_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "only_here.py").write_text(
        f"import os\nassert os.getpid() == {os.getpid()}, 'not there'\ndef f(x): return x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here  # type: ignore[import-not-found]  # noqa: PLC0415

    with pytest.raises(StereokitError, match=r"a worker process cannot start: AssertionError: not there"):
        list(map_isolated(only_here.f, [1, 2], jobs=2))


class TestEndings:
    def test_a_worker_that_somebody_ends_costs_no_file(self, tmp_path: Path):
        assert list(map_isolated(hostile.end_once, [tmp_path / "mark"], jobs=1)) == ["done"]

    def test_unless_the_file_does_it_again(self):
        (result,) = map_isolated(hostile.end_always, [1], jobs=1)
        assert str(result) == "crashed the process that worked on it (SIGTERM)"

    def test_who_stops_asking_ends_the_workers_even_one_that_hangs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(isolation, "_GRACE_S", 0.1)
        items = [tmp_path / "a-0", tmp_path / "sleep-1"]
        results = isolated_results(hostile.mark_then_wait, items, jobs=2)
        assert next(results) == (0, 0)
        (path,) = eventually(lambda: list(tmp_path.glob("sleep-1.*")))
        results.close()
        assert not is_running(int(path.suffix[1:]))

    def test_a_file_that_is_worked_on_is_finished_first_and_no_other_begun(self, tmp_path: Path):
        items = [tmp_path / str(number) for number in range(100)]
        results = map_isolated(hostile.mark_slowly, items, jobs=2)
        assert next(results) == "0"
        results.close()
        begun = {path.stem for path in tmp_path.glob("*.begun")}
        assert begun == {path.name for path in tmp_path.iterdir() if not path.suffix}
        assert len(begun) < 20

    def test_the_system_ends_one_whose_parent_does_not_look(self, monkeypatch: pytest.MonkeyPatch):
        # Time that counts nothing: as if the parent were gone.
        monkeypatch.setattr(isolation, "_LONGEST_WAIT_S", 0.0)
        assert behaved(["clutch"], limits=Limits(seconds=0.1)) == ["(took longer than 0.1 s)"]

    def test_where_the_system_sets_no_limit_a_worker_watches_its_own_memory(self):
        (result,) = map_isolated(isolated_worker._watch_memory, [1 << 20], jobs=1, limits=LIMITS)
        assert str(result) == "needs more than 0.0625 GiB of memory"


PROGRAM = """
import signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import hostile
from stereokit.data.isolation import Limits, map_isolated
from stereokit.errors import Terminated
def terminate(*_):
    raise Terminated
signal.signal(signal.SIGTERM, terminate)
items = [Path(sys.argv[2]) / f"{word}-{number}" for number, word in enumerate(sys.argv[3:])]
list(map_isolated(hostile.mark_then_wait, items, jobs=2, limits=Limits(seconds=60)))
"""


class TestSignals:
    @pytest.fixture
    def started(self, tmp_path: Path):
        """Start a program with two workers that hang; returns it, the workers, and what is left to read."""
        words = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(tmp_path), "sleep", "spin"]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as program:
            try:
                marks = eventually(lambda: found if len(found := list(tmp_path.iterdir())) == 2 else [])
                yield program, [int(path.suffix[1:]) for path in marks]
            finally:
                program.kill()

    def test_workers_end_with_a_parent_that_is_killed(self, started: Any):
        program, workers = started
        program.kill()
        eventually(lambda: not any(map(is_running, workers)))

    @pytest.mark.parametrize(
        ("number", "error"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "stereokit.errors.Terminated")]
    )
    @pytest.mark.parametrize("send", [os.kill, os.killpg])
    def test_a_signal_ends_the_work_and_the_workers_which_say_nothing(
        self, started: Any, number: int, error: str, send: Callable[[int, int], None]
    ):
        program, workers = started
        send(program.pid, number)
        _, told = program.communicate(timeout=20)
        assert told.count("Traceback") == 1
        assert told.rstrip().endswith(error)
        # Whose server was ended, too, is cleared away by the system in its own time.
        eventually(lambda: not any(map(is_running, workers)))


def test_memory_is_counted_from_what_the_worker_has_when_it_starts():
    words = ["a"] * 3
    assert behaved(words, limits=Limits(memory_bytes=8 << 20)) == words


def test_functions_that_a_partial_one_is_given_are_loaded_too():
    function = partial(partial(hostile.behave), partial(os.path.basename), how=contextlib.suppress)
    assert isolated_process.modules_of(function) == ["hostile", "posixpath", "contextlib"]
