"""Writing: whole files or none, one holder of a lock, names that stay in their folder."""

import errno
import io
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stereokit import writing
from stereokit.errors import BadInputError, LockedError, OutputError
from stereokit.writing import contained_path, locked, make_folder, move_file, remove_file, sync_batch, write_file


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    path.write_bytes(b"old")
    return path


def only_file(path: Path, data: bytes) -> bool:
    """Tell whether the folder holds this one file, with these bytes."""
    return [entry.name for entry in path.parent.iterdir()] == [path.name] and path.read_bytes() == data


def fail_with(number: int):
    def fail(*arguments: object, **keywords: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file grow over a size, as on a disk that fills up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


class TestWriteFile:
    @pytest.mark.parametrize("data", [b"", b"new", bytes(range(256)) * 5000])
    @pytest.mark.parametrize("durable", [True, False])
    def test_it_replaces_a_file_and_leaves_nothing_else(self, old: Path, data: bytes, *, durable: bool):
        write_file(old, data, durable=durable)
        assert only_file(old, data)

    def test_it_makes_a_new_file(self, tmp_path: Path):
        write_file(tmp_path / "new", b"data")
        assert only_file(tmp_path / "new", b"data")

    @pytest.mark.parametrize(
        ("owner", "name"), [(os, "fsync"), (Path, "replace")], ids=["while syncing", "while renaming"]
    )
    def test_a_fault_keeps_the_old_file(self, old: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str):
        monkeypatch.setattr(owner, name, fail_with(errno.ENOSPC))
        with pytest.raises(OutputError, match=r"cannot write .*result\.json: No space left"):
            write_file(old, b"new")
        assert only_file(old, b"old")

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, MemoryError])
    def test_a_stop_in_the_middle_keeps_the_old_file_and_goes_on_upwards(
        self, old: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
    ):
        def stopped(descriptor: int) -> None:
            raise stop

        monkeypatch.setattr(os, "fsync", stopped)
        with pytest.raises(stop):
            write_file(old, b"new")
        assert only_file(old, b"old")

    @pytest.mark.parametrize("size", [0, 1, 4096])
    def test_a_disk_that_fills_up_keeps_the_old_file(self, old: Path, size: int):
        with file_size_limit(size), pytest.raises(OutputError, match="cannot write"):
            write_file(old, bytes(10_000))
        assert only_file(old, b"old")

    def test_a_system_that_takes_a_part_of_the_bytes_at_a_time_is_given_the_rest(
        self, old: Path, monkeypatch: pytest.MonkeyPatch
    ):
        class Sluggish(io.FileIO):
            def write(self, data: memoryview) -> int:
                return super().write(data[:1000])

        monkeypatch.setattr(writing, "open", lambda descriptor, *_, **__: Sluggish(descriptor, "wb"), raising=False)
        data = os.urandom(3500)
        write_file(old, data)
        assert only_file(old, data)

    def test_a_full_device_is_an_output_error(self, monkeypatch: pytest.MonkeyPatch, old: Path):
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        really_open = os.open
        monkeypatch.setattr(
            os,
            "open",
            lambda path, flags, mode: (really_open(path, flags, mode), really_open("/dev/full", flags & 3))[1],
        )
        with pytest.raises(OutputError, match="No space left"):
            write_file(old, b"new")
        assert only_file(old, b"old")

    def test_a_missing_folder_is_an_output_error_naming_the_file(self, tmp_path: Path):
        with pytest.raises(OutputError, match=r"cannot write .*nowhere/result: No such file"):
            write_file(tmp_path / "nowhere" / "result", b"new")

    def test_a_folder_in_the_place_of_the_file_stays(self, tmp_path: Path):
        (tmp_path / "taken").mkdir()
        with pytest.raises(OutputError, match="cannot write"):
            write_file(tmp_path / "taken", b"new")
        assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]

    @pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0, 0o666)])
    def test_the_mode_is_that_of_any_new_file(self, tmp_path: Path, mask: int, mode: int):
        path = tmp_path / "file"
        with umask(mask):
            write_file(path, b"")
        assert path.stat().st_mode & 0o777 == mode

    def test_only_a_durable_write_waits_for_the_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        synced: list[int] = []
        monkeypatch.setattr(os, "fsync", synced.append)
        write_file(tmp_path / "a", b"a", durable=False)
        assert synced == []
        write_file(tmp_path / "a", b"a")
        assert len(synced) == 1

    def test_one_sync_covers_a_batch(self, monkeypatch: pytest.MonkeyPatch):
        calls: list[str] = []
        monkeypatch.setattr(os, "sync", lambda: calls.append("sync"))
        sync_batch()
        assert calls == ["sync"]

    @pytest.mark.parametrize("name", ["a" * 255, "ü" * 127, "🥁" * 63])
    def test_the_longest_names_that_a_file_system_takes_can_be_written(self, tmp_path: Path, name: str):
        write_file(tmp_path / name, b"x")
        assert only_file(tmp_path / name, b"x")

    def test_a_link_is_replaced_and_its_target_kept(self, tmp_path: Path, old: Path):
        link = tmp_path / "link"
        link.symlink_to(old)
        write_file(link, b"new")
        assert not link.is_symlink()
        assert (link.read_bytes(), old.read_bytes()) == (b"new", b"old")


