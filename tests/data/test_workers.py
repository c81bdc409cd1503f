"""Work in several processes: order, faults in their place, and no more threads than were asked for."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stereokit.data import workers
from stereokit.data.workers import available_jobs, map_files
from stereokit.errors import BadInputError, OutputError, StereokitError

# Functions that workers run stand at the top of the module, where another process finds them; NumPy is imported
# inside, as late as a worker imports it.


def square(number: int) -> int:
    return number * number


def refuse_odd(number: int) -> int:
    if number % 2:
        raise BadInputError(f"{number} is odd")
    return number


def run_out_of_memory(number: int) -> int:
    raise MemoryError


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ZeroDivisionError("three")
    return number


def fail_to_write(number: int) -> int:
    raise OutputError("the disk is full")


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def process_of(number: int) -> int:
    return os.getpid()


def surroundings(number: int) -> dict[str, Any]:
    """Tell what a worker is like after it did what prep and score do."""
    import numba  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    import stereokit.data.preparation  # noqa: PLC0415
    import stereokit.metrics.measure  # noqa: PLC0415, F401

    square_matrix = np.ones((700, 700))
    square_matrix @ square_matrix
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return {
        "torch": "torch" in sys.modules,
        "python threads": threading.active_count(),
        "threads": next((int(line.split()[1]) for line in lines if line.startswith("Threads:")), 1),
        "numba threads": numba.config.NUMBA_NUM_THREADS,
        "Ctrl-C": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "SIGTERM": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
    }


def mapped(function: Any, items: list[int], *, jobs: int = 1, chunk: int = 2, inline_up_to: int = 0) -> Iterator[Any]:
    return map_files(function, items, jobs=jobs, chunk=chunk, inline_up_to=inline_up_to)


@pytest.mark.parametrize("jobs", [1, 2])
class TestAnyNumberOfJobs:
    def test_results_come_in_the_order_of_the_items(self, jobs: int):
        assert list(mapped(square, list(range(29)), jobs=jobs)) == [number**2 for number in range(29)]

    def test_a_bad_item_is_told_in_its_place_and_the_others_are_done(self, jobs: int):
        results = list(mapped(refuse_odd, list(range(7)), jobs=jobs))
        assert [result if isinstance(result, int) else str(result) for result in results] == [
            0,
            "1 is odd",
            2,
            "3 is odd",
            4,
            "5 is odd",
            6,
        ]
        assert all(isinstance(result, BadInputError) for result in results[1::2])

    def test_an_item_too_large_for_the_memory_is_a_bad_item(self, jobs: int):
        (result,) = mapped(run_out_of_memory, [1], jobs=jobs)
        assert isinstance(result, BadInputError)
        assert "memory" in str(result)

    def test_a_mistake_in_the_program_is_raised_after_the_results_before_it(self, jobs: int):
        results = mapped(fail_at_three, list(range(6)), jobs=jobs, chunk=1)
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ZeroDivisionError, match="three"):
            next(results)

    def test_another_error_of_ours_keeps_its_kind(self, jobs: int):
        with pytest.raises(OutputError, match="the disk is full"):
            list(mapped(fail_to_write, [1, 2], jobs=jobs))

    def test_nothing_gives_nothing(self, jobs: int):
        assert list(mapped(square, [], jobs=jobs)) == []


def test_one_job_works_in_this_process():
    assert set(mapped(process_of, [1, 2, 3])) == {os.getpid()}


def test_few_items_are_done_here_whatever_the_jobs():
    assert set(mapped(process_of, [1, 2, 3], jobs=2, inline_up_to=3)) == {os.getpid()}


def test_many_items_are_done_elsewhere():
    assert os.getpid() not in set(mapped(process_of, [1, 2, 3], jobs=2, inline_up_to=2))


def test_here_items_are_done_only_as_they_are_asked_for():
    done: list[int] = []
    results = mapped(done.append, [1, 2, 3])
    next(results)
    assert done == [1]


def test_a_worker_that_dies_is_an_error_that_says_what_to_do():
    with pytest.raises(StereokitError, match="a worker process died; run again with --jobs 1"):
        list(mapped(die_at_three, list(range(6)), jobs=2, chunk=1))


def test_who_stops_asking_ends_the_workers():
    results = mapped(square, list(range(1000)), jobs=2, chunk=1)
    assert next(results) == 0
    results.close()
    with pytest.raises(StopIteration):
        next(results)


def test_a_worker_has_one_thread_no_torch_and_leaves_signals_to_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Whoever tried to import torch would find this one.
    (tmp_path / "torch.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    for variable in workers.ONE_THREAD:
        monkeypatch.setenv(variable, "4")
    (found,) = mapped(surroundings, [1], jobs=2)
    assert found == {
        "torch": False,
        # One that works, and one that sleeps until the parent ends.
        "python threads": 2,
        "threads": 2,
        "numba threads": 1,
        "Ctrl-C": True,
        "SIGTERM": True,
    }


class TestAvailableJobs:
    @pytest.fixture(autouse=True)
    def eight_processors(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 64)

    @pytest.mark.parametrize(
        ("text", "jobs"),
        [
            ("max 100000\n", 8),
            ("200000 100000\n", 2),
            ("150000 100000\n", 2),
            ("50000 100000\n", 1),
            ("1 100000\n", 1),
            ("1600000 100000\n", 8),
            ("", 8),
            ("nonsense\n", 8),
            ("a b\n", 8),
        ],
    )
    def test_the_container_s_quota_is_rounded_up_and_cuts_the_affinity(self, tmp_path: Path, text: str, jobs: int):
        quota = tmp_path / "cpu.max"
        quota.write_text(text)
        assert available_jobs(quota) == jobs

    def test_without_a_container_the_affinity_counts_and_not_the_machine(self, tmp_path: Path):
        assert available_jobs(tmp_path / "nothing") == 8

    def test_where_there_is_no_affinity_the_processors_count(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delattr(os, "sched_getaffinity")
        assert available_jobs(tmp_path / "nothing") == 64

    def test_there_is_always_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delattr(os, "sched_getaffinity")
        monkeypatch.setattr(os, "cpu_count", lambda: None)
        assert available_jobs(tmp_path / "nothing") == 1
