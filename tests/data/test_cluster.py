"""The same work on a real cluster: a scheduler and two workers on this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hostile
import numpy as np
import pytest
import soundfile

from stereokit.data import cluster
from stereokit.data.cluster import map_cluster
from stereokit.data.isolation import Limits, map_isolated
from stereokit.data.preparation import Preparation, Task, prepare
from stereokit.errors import BadInputError, MissingError, OutputError, StereokitError, UsageError

needs_cluster = [
    pytest.mark.slow,
    # What dask and joblib leave open is theirs.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


def eventually(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it never came to pass"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Path]]:
    """Start a scheduler or a worker, with the functions of these tests in reach; end all of them."""
    folder = tmp_path_factory.mktemp("cluster")
    known_by = folder / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    started: list[subprocess.Popen[bytes]] = []

    def start_one(what: str, *words: str) -> Path:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *words]
        with (folder / f"{len(started)}.log").open("wb") as log:
            started.append(
                subprocess.Popen([*command, "--scheduler-file", str(known_by)], stderr=log, stdout=log, env=environment)
            )
        return known_by

    yield start_one
    for process in reversed(started):
        process.terminate()
    for process in started:
        process.wait(20)


@pytest.fixture(scope="module")
def scheduler(start: Callable[..., Path]) -> str:
    known_by = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show")
    return str(json.loads(eventually(lambda: known_by.exists() and known_by.read_text()))["address"])


@pytest.fixture(scope="module")
def address(start: Callable[..., Path], scheduler: str) -> str:
    """The address of a scheduler that has two workers."""
    import distributed  # noqa: PLC0415

    for _ in range(2):
        start("worker", "--nthreads", "1", "--local-directory", os.environ.get("TMPDIR", "/tmp"))  # noqa: S108
    with distributed.Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    return scheduler


class TestCluster:
    pytestmark = needs_cluster

    def test_a_scheduler_without_workers_is_told(self, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
        with pytest.raises(MissingError, match=r"has no worker; start one by: dask worker tcp://127\.0\.0\.1:\d+"):
            list(map_cluster(hostile.behave, ["a"], address=scheduler, folder=tmp_path))

    def test_results_are_those_of_this_machine_in_the_same_order(self, address: str, tmp_path: Path):
        words = ["a", "exit", "b", "refuse", "segfault", "c", "raise", "d", "swell"]
        limits = Limits(seconds=20.0, memory_bytes=64 << 20)
        here = map_isolated(hostile.behave, words, jobs=2, limits=limits)
        there = map_cluster(hostile.behave, words, address=address, folder=tmp_path, limits=limits, chunk=2)
        assert list(map(str, there)) == list(map(str, here))

    def test_a_bad_item_is_an_error_in_its_place_and_nothing_is_left_in_the_folder(self, address: str, tmp_path: Path):
        found = list(map_cluster(hostile.behave, ["refuse", "a"], address=address, folder=tmp_path))
        assert [type(result) for result in found] == [BadInputError, str]
        assert list(tmp_path.iterdir()) == []

    def test_prepared_clips_have_the_same_bytes(self, address: str, tmp_path: Path):
        tasks = []
        for number in range(9):
            source = tmp_path / f"{number}.wav"
            noise = np.random.default_rng(number).normal(0, 0.1, (4_000 + number, 2))
            soundfile.write(source, noise, 32_000, "FLOAT")
            tasks.append(Task(f"{number}.wav", source, tmp_path / "here" / f"{number}.wav"))
        (tmp_path / "broken.wav").write_bytes(b"RIFF")
        tasks.append(Task("broken.wav", tmp_path / "broken.wav", tmp_path / "here" / "broken.wav"))
        distant = [replace(task, target=tmp_path / "there" / task.target.name) for task in tasks]
        (tmp_path / "here").mkdir()
        (tmp_path / "there").mkdir()
        work = partial(prepare, preparation=Preparation())
        here = list(map_isolated(work, tasks, jobs=1))
        there = list(
            map_cluster(work, distant, address=address, folder=tmp_path / "there", witness=tasks[0].source, chunk=2)
        )
        assert list(map(str, there)) == list(map(str, here))
        written = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
        assert written == {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
        assert len(written) == 9

    def test_prep_makes_the_same_data_set(
        self, address: str, tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "sounds").mkdir()
        for number in range(7):
            noise = np.random.default_rng(number).normal(0, 0.1, (2_000 + number, 2))
            soundfile.write(tmp_path / "sounds" / f"{number}.wav", noise, 32_000, "PCM_24")
        (tmp_path / "sounds" / "broken.wav").write_bytes(b"RIFF")
        here = run("prep", "sounds", "-o", "here", "--jobs", "1")
        there = run("prep", "sounds", "-o", "there", "--cluster", address)
        assert (here.status, there.status) == (3, 3)
        assert there.rows[-1]["clips"] == 7
        files = {path.relative_to("there"): path for path in Path("there").rglob("*") if path.is_file()}
        made = {name for name in files if not name.name.startswith(".")}
        assert made == {path.relative_to("here") for path in Path("here").rglob("[!.]*") if path.is_file()}
        for name in made:
            assert ("there" / name).read_bytes() == ("here" / name).read_bytes(), name

    def test_an_error_that_is_no_file_s_ends_the_work(self, address: str, tmp_path: Path):
        with pytest.raises(OutputError, match="the disk is full"):
            list(map_cluster(hostile.behave, ["a", "full"], address=address, folder=tmp_path))

    def test_work_that_reaches_no_worker_is_told_and_not_waited_for(self, address: str, tmp_path: Path):
        with pytest.raises(StereokitError, match=r"--cluster: work was lost: .*deserialization"):
            list(map_cluster(hostile.behave, [hostile.OnlyHere()], address=address, folder=tmp_path))

    def test_who_stops_asking_ends_the_work_there(self, address: str, tmp_path: Path):
        (tmp_path / "out").mkdir()
        items = [tmp_path / "out" / str(number) for number in range(400)]
        results = map_cluster(hostile.mark_slowly, items, address=address, folder=tmp_path, chunk=10)
        assert next(results) == "0"
        results.close()
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        time.sleep(0.3)
        count = len(list((tmp_path / "out").iterdir()))
        time.sleep(0.5)
        assert len(list((tmp_path / "out").iterdir())) == count < len(items)

    def test_a_function_that_the_cluster_lacks_is_told_before_any_work(
        self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        (tmp_path / "only_on_this_machine.py").write_text("def same(item): return item\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        import only_on_this_machine  # type: ignore[import-not-found]  # noqa: PLC0415

        with pytest.raises(UsageError, match=r"cannot work there .*only_on_this_machine.*install the same stereokit"):
            list(map_cluster(only_on_this_machine.same, [1], address=address, folder=tmp_path))

    def test_other_versions_there_are_refused(self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        here = cluster.versions()
        monkeypatch.setattr(cluster, "versions", lambda: {**here, "soxr": "99.0"})
        with pytest.raises(UsageError, match=rf"tcp://\S+ has soxr {here['soxr']}, not 99\.0 as here"):
            list(map_cluster(hostile.behave, ["a"], address=address, folder=tmp_path))

    def test_workers_that_see_other_files_are_refused(self, address: str, tmp_path: Path):
        other = Path("/proc/self/stat")
        with pytest.raises(UsageError, match="does not see /proc/self/stat as it is here"):
            list(map_cluster(hostile.behave, ["a"], address=address, folder=tmp_path, witness=other))


@pytest.mark.parametrize("given", ["nonsense", "tcp://host", "http://host:80", "tcp://host:99999", "tcp://[::1", ""])
def test_an_address_of_another_form_is_refused(given: str, tmp_path: Path):
    with pytest.raises(UsageError, match="must be tcp://host:port"):
        list(map_cluster(hostile.behave, ["a"], address=given, folder=tmp_path))


def test_an_address_where_nothing_answers_is_told_at_once(tmp_path: Path):
    with pytest.raises(MissingError, match=r"--cluster tcp://127\.0\.0\.1:9: no scheduler answers there"):
        list(map_cluster(hostile.behave, ["a"], address="tcp://127.0.0.1:9", folder=tmp_path))


@pytest.mark.parametrize("package", ["joblib", "distributed"])
def test_without_its_packages_it_says_what_to_install(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingError, match=rf"needs {package}.*pip install 'stereokit\[cluster\]'"):
        list(map_cluster(hostile.behave, ["a"], address="tcp://127.0.0.1:9", folder=tmp_path))