class TestFoldersAndMoves:
    def test_a_folder_is_made_with_its_parents_and_may_be_there(self, tmp_path: Path):
        make_folder(tmp_path / "a" / "b")
        make_folder(tmp_path / "a" / "b")
        assert (tmp_path / "a" / "b").is_dir()

    def test_a_file_in_the_place_of_a_folder_is_an_output_error(self, old: Path):
        with pytest.raises(OutputError, match="cannot make the folder"):
            make_folder(old)
        with pytest.raises(OutputError, match="Not a directory"):
            make_folder(old / "below")

    def test_a_move_replaces_its_target(self, tmp_path: Path, old: Path):
        (tmp_path / "new").write_bytes(b"new")
        move_file(tmp_path / "new", old)
        assert only_file(old, b"new")

    def test_a_move_of_nothing_is_an_output_error_and_keeps_the_target(self, tmp_path: Path, old: Path):
        with pytest.raises(OutputError, match=r"cannot move .*nothing to .*result\.json: No such file"):
            move_file(tmp_path / "nothing", old)
        assert only_file(old, b"old")

    def test_a_file_is_removed_and_may_be_gone_already(self, old: Path):
        remove_file(old)
        remove_file(old)
        assert not old.exists()

    def test_what_cannot_be_removed_is_an_output_error(self, tmp_path: Path):
        with pytest.raises(OutputError, match="cannot remove"):
            remove_file(tmp_path)


HOLDER = """
import sys
from pathlib import Path
from stereokit.writing import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Run another process that holds the lock until its input ends or it is killed."""
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


class TestLock:
    def test_a_second_process_is_refused_with_the_name_of_the_first(self, tmp_path: Path):
        lock = tmp_path / "lock"
        with holder(lock) as process:
            expected = f"process {process.pid} on {socket.gethostname()}"
            with pytest.raises(LockedError, match=f"{tmp_path} is in use by {expected}"), locked(lock):
                pytest.fail("two processes hold one lock")

    def test_the_lock_of_a_killed_process_is_free(self, tmp_path: Path):
        lock = tmp_path / "lock"
        with holder(lock) as process:
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            with locked(lock):
                assert lock.read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"

    def test_the_lock_of_a_process_that_ended_is_free(self, tmp_path: Path):
        lock = tmp_path / "lock"
        with holder(lock) as process:
            process.communicate("")
            assert process.returncode == 0
            with locked(lock):
                assert "process" in lock.read_text()

    def test_the_same_process_cannot_hold_it_twice_but_one_after_the_other(self, tmp_path: Path):
        lock = tmp_path / "lock"
        with locked(lock), pytest.raises(LockedError), locked(lock):
            pytest.fail("one lock was held twice")
        with locked(lock):
            assert lock.exists()

    def test_a_fault_in_the_work_frees_it(self, tmp_path: Path):
        with suppress(ZeroDivisionError), locked(tmp_path / "lock"):
            raise ZeroDivisionError
        with locked(tmp_path / "lock"):
            assert (tmp_path / "lock").exists()

    def test_the_longer_name_of_an_earlier_holder_leaves_no_rest(self, tmp_path: Path):
        (tmp_path / "lock").write_text("x" * 500)
        with locked(tmp_path / "lock"):
            assert (tmp_path / "lock").read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"

    def test_a_holder_that_has_not_signed_yet_is_another_process(self, tmp_path: Path):
        lock = tmp_path / "lock"
        with locked(lock):
            lock.write_bytes(b"")
            with pytest.raises(LockedError, match="in use by another process"), locked(lock):
                pytest.fail("one lock was held twice")

    def test_a_lock_that_cannot_be_made_is_an_output_error(self, tmp_path: Path):
        with pytest.raises(OutputError, match="cannot make the lock"), locked(tmp_path / "nowhere" / "lock"):
            pytest.fail("a lock was held that is nowhere")

    def test_a_file_system_without_locks_is_an_output_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("fcntl.flock", fail_with(errno.ENOLCK))
        with pytest.raises(OutputError, match="cannot lock"), locked(tmp_path / "lock"):
            pytest.fail("a lock was held that the system refused")


HOSTILE = {
    "empty": "",
    "the folder itself": ".",
    "the folder itself with a slash": "./",
    "the folder itself, twice": "././",
    "the parent": "..",
    "out and back": "../set/a.wav",
    "out from below": "train/../../a.wav",
    "dots that stay inside": "train/../a.wav",
    "dots at the end": "train/..",
    "absolute": "/etc/passwd",
    "two slashes": "//server/share/a.wav",
    "drive letter": "C:/a.wav",
    "drive letter, relative": "C:a.wav",
    "drive letter and backslash": "C:\\a.wav",
    "UNC": "\\\\server\\share\\a.wav",
    "device": "\\\\?\\C:\\a.wav",
    "backslash": "train\\a.wav",
    "backslashed dots": "..\\a.wav",
    "NUL": "a\0.wav",
    "NUL at the end": "a.wav\0",
    "lone surrogate": "\ud800.wav",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a set with a file, links inside and links that leave."""
    folder = tmp_path / "set"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "a.wav").touch()
    (tmp_path / "secret.wav").touch()
    (folder / "inside.wav").symlink_to("train/a.wav")
    (folder / "outside.wav").symlink_to("../secret.wav")
    (folder / "absolute.wav").symlink_to(tmp_path / "secret.wav")
    (folder / "door").symlink_to("..")
    (folder / "dangling.wav").symlink_to("/nowhere/at/all.wav")
    (folder / "circle.wav").symlink_to("circle.wav")
    return folder


class TestContainedPath:
    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
    def test_a_hostile_name_is_refused_and_named(self, folder: Path, name: str):
        with pytest.raises(BadInputError) as caught:
            contained_path(folder, name)
        assert repr(name) in str(caught.value)
        json.dumps(str(caught.value)).encode("ascii")

    @pytest.mark.parametrize("name", ["outside.wav", "absolute.wav", "door/secret.wav", "door", "dangling.wav"])
    def test_a_link_that_leaves_the_folder_is_refused(self, folder: Path, name: str):
        with pytest.raises(BadInputError, match="link that ends outside"):
            contained_path(folder, name)

    def test_links_in_a_circle_raise_nothing_else(self, folder: Path):
        # Python before 3.13 reports the circle, later ones leave it to whoever opens the file.
        with suppress(BadInputError):
            assert contained_path(folder, "circle.wav") == folder / "circle.wav"

    @pytest.mark.parametrize(
        "name",
        ["a.wav", "train/a.wav", "./train/a.wav", "train//a.wav", "..a.wav", "a..b/c...wav", "~/a", " ", "inside.wav"],
    )
    def test_a_name_that_stays_inside_is_kept(self, folder: Path, name: str):
        assert contained_path(folder, name) == folder / name

    @pytest.mark.parametrize("name", ["Кик/бочка.wav", "鼓/🥁.wav", "a b\tc\n.wav", "a" * 5000])
    def test_any_language_and_length_is_kept(self, folder: Path, name: str):
        assert contained_path(folder, name) == folder / name

    def test_a_folder_reached_over_a_link_is_the_folder(self, folder: Path, tmp_path: Path):
        (tmp_path / "alias").symlink_to(folder)
        assert contained_path(tmp_path / "alias", "train/a.wav") == tmp_path / "alias" / "train" / "a.wav"

    def test_a_folder_with_the_same_beginning_is_outside(self, tmp_path: Path):
        (tmp_path / "set").mkdir()
        (tmp_path / "settings").mkdir()
        (tmp_path / "set" / "link").symlink_to(tmp_path / "settings")
        with pytest.raises(BadInputError):
            contained_path(tmp_path / "set", "link")


PIECES = [
    "..",
    ".",
    "/",
    "\\",
    "C:",
    "\0",
    "a",
    "b.wav",
    "~",
    " ",
    "%2e%2e",
    "door",
    "outside.wav",
    "\ud800",
    "\n",
    "\uff1a",
    "\u2025",
]


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names") / "set"
    folder.mkdir()
    (folder / "door").symlink_to("..")
    (folder / "outside.wav").symlink_to("../secret.wav")
    return folder


@given(name=st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=8).map("".join)))
@example(name="door/x")
@settings(deadline=None, database=None)
def test_whatever_a_manifest_says_the_path_is_inside_the_folder_or_refused(shared_folder: Path, name: str):
    try:
        path = contained_path(shared_folder, name)
    except BadInputError:
        return
    inside = os.path.realpath(path)
    assert inside.startswith(os.path.realpath(shared_folder) + os.sep)
